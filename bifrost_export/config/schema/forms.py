"""The forms of an export in the JSON Schema: words in place of objects, the short form, what `defaults` completes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from bifrost_export.schedules.kinds import keys_of_frequency, schedule_models

Schema = dict[str, Any]

_PARTIAL = "Partial"

CATCHUP_NEEDS_A_START: Schema = {
    "if": {"required": ["catchup"], "properties": {"catchup": {"const": True}}},
    "then": {"required": ["start_date"]},
}
"""Of every schedule."""


def choose_config(definition: Schema, models: dict[str, type[BaseModel]]) -> None:
    """Let `type` choose the shape of `config`.

    Args:
        definition: Of a destination or source; it is changed.
        models: Type -> the model of its config.
    """
    definition["properties"]["type"]["enum"] = sorted(models)
    definition["allOf"] = [
        {
            "if": {"required": ["type"], "properties": {"type": {"const": name}}},
            "then": {"properties": {"config": {"$ref": f"#/$defs/{model.__name__}"}}},
        }
        for name, model in sorted(models.items())
    ]


_PATH = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_]"}
"""Of a class of one's own: `package.module:Class`."""


def format_choice(names: list[str], by_type: Schema) -> list[Schema]:
    """The forms of `data.format`: a word, or an object with a type.

    Args:
        names: The words.
        by_type: The model of the object.
    """
    known: list[Schema] = [{"enum": names}, _PATH]
    by_type["properties"]["type"] = {"description": by_type["properties"]["type"]["description"], "anyOf": known}
    is_csv = {"properties": {"type": {"const": "csv"}}}
    by_type |= {"if": {"required": ["csv_safe"], "properties": {"csv_safe": {"const": True}}}, "then": is_csv}
    return [*known, by_type]


def transformation_item(models: dict[str, type[BaseModel]]) -> Schema:
    """One of `data.transformations`: `type` chooses its keys; those of a class of one's own are not known.

    Args:
        models: Type -> the model of the whole entry.
    """
    return {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {
                "description": "The kind of transformation, or package.module:Class.",
                "anyOf": [{"enum": sorted(models)}, _PATH],
            }
        },
        "allOf": [
            {
                "if": {"required": ["type"], "properties": {"type": {"const": name}}},
                "then": {"$ref": f"#/$defs/{model.__name__}"},
            }
            for name, model in sorted(models.items())
        ],
    }


def let_words_stand(definitions: Schema, destinations: dict[str, type[BaseModel]]) -> None:
    """Let words stand for schedule and destination, with their keys beside them; adds `ShortExport`.

    Args:
        definitions: The schema's; they are changed.
        destinations: Type -> the model of its config.
    """
    export, beside = definitions["Export"], _beside(definitions)
    properties, words = export["properties"], {"schedule": list(schedule_models()), "destination": sorted(destinations)}
    objects = {
        "schedule": [{"$ref": f"#/$defs/{model.__name__}"} for model in _once(schedule_models().values())],
        "destination": [{"$ref": "#/$defs/Destination"}],
    }
    for key, each in words.items():
        about = {"description": properties[key].get("description", ""), "examples": each[:1]}
        properties[key] = {**about, "anyOf": [{"enum": each}, *objects[key]]}
    properties |= beside | {"config": {"type": "object", "description": "Keys of the destination, beside its word."}}
    rules = [*_frequency_rules(definitions, set(beside)), *_destination_rules(destinations)]
    export["allOf"] = [*rules, _only_beside_a_word("schedule", list(beside), needed=True), _config_needs_a_word()]
    definitions["ShortExport"] = {
        **{key: value for key, value in export.items() if key not in ("required", "title")},
        "description": "One export in short form: without a schedule it is daily, without a destination local.",
        "allOf": [*rules, _only_beside_a_word("schedule", list(beside), needed=False), _config_needs_a_word()],
    }


def partial_definitions(definitions: Schema) -> Schema:
    """What an export may leave out because `defaults` has it: its definitions again, without what is required."""
    made = {f"{_PARTIAL}{name}": _partial(each) for name, each in definitions.items() if name != "ShortExport"}
    export = made[f"{_PARTIAL}Export"]
    for rule in export["allOf"]:
        if "else" in rule:  # the word may stand in the defaults
            rule["if"].pop("required", None)
    about = {"title": "Defaults", "description": "Keys of an export, but for its name."}
    heir = {"$ref": f"#/$defs/{_PARTIAL}Export"}
    return {
        **made,
        "Defaults": {**export, **about, "properties": {**export["properties"], "name": False}},
        "HeirExport": {**heir, "required": ["name"], "description": "An export that takes over what it lacks."},
    }


def _partial(value: Any, *, in_condition: bool = False) -> Any:
    if isinstance(value, list):
        return [_partial(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, each in value.items():
        if key == "$ref":
            made[key] = str(each).replace("#/$defs/", f"#/$defs/{_PARTIAL}")
        elif key != "required" or in_condition:
            made[key] = _partial(each, in_condition=key == "if")
    return made


def _beside(definitions: Schema) -> Schema:
    """Keys of all schedules, as they stand beside a word."""
    found: dict[str, list[Schema]] = {}
    for model in _once(schedule_models().values()):
        for key, each in definitions[model.__name__]["properties"].items():
            if key != "frequency" and each not in found.setdefault(key, []):
                found[key].append(each)
    return {key: each[0] if len(each) == 1 else {"anyOf": each} for key, each in found.items()}


def _frequency_rules(definitions: Schema, beside: set[str]) -> Iterator[Schema]:
    for frequency, model in schedule_models().items():
        definition = definitions[model.__name__]
        properties: Schema = dict.fromkeys(sorted(beside - keys_of_frequency()[frequency]), False)
        properties |= {key: each for key, each in definition["properties"].items() if key != "frequency"}
        required = [key for key in definition.get("required", []) if key != "frequency"]
        yield {
            "if": {"required": ["schedule"], "properties": {"schedule": {"const": frequency}}},
            "then": {"properties": properties, "required": required, **_all_of(definition)},
        }


def _all_of(definition: Schema) -> Schema:
    return {"allOf": definition["allOf"]} if "allOf" in definition else {}


def _destination_rules(destinations: dict[str, type[BaseModel]]) -> Iterator[Schema]:
    for name, model in sorted(destinations.items()):
        yield {
            "if": {"required": ["destination"], "properties": {"destination": {"const": name}}},
            "then": {"properties": {"config": {"$ref": f"#/$defs/{model.__name__}"}}, "required": ["config"]},
        }


def _only_beside_a_word(holder: str, keys: list[str], *, needed: bool) -> Schema:
    is_word: Schema = {"properties": {holder: {"type": "string"}}}
    if needed:
        is_word["required"] = [holder]
    return {"if": is_word, "else": {"properties": dict.fromkeys(keys, False)}}


def _config_needs_a_word() -> Schema:
    return _only_beside_a_word("destination", ["config"], needed=True)


def _once(models: Any) -> list[type[BaseModel]]:
    return list(dict.fromkeys(models))
