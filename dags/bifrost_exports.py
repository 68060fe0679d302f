"""One Airflow DAG for each export of the `log_exports` document."""

from __future__ import annotations

from bifrost_export.airflow.dag_factory import build_dags

globals().update(build_dags())
