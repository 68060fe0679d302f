"""The schedule of a cron expression, by the arithmetic of Airflow's own cron timetables.

Airflow goes on from the firing before, and reads a local time that occurs twice as the second, and one that a clock
change skips as that much later. Where the expression holds for every hour it counts elapsed time.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import LITERAL, LiteralText
from bifrost_export.schedules.base import BaseSchedule, Period, moved, off_calendar
from bifrost_export.window import UTC

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from croniter import croniter

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
"""Airflow's words for expressions."""

_ALLOWED = f"five fields such as 30 2 * * 1-5 (minute, hour, day, month, weekday), or {', '.join(PRESETS)}"
_NUMBER = r"[0-9]{1,2}"
_PERIODS: tuple[tuple[Period, str], ...] = (
    ("hourly", rf"{_NUMBER} \* \* \* \*"),
    ("daily", rf"{_NUMBER} {_NUMBER} \* \* \*"),
    ("weekly", rf"{_NUMBER} {_NUMBER} \* \* ([0-7]|[A-Za-z]{{3}})"),
    ("monthly", rf"{_NUMBER} {_NUMBER} ({_NUMBER}|[Ll]) \* \*"),
)
_WORTH_READING = re.compile(r"[0-9A-Za-z*/,#-]+( [0-9A-Za-z*/,#-]+){4}")
# croniter's own extensions by which the expression means another time on another day or machine.
_RANDOM = re.compile(r"(?<![A-Za-z])[HhRr](?![A-Za-z])")
_NEAR = ((dt.timedelta(hours=36), dt.timedelta(hours=12)), (dt.timedelta(hours=4), dt.timedelta()))
"""So far from a clock change by more than that a firing doesn't depend on it; some zones have skipped a day."""

_FORMER = 4
"""So many firings back Airflow's way forward is begun beside a clock change."""

# croniter looks through years on its own, which the ends of the calendar would stop with errors of all kinds.
_FIRST, _LAST = dt.datetime(1900, 1, 1, tzinfo=UTC), dt.datetime(9900, 1, 1, tzinfo=UTC)
_SOME_TIME = dt.datetime(2026, 1, 1)  # noqa: DTZ001 (local, as croniter has it)


class CronSchedule(BaseSchedule):
    """At the times of a cron expression, by Airflow's own arithmetic."""

    frequency: Literal["cron"] = Field(description="How often the export runs.", json_schema_extra={LITERAL: True})
    expression: LiteralText = Field(
        description="A cron expression with five fields, or a word of Airflow's such as @daily."
    )

    @field_validator("expression")
    @classmethod
    def _expression_is_one(cls, value: str) -> str:
        _check(value)
        return value

    @property
    def period(self) -> Period | None:
        """How long its windows are, for the simplest expressions."""
        return next((period for period, form in _PERIODS if re.fullmatch(form, self._fields)), None)

    def describe(self) -> str:
        """The schedule in words: `by cron 30 2 * * 1-5 in UTC`."""
        return f"by cron {self.expression} in {self.timezone}"

    def last_firing(self, at: dt.datetime) -> dt.datetime:
        """The latest firing at or before an instant, in UTC."""
        return self._around(at)[0]

    def next_firing(self, after: dt.datetime) -> dt.datetime:
        """The earliest firing after an instant, in UTC."""
        at = _on_calendar(after)
        try:
            if self._unrest(at) is None:
                return self._step(at)
        except (OverflowError, ValueError):
            raise off_calendar(after) from None
        return self._around(after)[1]

    @property
    def _fields(self) -> str:
        return _fields(self.expression)

    def _around(self, at: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
        """The firings at or before an instant, and after it."""
        at = _on_calendar(at)
        try:
            near = self._unrest(at)
            if near is None:
                firing = self._before(at, 1)
            else:
                firing = self._step(min(self._before(at, _FORMER), moved(at, -2 * near)))
            while (following := self._step(firing)) <= at:
                firing = following
        except (OverflowError, ValueError):
            raise off_calendar(at) from None
        return firing, following

    def _unrest(self, at: dt.datetime) -> dt.timedelta | None:
        """How near a clock change is that a firing may depend on, or None.

        Where time is elapsed, it may also depend on one since the firing before.
        """
        offset = self._offset(at)
        for near, least in _NEAR:
            if any(abs(self._offset(moved(at, delta)) - offset) > least for delta in (-near, near)):
                return near
        if _holds_every_hour(self._fields) and self._offset(self._before(at, 1)) != offset:
            return _NEAR[-1][0]
        return None

    def _offset(self, at: dt.datetime) -> dt.timedelta:
        return at.astimezone(self.zone).utcoffset() or dt.timedelta()

    def _before(self, at: dt.datetime, count: int) -> dt.datetime:
        """The so many times before or at an instant that the expression says, each as Airflow reads a local time."""
        cron = _cron(self._fields, _local(at, self.zone) + dt.timedelta(microseconds=1))
        found = _SOME_TIME
        for _ in range(count):
            found = cron.get_prev(dt.datetime)
        return _later_reading(found, self.zone)

    def _step(self, at: dt.datetime) -> dt.datetime:
        """Airflow's next firing."""
        local = _local(at, self.zone)
        found: dt.datetime = _cron(self._fields, local).get_next(dt.datetime)
        if _holds_every_hour(self._fields):
            return at + (found - local)
        return _later_reading(found, self.zone)


def _on_calendar(at: dt.datetime) -> dt.datetime:
    if not _FIRST <= at <= _LAST:
        raise off_calendar(at)
    return at.astimezone(UTC)


def _fields(expression: str) -> str:
    return PRESETS.get(expression, expression)


def _local(at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _later_reading(local: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def _cron(fields: str, start: dt.datetime) -> croniter:
    from croniter import croniter

    return croniter(fields, start)


@cache
def _holds_every_hour(fields: str) -> bool:
    return bool(_cron(fields, _SOME_TIME).expanded[1] == ["*"])


@cache
def _check(expression: str) -> None:
    from croniter import CroniterBadCronError, CroniterBadDateError

    fields = _fields(expression)
    told = f"expression is {expression!r}"[:200]
    if not _WORTH_READING.fullmatch(fields) or len(fields) > 500 or _RANDOM.search(fields):
        raise ConfigError(told, allowed=_ALLOWED)
    try:
        _cron(fields, _SOME_TIME).get_next(dt.datetime)
    except CroniterBadDateError:
        raise ConfigError(f"{told}, a day that never comes", allowed=_ALLOWED) from None
    except (CroniterBadCronError, ValueError, KeyError, IndexError, OverflowError):
        raise ConfigError(told, allowed=_ALLOWED) from None
