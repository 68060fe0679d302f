"""The schedule that fires every elapsed hour, whatever the clock does."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from bifrost_export.fields.markers import LITERAL
from bifrost_export.schedules.base import BaseSchedule, Period, off_calendar
from bifrost_export.window import UTC

_HOUR = dt.timedelta(hours=1)
# Days of winter and of summer in one half of the world, and the other way round in the other.
_SOLSTICES = (dt.datetime(2026, 1, 1, tzinfo=UTC), dt.datetime(2026, 7, 1, tzinfo=UTC))


class HourlySchedule(BaseSchedule):
    """Once in every elapsed hour, at a minute of the zone's standard time.

    Each window has one hour, also where clocks change. Where they change by half an hour, as on Lord Howe, the clock
    shows another minute in summer.
    """

    frequency: Literal["hourly"] = Field(description="How often the export runs.", json_schema_extra={LITERAL: True})
    minute: int = Field(
        default=0,
        ge=0,
        le=59,
        description="The minute of the hour at which a window ends, in the zone's standard time.",
    )

    @property
    def period(self) -> Period:
        """An hour."""
        return "hourly"

    def describe(self) -> str:
        """The schedule in words: `hourly at minute 15, Asia/Kolkata`."""
        return f"hourly at minute {self.minute}, {self.timezone}"

    def last_firing(self, at: dt.datetime) -> dt.datetime:
        """The latest firing at or before an instant, in UTC."""
        try:
            return at.astimezone(UTC) - (at - self._some_firing()) % _HOUR
        except OverflowError:
            raise off_calendar(at) from None

    def next_firing(self, after: dt.datetime) -> dt.datetime:
        """The earliest firing after an instant, in UTC."""
        try:
            return self.last_firing(after) + _HOUR
        except OverflowError:
            raise off_calendar(after) from None

    def _some_firing(self) -> dt.datetime:
        # By a day that is past for ever, so that no later change of a zone's rules moves a window.
        local = next(
            (each for each in (at.astimezone(self.zone) for at in _SOLSTICES) if not each.dst()),
            _SOLSTICES[0].astimezone(self.zone),
        )
        return local.replace(minute=self.minute).astimezone(UTC)
