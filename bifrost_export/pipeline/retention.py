"""Whether Bifrost may have deleted log rows of a window: its `client.log_retention_days` counts back from now."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bifrost_export.window import Window, rfc3339

if TYPE_CHECKING:
    from bifrost_export.schedules.schedule import Schedule

_WINDOWS = 12
"""Windows of one schedule differ in length: months, and days on which the clock changes."""


def beyond_retention(window: Window, days: int | None, now: dt.datetime, what: str = "window") -> str | None:
    """Return a warning when a window lies, in whole or in part, beyond the retention.

    Args:
        window: The window.
        days: `client.log_retention_days` of the document; None when it is not set. By Bifrost's documentation a number
            below 1 turns the deletion off.
        now: When the window is read, aware.
        what: The noun for it.
    """
    kept = _kept(days, now)
    if kept is None or window.start >= kept:
        return None
    part = "entirely" if window.end <= kept else "partly"
    return (
        f"the {what} {window} lies {part} beyond client.log_retention_days = {days}: Bifrost deletes log rows from"
        f" before {rfc3339(kept.replace(microsecond=0))}, so some or all of its rows may be missing."
    )


def falls_short(schedule: Schedule, days: int | None, now: dt.datetime) -> str | None:
    """Return a warning when a schedule's windows reach beyond the retention by the time they are exported.

    Args:
        schedule: Of an export.
        days: As for `beyond_retention`.
        now: Any time, aware; the last windows before it are looked at.
    """
    window, runs = schedule.latest_settled(now), []
    for _ in range(_WINDOWS):
        runs.append((window, window.end + schedule.settle_delta))
        window = schedule.window_until(window.start)
    if schedule.start is not None and schedule.catchup:
        runs.append((schedule.window_containing(schedule.start), now))
    return next((told for each, at in runs if (told := beyond_retention(each, days, at))), None)


def _kept(days: int | None, now: dt.datetime) -> dt.datetime | None:
    """Rows from before then are deleted; None when nothing is."""
    if days is None or days < 1:
        return None
    try:
        return now - dt.timedelta(days=days)
    except OverflowError:
        return None
