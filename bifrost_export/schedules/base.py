"""What all schedules share: firings, and the windows between them.

A firing is an instant in UTC. A window is the time from one firing to the next, so that windows tile time.
Airflow's timetable and the CLI know nothing of a schedule but `last_firing`, `next_firing` and what is built on them.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from bifrost_export.errors import ConfigError, WindowError
from bifrost_export.fields.markers import LiteralText, Strict
from bifrost_export.fields.units import checked_zone, duration_of
from bifrost_export.window import MICROSECOND, Window, parse_instant

LONGEST_SETTLE = dt.timedelta(days=31)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199

Period = Literal["hourly", "daily", "weekly", "monthly"]
"""How long the windows of a schedule are, in words."""


class BaseSchedule(Strict):
    """What all schedules share: a timezone, the time that late rows get, and the windows between firings."""

    timezone: LiteralText = Field(default="UTC", description="The zone of the schedule's times, by its IANA name.")
    settle: LiteralText = Field(
        default="30m", description="How long after a window's end its run starts, for late rows: 30m, 2h, 1d."
    )
    start_date: LiteralText | None = Field(
        default=None,
        description="No scheduled window starts before it: a date or time, without a zone in the export's.",
    )
    catchup: bool = Field(default=False, description="Whether the first scheduled window is the one at start_date.")
    missed_windows: Literal["run", "skip"] = Field(
        default="run",
        description="The windows of an outage or a pause: run each of them, or skip all but the latest.",
    )

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        return checked_zone(value)

    @field_validator("settle")
    @classmethod
    def _settle_is_a_duration(cls, value: str) -> str:
        _parse_settle(value)
        return value

    @field_validator("start_date")
    @classmethod
    def _start_date_is_a_time(cls, value: str | None) -> str | None:
        if value is not None and not _FIRST_YEAR <= _parse_start(value).year <= _LAST_YEAR:
            raise ConfigError(f"start_date is {value!r}", allowed=f"the years {_FIRST_YEAR} to {_LAST_YEAR}")
        return value

    @model_validator(mode="after")
    def _catchup_has_a_start(self) -> BaseSchedule:
        if self.catchup and self.start_date is None:
            raise ConfigError(
                "catchup is true, and there is no start_date to catch up from",
                hint='Write a "start_date" such as "2026-01-01", or leave catchup out.',
            )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The schedule's timezone."""
        return ZoneInfo(self.timezone)

    @property
    def settle_delta(self) -> dt.timedelta:
        """How long after a window's end its run starts."""
        return _parse_settle(self.settle)

    @property
    def start(self) -> dt.datetime | None:
        """No scheduled window starts before it, in UTC."""
        return None if self.start_date is None else parse_instant(self.start_date, self.zone)

    @property
    @abstractmethod
    def period(self) -> Period | None:
        """How long its windows are, or None where they have no length that a word says."""

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
        return self.next_firing(moved(at, -MICROSECOND))

    def window_from(self, start: dt.datetime) -> Window:
        """The window that starts at an instant, firing or not, and ends at the next firing."""
        return Window(start, self.next_firing(start))

    def window_containing(self, instant: dt.datetime) -> Window:
        """The window that an instant lies in."""
        return self.window_from(self.last_firing(instant))

    def window_until(self, end: dt.datetime) -> Window:
        """The window that starts at the last firing before an instant, and ends there."""
        return Window(self.last_firing(moved(end, -MICROSECOND)), end)

    def latest_settled(self, now: dt.datetime) -> Window:
        """The last window that has ended, and settled, at an instant."""
        return self.window_until(self.last_firing(moved(now, -self.settle_delta)))


def moved(instant: dt.datetime, delta: dt.timedelta) -> dt.datetime:
    """An instant and a length of time.

    Raises:
        WindowError: The calendar ends.
    """
    try:
        return instant + delta
    except OverflowError:
        raise off_calendar(instant) from None


def off_calendar(instant: dt.datetime) -> WindowError:
    """What is raised where the calendar ends."""
    return WindowError(f"{instant} lies too near the ends of the calendar, the years 1 to 9999")


def _parse_settle(text: str) -> dt.timedelta:
    duration = duration_of(text)
    if duration is None or duration > LONGEST_SETTLE:
        raise ConfigError(
            f"settle is {text!r}", allowed="a whole number with s, m, h or d, at most 31d, such as 30m, 2h, 1d or 0s"
        )
    return duration


def _parse_start(text: str) -> dt.datetime:
    try:
        return parse_instant(text)
    except WindowError:
        raise ConfigError(
            f"start_date is {text!r}", allowed="an ISO 8601 date or time such as 2026-01-01 or 2026-01-01T00:00:00Z"
        ) from None
