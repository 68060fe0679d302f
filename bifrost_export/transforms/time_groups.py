"""Time as a group: date, hour, week and month of a row's `timestamp`, on the local calendar of a timezone."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from bifrost_export.columns import Column

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

TIME_GROUPS: Final = {
    "date": Column("date", "date", True, "Day of the request in the export's timezone."),
    "hour": Column("hour", "timestamp", True, "First moment, UTC, of its hour in the export's timezone."),
    "week": Column("week", "date", True, "Monday of its week in the export's timezone."),
    "month": Column("month", "string", True, "Its month in the export's timezone, as 2026-03."),
}
"""Words of `group_by` that are made of `timestamp`."""

_MICROS_OF_MINUTE = 60_000_000
_MINUTES_OF_DAY = 1440
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 (local time)
_MONDAY = 3
"""1970-01-01 was a Thursday: this many days after a Monday."""


def time_groups(timestamps: pa.Array, names: list[str], timezone: ZoneInfo) -> dict[str, pa.Array]:
    """The groups of each row.

    Args:
        timestamps: Microseconds, UTC, without nulls.
        names: Of `TIME_GROUPS`.
        timezone: The zone whose calendar counts.
    """
    import numpy as np
    import pyarrow as pa

    micros = timestamps.cast(pa.int64()).to_numpy(zero_copy_only=False)
    # Offsets change at whole minutes, and rows stand in order of time: few minutes make many rows.
    minutes, of_row = np.unique(micros // _MICROS_OF_MINUTE, return_inverse=True)
    local = minutes + offsets(minutes, timezone)
    made = {name: _GROUPS[name](minutes, local, timezone) for name in names}
    rows = pa.array(of_row)
    return {name: values.take(rows) for name, values in made.items()}


def offsets(minutes: np.ndarray[Any, Any], timezone: ZoneInfo) -> np.ndarray[Any, Any]:
    """What a zone's clock is ahead of UTC, in minutes, at minutes since 1970 UTC."""
    import numpy as np

    return np.array([_offset(int(each), timezone) for each in minutes], dtype=np.int64)


def _offset(minute: int, timezone: ZoneInfo) -> int:
    utc = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(minutes=minute)
    ahead = utc.astimezone(timezone).utcoffset() or dt.timedelta()
    return ahead // dt.timedelta(minutes=1)


def _date(minutes: Any, local: Any, timezone: ZoneInfo) -> pa.Array:
    return _as_dates(local // _MINUTES_OF_DAY)


def _week(minutes: Any, local: Any, timezone: ZoneInfo) -> pa.Array:
    days = local // _MINUTES_OF_DAY
    return _as_dates(days - (days + _MONDAY) % 7)


def _as_dates(days: Any) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    return pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())


def _month(minutes: Any, local: Any, timezone: ZoneInfo) -> pa.Array:
    import pyarrow as pa

    return pa.array([f"{_EPOCH + dt.timedelta(minutes=int(each)):%Y-%m}" for each in local], pa.string())


def _hour(minutes: Any, local: Any, timezone: ZoneInfo) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    starts = minutes - local % 60
    moved = np.flatnonzero(offsets(starts, timezone) != local - minutes)
    for index in moved:
        starts[index] = _first_of_hour(int(starts[index]), int(minutes[index]), timezone)
    return pa.array(starts * _MICROS_OF_MINUTE, pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def _first_of_hour(start: int, minute: int, timezone: ZoneInfo) -> int:
    """The first minute of an hour in which the clock was put forward or back, as it stands at `minute`."""
    ahead = _offset(minute, timezone)
    return next(each for each in range(start, minute + 1) if _offset(each, timezone) == ahead)


_GROUPS = {"date": _date, "hour": _hour, "week": _week, "month": _month}
