"""Which window a run exports: the trigger form's, else the run's data interval, else the last settled one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bifrost_export.airflow.instants import plain
from bifrost_export.errors import WindowError
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.config.schedules import Schedule


def choose_window(
    schedule: Schedule,
    form: Mapping[str, Any],
    interval: tuple[dt.datetime | None, dt.datetime | None],
    run_after: dt.datetime,
) -> Window:
    """The window of a run.

    Args:
        schedule: The export's schedule, in whose timezone the form's times are taken.
        form: The trigger form; empty text means the same as null.
        interval: The run's data interval; Airflow keeps none when a run is triggered with `logical_date: null`.
        run_after: When the run was due, aware.

    Raises:
        WindowError: The form has one end without the other, or what it says is no window.
    """
    start, end = (str(form.get(name) or "").strip() for name in ("window_start", "window_end"))
    if bool(start) != bool(end):
        given, missing = ("window_start", "window_end") if start else ("window_end", "window_start")
        raise WindowError(
            f"the trigger form has {given} = {start or end}, and no {missing}", hint="Give both or neither."
        )
    if start:
        return Window.parse(start, end, schedule.zone)
    if interval[0] is not None and interval[1] is not None:
        return Window(plain(interval[0]), plain(interval[1]))
    return schedule.latest_settled(plain(run_after))
