"""Walk through the texts of a config by the fields of its model: which are secret, which say where to connect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bifrost_export.fields.markers import CONNECTION, LITERAL, PATH, SECRET
from bifrost_export.fields.pointer import pointer_of
from bifrost_export.fields.unions import member_for


@dataclass(frozen=True)
class Place:
    """What a text is for.

    Args:
        secret: It is never shown.
        connection: It says where to connect to, or is secret.
        literal: No reference may stand in it.
        path: It is a path on this machine.
        unknown: Its key is not one of its object's.
    """

    secret: bool = False
    connection: bool = False
    literal: bool = False
    path: bool = False
    unknown: bool = False


@cache
def fields_of(model: type[BaseModel]) -> Mapping[str, tuple[Place, tuple[type[BaseModel], ...]]]:
    """Each key's place, and the models that what stands under it may have."""
    hints = get_type_hints(model, include_extras=True)
    return {info.alias or name: _read(hints[name], info) for name, info in model.model_fields.items() if name in hints}


def _read(hint: Any, info: FieldInfo) -> tuple[Place, tuple[type[BaseModel], ...]]:
    markers = dict(info.json_schema_extra) if isinstance(info.json_schema_extra, dict) else {}
    models: list[type[BaseModel]] = []
    _collect(hint, markers, models)
    place = Place(*(bool(markers.get(name)) for name in (SECRET, CONNECTION, LITERAL, PATH)))
    return place, tuple(models)


def model_below(models: Sequence[type[BaseModel]], value: Any) -> type[BaseModel] | None:
    """The model of a value, or of the objects in it, among those that it may have."""
    return member_for(models, value) if models else None


def _collect(hint: Any, markers: dict[str, Any], models: list[type[BaseModel]]) -> None:
    if get_origin(hint) is Annotated:
        inner, *rest = get_args(hint)
        for each in rest:
            if isinstance(each, FieldInfo) and isinstance(each.json_schema_extra, dict):
                markers.update(each.json_schema_extra)
        _collect(inner, markers, models)
    elif get_origin(hint) in (Union, UnionType, tuple, list):
        for each in get_args(hint):
            _collect(each, markers, models)
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        models.append(hint)


def models_in(hint: Any) -> list[type[BaseModel]]:
    """The models that a type names: itself, or the members of its union or list."""
    models: list[type[BaseModel]] = []
    _collect(hint, {}, models)
    return models


def place_at(model: type[BaseModel] | None, steps: Sequence[object]) -> Place | None:
    """What the text is for that these steps lead to, from an object of the model; None where no field is declared."""
    place = Place()
    for step in steps:
        if isinstance(step, int):
            continue
        if model is None or str(step) not in fields_of(model):
            return None
        place, models = fields_of(model)[str(step)]
        model = models[0] if models else None
    return place


Change = Callable[[str, Place, str], Any]
"""Given a text, its place and its JSON pointer, says what stands there instead."""


def map_texts(
    value: Any, model: type[BaseModel] | None, pointer: str, change: Change, place: Place | None = None
) -> Any:
    """A copy of a config with every text changed.

    Args:
        value: JSON.
        model: The model of the value when it is an object, or of the objects in it.
        pointer: Where the value stands in its document.
        change: What becomes of a text.
        place: What the texts are for that stand directly in the value.
    """
    place = place or Place()
    if isinstance(value, str):
        return change(value, place, pointer)
    if isinstance(value, list | tuple):
        return [map_texts(each, model, f"{pointer}/{index}", change, place) for index, each in enumerate(value)]
    if isinstance(value, Mapping):
        known = fields_of(model) if model is not None else {}
        return {
            key: map_texts(each, model_below(below, each), pointer + pointer_of(key), change, inner)
            for key, each in value.items()
            for inner, below in [known.get(key, (place if model is None else Place(unknown=True), ()))]
        }
    return value
