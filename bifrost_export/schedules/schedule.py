"""When an export runs: every kind of schedule, told apart by its `frequency`."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Tag, TypeAdapter

from bifrost_export.fields.unions import member_for
from bifrost_export.schedules.base import BaseSchedule
from bifrost_export.schedules.calendar import DailySchedule, MonthlySchedule, WeeklySchedule
from bifrost_export.schedules.cron import CronSchedule
from bifrost_export.schedules.hourly import HourlySchedule

__all__ = ["SCHEDULES", "BaseSchedule", "Schedule", "read_schedule"]

SCHEDULES: tuple[type[BaseSchedule], ...] = (
    DailySchedule,
    WeeklySchedule,
    MonthlySchedule,
    HourlySchedule,
    CronSchedule,
)


def _tag(value: Any) -> str:
    return member_for(SCHEDULES, value).__name__


# The kind is told apart first, by the nearest frequency where none fits, so that an error speaks of that one alone.
Schedule: TypeAlias = Annotated[
    Annotated[DailySchedule, Tag("DailySchedule")]
    | Annotated[WeeklySchedule, Tag("WeeklySchedule")]
    | Annotated[MonthlySchedule, Tag("MonthlySchedule")]
    | Annotated[HourlySchedule, Tag("HourlySchedule")]
    | Annotated[CronSchedule, Tag("CronSchedule")],
    Discriminator(_tag),
]
"""Any schedule that a document may name."""

_ADAPTER: TypeAdapter[Schedule] = TypeAdapter(Schedule)


def read_schedule(document: dict[str, Any]) -> Schedule:
    """The schedule that `model_dump` wrote.

    Raises:
        pydantic.ValidationError: It is no schedule.
    """
    return _ADAPTER.validate_python(document)
