"""What pydantic finds wrong in a part of a document, in the document's own terms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from bifrost_export.config.models.kinds import config_model
from bifrost_export.fields.field_walk import fields_of, model_below
from bifrost_export.fields.pointer import value_at
from bifrost_export.fields.suggestions import nearest
from bifrost_export.schedules.base import BaseSchedule
from bifrost_export.schedules.kinds import FREQUENCIES, keys_of_frequency, schedule_models


@dataclass(frozen=True)
class Fault:
    """One of pydantic's errors.

    Args:
        model: The model of the whole value.
        value: The whole value, as JSON.
        error: Pydantic's.
    """

    model: type[BaseModel]
    value: Any
    error: dict[str, Any]

    @property
    def kind(self) -> str:
        """Pydantic's word for it."""
        return str(self.error["type"])

    @property
    def raised(self) -> Any:
        """What a validator of ours has raised, or None."""
        return self.error.get("ctx", {}).get("error")

    @cached_property
    def steps(self) -> list[Any]:
        """The steps to the value that is wrong; a location of pydantic also names the branches of unions."""
        steps: list[Any] = []
        found, loc = self.value, self.error["loc"]
        for index, step in enumerate(loc):
            is_missing = self.kind == "missing" and index == len(loc) - 1
            if isinstance(found, dict) and (step in found or is_missing):
                steps.append(step)
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int):
                steps.append(step)
                found = found[step] if step < len(found) else None
        return steps

    @cached_property
    def found(self) -> Any:
        """The value that is wrong."""
        return value_at(self.value, [str(step) for step in self.steps])

    @property
    def holder(self) -> type[BaseModel] | None:
        """The model of the object that holds the value."""
        model: type[BaseModel] | None = self.model
        value = self.value
        for step in self.steps[:-1]:
            value = value_at(value, [str(step)])
            if model is not None and isinstance(step, str):
                model = model_below(fields_of(model).get(step, (None, ()))[1], value)
        return model

    @property
    def description(self) -> str | None:
        """What the field is for."""
        fields = self.holder.model_fields.items() if self.holder else ()
        info = next((each for name, each in fields if (each.alias or name) == str(self.steps[-1])), None)
        return info.description if info else None

    def better_place(self) -> str | None:
        """The key beside a wrong one whose object knows it."""
        key, holder = str(self.steps[-1]), self.holder
        for name, (_, inner) in fields_of(holder).items() if holder else ():
            if any(key in model.model_fields for model in inner):
                return name
        beside = value_at(self.value, [str(step) for step in self.steps[:-1]])
        config = config_model("destination", beside.get("type")) if holder and "config" in holder.model_fields else None
        return "config" if config is not None and key in config.model_fields else None


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
