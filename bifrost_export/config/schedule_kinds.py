"""The kinds of schedules, by their frequency: which there are, and which keys each knows."""

from __future__ import annotations

from functools import cache
from typing import get_args

from bifrost_export.config.schedules import BaseSchedule, Schedule
from bifrost_export.config.texts import models_in


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
