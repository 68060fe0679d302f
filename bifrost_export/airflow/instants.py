"""Airflow's instants as those of the package."""

from __future__ import annotations

import datetime as dt

from bifrost_export.window import UTC


def plain(instant: dt.datetime) -> dt.datetime:
    """The same instant as a `datetime` in UTC.

    Airflow gives pendulum's subclass, which in a zone that isn't pendulum's own loses the zone when a time is added.
    """
    moved = instant.astimezone(UTC)
    return dt.datetime.combine(
        dt.date(moved.year, moved.month, moved.day),
        dt.time(moved.hour, moved.minute, moved.second, moved.microsecond, UTC),
    )
