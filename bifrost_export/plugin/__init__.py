"""What the package adds to an Airflow: it is named by the wheel's entry point, and every component loads it."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from bifrost_export.airflow import missing_pools
from bifrost_export.airflow.timetable import ExportTimetable


class BifrostExportPlugin(AirflowPlugin):
    """Registers the timetable, without which Airflow can't read the DAGs that it has stored, and a listener."""

    name = "bifrost_export"
    timetables = [ExportTimetable]  # noqa: RUF012 (Airflow's own attribute)
    listeners = [missing_pools]  # noqa: RUF012 (the same)
