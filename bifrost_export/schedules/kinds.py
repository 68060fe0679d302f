"""The kinds of schedules by frequency, and the keys of each."""

from __future__ import annotations

from functools import cache
from typing import get_args

from bifrost_export.fields.field_walk import models_in
from bifrost_export.schedules.schedule import BaseSchedule, Schedule

FREQUENCIES = ("daily", "weekly", "monthly", "hourly", "cron")
"""The words for a schedule."""


@cache
def schedule_models() -> dict[str, type[BaseSchedule]]:
    """Frequency -> the model of its schedule."""
    return {
        str(frequency): model
        for model in models_in(Schedule)
        if issubclass(model, BaseSchedule)
        for frequency in get_args(model.model_fields["frequency"].annotation)
    }


@cache
def keys_of_frequency() -> dict[str, frozenset[str]]:
    """Frequency -> the keys that its schedule may have."""
    return {frequency: frozenset(model.model_fields) for frequency, model in schedule_models().items()}
