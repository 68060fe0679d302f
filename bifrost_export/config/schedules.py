"""When an export runs: a schedule's firings on the local calendar, and the windows between them.

A firing is an instant in UTC. A window is the time from one firing to the next, so that windows tile time.
Airflow's timetable and the CLI know nothing of a schedule but `last_firing`, `next_firing` and what is built on them.
"""

from __future__ import annotations

import datetime as dt
import re
from abc import abstractmethod
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, TypeAdapter, field_validator

from bifrost_export.config.durations import duration_of
from bifrost_export.config.fields import LiteralText, Strict
from bifrost_export.errors import ConfigError, WindowError
from bifrost_export.window import MICROSECOND, UTC, Window, to_utc

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_LONGEST_SETTLE = dt.timedelta(days=31)
_DAY = dt.timedelta(days=1)
# Some days before the ends of the calendar, so that a search for a firing stays on it.
_FIRST, _LAST = dt.datetime(1, 1, 5, tzinfo=UTC), dt.datetime(9999, 12, 27, tzinfo=UTC)
# They mean another zone on another machine, or count leap seconds.
_UNFIT_ZONES = re.compile(r"localtime|posixrules|Factory|posix/.*|right/.*")


class BaseSchedule(Strict):
    """What all schedules share: a timezone, the time that late rows get, and the windows between firings."""

    timezone: LiteralText = Field(default="UTC", description="The zone of the schedule's times, by its IANA name.")
    settle: LiteralText = Field(
        default="30m", description="How long after a window's end its run starts, for late rows: 30m, 2h, 1d."
    )

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        return _checked_zone(value)

    @field_validator("settle")
    @classmethod
    def _settle_is_a_duration(cls, value: str) -> str:
        _parse_duration(value)
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The schedule's timezone."""
        return ZoneInfo(self.timezone)

    @property
    def settle_delta(self) -> dt.timedelta:
        """How long after a window's end its run starts."""
        return _parse_duration(self.settle)

    @abstractmethod
    def describe(self) -> str:
        """The schedule in words."""

    @abstractmethod
    def last_firing(self, at: dt.datetime) -> dt.datetime:
        """The latest firing at or before an instant, in UTC.

        Raises:
            WindowError: It would lie outside the years 1 to 9999.
        """

    @abstractmethod
    def next_firing(self, after: dt.datetime) -> dt.datetime:
        """The earliest firing after an instant, in UTC.

        Raises:
            WindowError: It would lie outside the years 1 to 9999.
        """

    def first_firing_from(self, at: dt.datetime) -> dt.datetime:
        """The earliest firing at or after an instant."""
        return self.next_firing(_moved(at, -MICROSECOND))

    def window_from(self, start: dt.datetime) -> Window:
        """The window that starts at an instant, firing or not, and ends at the next firing."""
        return Window(start, self.next_firing(start))

    def window_containing(self, instant: dt.datetime) -> Window:
        """The window that an instant lies in."""
        return self.window_from(self.last_firing(instant))

    def latest_settled(self, now: dt.datetime) -> Window:
        """The last window that has ended, and settled, at an instant."""
        end = self.last_firing(_moved(now, -self.settle_delta))
        return Window(self.last_firing(_moved(end, -MICROSECOND)), end)


class DailySchedule(BaseSchedule):
    """Once a day at a local time; a day with a clock change has 23 or 25 hours."""

    frequency: Literal["daily"] = Field(description="How often the export runs.")
    time: LiteralText = Field(default="00:00", description="Local time of day at which a window ends, as HH:MM.")

    @field_validator("time")
    @classmethod
    def _time_is_one(cls, value: str) -> str:
        if not _TIME.fullmatch(value):
            raise ConfigError(f"time is {value!r}", allowed="HH:MM from 00:00 to 23:59, such as 02:00")
        return value

    def describe(self) -> str:
        """The schedule in words: `daily at 02:00 UTC`."""
        return f"daily at {self.time} {self.timezone}"

    def last_firing(self, at: dt.datetime) -> dt.datetime:
        """The latest firing at or before an instant, in UTC."""
        day = self._day_beside(at, _DAY)
        while (firing := self._firing(day)) > at:
            day -= _DAY
        return firing

    def next_firing(self, after: dt.datetime) -> dt.datetime:
        """The earliest firing after an instant, in UTC."""
        day = self._day_beside(after, -_DAY)
        while (firing := self._firing(day)) <= after:
            day += _DAY
        return firing

    def _day_beside(self, instant: dt.datetime, delta: dt.timedelta) -> dt.date:
        if not _FIRST <= instant <= _LAST:
            raise _off_calendar(instant)
        return (instant + delta).astimezone(self.zone).date()

    def _firing(self, day: dt.date) -> dt.datetime:
        return to_utc(dt.datetime.combine(day, dt.time.fromisoformat(self.time)), self.zone)


Schedule: TypeAlias = DailySchedule
"""Any schedule that a document may name."""

_ADAPTER: TypeAdapter[Schedule] = TypeAdapter(Schedule)


def read_schedule(document: dict[str, Any]) -> Schedule:
    """The schedule that `model_dump` wrote.

    Raises:
        pydantic.ValidationError: It is no schedule.
    """
    return _ADAPTER.validate_python(document)


def _moved(instant: dt.datetime, delta: dt.timedelta) -> dt.datetime:
    try:
        return instant + delta
    except OverflowError:
        raise _off_calendar(instant) from None


def _off_calendar(instant: dt.datetime) -> WindowError:
    return WindowError(f"{instant} lies too near the ends of the calendar, the years 1 to 9999")


def _parse_duration(text: str) -> dt.timedelta:
    duration = duration_of(text)
    if duration is None or duration > _LONGEST_SETTLE:
        raise ConfigError(
            f"settle is {text!r}", allowed="a whole number with s, m, h or d, at most 31d, such as 30m, 2h, 1d or 0s"
        )
    return duration


def _checked_zone(name: str) -> str:
    if not _UNFIT_ZONES.fullmatch(name) and _is_zone(name):
        return name
    near = get_close_matches(name, available_timezones(), n=1)
    raise ConfigError(
        f"there is no timezone {name!r}",
        allowed="a name of the IANA time zone database such as UTC, Europe/Berlin or America/New_York",
        hint=f"Did you mean {near[0]!r}?" if near else None,
    )


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):  # no such zone, no name of one, a folder's name
        return False
