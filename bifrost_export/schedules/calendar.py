"""Schedules that fire at a time of a local day: daily, weekly, monthly."""

from __future__ import annotations

import datetime as dt
import re
from abc import abstractmethod
from calendar import monthrange
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import LITERAL, LiteralText
from bifrost_export.fields.suggestions import brief
from bifrost_export.schedules.base import BaseSchedule, Period, off_calendar
from bifrost_export.window import UTC, to_utc

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_DAY = dt.timedelta(days=1)
# Some months before the ends of the calendar, so that a search for a firing stays on it.
_FIRST, _LAST = dt.datetime(1, 3, 5, tzinfo=UTC), dt.datetime(9999, 10, 27, tzinfo=UTC)

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS = get_args(Weekday)


class CalendarSchedule(BaseSchedule):
    """Fires on numbered local days at a time; a time that a clock change skips is the first moment after it."""

    time: LiteralText = Field(default="00:00", description="Local time of day at which a window ends, as HH:MM.")

    @field_validator("time")
    @classmethod
    def _time_is_one(cls, value: str) -> str:
        if not _TIME.fullmatch(value):
            raise ConfigError(f"time is {value!r}", allowed="HH:MM from 00:00 to 23:59, such as 02:00")
        return value

    @abstractmethod
    def _number(self, day: dt.date) -> int:
        """Number of the period that a day lies in."""

    @abstractmethod
    def _day(self, number: int) -> dt.date:
        """The day of a period on which the schedule fires."""

    def last_firing(self, at: dt.datetime) -> dt.datetime:
        """The latest firing at or before an instant, in UTC."""
        number = self._number_beside(at, _DAY)
        while (firing := self._firing(number)) > at:
            number -= 1
        return firing

    def next_firing(self, after: dt.datetime) -> dt.datetime:
        """The earliest firing after an instant, in UTC."""
        number = self._number_beside(after, -_DAY)
        while (firing := self._firing(number)) <= after:
            number += 1
        return firing

    def _number_beside(self, instant: dt.datetime, delta: dt.timedelta) -> int:
        if not _FIRST <= instant <= _LAST:
            raise off_calendar(instant)
        return self._number((instant + delta).astimezone(self.zone).date())

    def _firing(self, number: int) -> dt.datetime:
        return to_utc(dt.datetime.combine(self._day(number), dt.time.fromisoformat(self.time)), self.zone)


class DailySchedule(CalendarSchedule):
    """Once a day at a local time; a day with a clock change has 23 or 25 hours."""

    frequency: Literal["daily"] = Field(description="How often the export runs.", json_schema_extra={LITERAL: True})

    @property
    def period(self) -> Period:
        """A local day."""
        return "daily"

    def describe(self) -> str:
        """The schedule in words: `daily at 02:00 UTC`."""
        return f"daily at {self.time} {self.timezone}"

    def _number(self, day: dt.date) -> int:
        return day.toordinal()

    def _day(self, number: int) -> dt.date:
        return dt.date.fromordinal(number)


class WeeklySchedule(CalendarSchedule):
    """Once a week, on a weekday at a local time."""

    frequency: Literal["weekly"] = Field(description="How often the export runs.", json_schema_extra={LITERAL: True})
    day: Annotated[Weekday, Field(description="The weekday on which a window ends.")]

    @property
    def period(self) -> Period:
        """Seven local days."""
        return "weekly"

    def describe(self) -> str:
        """The schedule in words: `weekly on Sunday at 02:00 UTC`."""
        return f"weekly on {self.day.capitalize()} at {self.time} {self.timezone}"

    def _number(self, day: dt.date) -> int:
        return (day.toordinal() - 1) // 7

    def _day(self, number: int) -> dt.date:
        # The first day of the calendar is a Monday.
        return dt.date.fromordinal(7 * number + 1 + WEEKDAYS.index(self.day))


class MonthlySchedule(CalendarSchedule):
    """Once a month, on a day at a local time; in a month without that day on its last day."""

    frequency: Literal["monthly"] = Field(description="How often the export runs.", json_schema_extra={LITERAL: True})
    day: Annotated[int, Field(ge=1, le=31)] | Literal["last"] = Field(
        description="The day of the month on which a window ends: 1 to 31, in shorter months their last day, or last."
    )

    @field_validator("day", mode="before")
    @classmethod
    def _day_is_one(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 31
        if is_number or value == "last":
            return value
        if not isinstance(value, int | float | str):
            return value  # pydantic tells its type
        number = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 2
        raise ConfigError(
            f"day is {brief(value, value)}",
            allowed='a day of the month from 1 to 31, or "last"',
            hint=f"Write it without quotes: {int(value)}." if number else None,
        )

    @property
    def period(self) -> Period:
        """From a day of the month to that of the next."""
        return "monthly"

    def describe(self) -> str:
        """The schedule in words: `monthly on day 1 at 02:00 UTC`."""
        day = "the last day" if self.day == "last" else f"day {self.day}"
        return f"monthly on {day} at {self.time} {self.timezone}"

    def _number(self, day: dt.date) -> int:
        return day.year * 12 + day.month - 1

    def _day(self, number: int) -> dt.date:
        year, month = number // 12, number % 12 + 1
        last = monthrange(year, month)[1]
        return dt.date(year, month, last if self.day == "last" else min(self.day, last))
