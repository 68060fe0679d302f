"""A schedule of unknown frequency is checked as the kind that it resembles; not all that is found holds then."""

from __future__ import annotations

from bifrost_export.config.base_schedule import BaseSchedule
from bifrost_export.config.faults import Fault
from bifrost_export.config.positions import value_at
from bifrost_export.config.schedule_kinds import keys_of_frequency, schedule_models
from bifrost_export.config.wording import nearest
from bifrost_export.config.words import FREQUENCIES


def rests_on_a_guess(fault: Fault) -> bool:
    """Whether a fault is one of the kind of schedule that was guessed, and perhaps none of the one that is meant.

    The frequency itself is told, and once it is mended, so is what is left.
    """
    if not fault.steps or fault.holder not in schedule_models().values():
        return False
    key = str(fault.steps[-1])
    of_some_kind = any(key in keys for keys in keys_of_frequency().values())
    if key == "frequency" or key in BaseSchedule.model_fields or not of_some_kind:
        return False
    schedule = value_at(fault.value, [str(step) for step in fault.steps[:-1]])
    frequency = schedule.get("frequency") if isinstance(schedule, dict) else None
    if isinstance(frequency, str) and frequency in schedule_models():
        return False
    is_near = isinstance(frequency, str) and nearest(frequency, list(FREQUENCIES)) is not None
    return fault.kind == "extra_forbidden" or not is_near
