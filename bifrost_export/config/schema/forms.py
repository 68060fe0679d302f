"""The forms of an export in the JSON Schema: words in place of objects, the short form, what `defaults` completes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from bifrost_export.config.schema.required import Schema, reference, split
from bifrost_export.schedules.kinds import keys_of_frequency, schedule_models

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
    """Let words stand for schedule and destination, with their keys beside them.

    Args:
        definitions: The schema's; that of an export is changed.
        destinations: Type -> the model of its config.
    """
    export, beside = definitions["Export"], _beside(definitions)
    properties, words = export["properties"], {"schedule": list(schedule_models()), "destination": sorted(destinations)}
    objects = {
        "schedule": [reference(model.__name__) for model in _once(schedule_models().values())],
        "destination": [reference("Destination")],
    }
    for key, each in words.items():
        about = {
            "description": properties[key].get("description") or definitions["Destination"]["description"],
            "examples": each[:1],
        }
        properties[key] = {**about, "anyOf": [{"enum": each}, *objects[key]]}
    properties |= beside | {"config": {"type": "object", "description": "Keys of the destination, beside its word."}}
    export["allOf"] = [
        *_frequency_rules(definitions, beside),
        *_destination_rules(destinations),
        CATCHUP_NEEDS_A_START,
        _only_beside_a_word("schedule", list(beside)),
        _only_beside_a_word("destination", ["config"]),
    ]


def with_forms(definitions: Schema) -> Schema:
    """Return the definitions, split into optional and required keys, with those of every form of an export.

    Args:
        definitions: With that of a whole export, as `let_words_stand` leaves it.
    """
    whole = dict(definitions["Export"])
    needed, about, title = whole.pop("required"), whole.pop("description"), whole.pop("title")
    name = whole["properties"]["name"]
    # Whether a name belongs here, each form says.
    keys = {**whole, "properties": {**whole["properties"], "name": True}}
    made = split({**{key: each for key, each in definitions.items() if key != "Export"}, "ExportKeys": keys})
    named: Schema = {"type": "object", "properties": {"name": name}, "allOf": [reference("ExportKeys")]}
    full: Schema = {"type": "object", "allOf": [reference("Export"), reference("ExportKeysRequired")]}
    short = "One export in short form: without a schedule it is daily, without a destination local."
    return {
        **made,
        "Export": {"title": title, "description": about, **named},
        "FullExport": {"description": about, "required": needed, **full},
        "ShortExport": {"description": short, "dependentRequired": {"config": ["destination"]}, **full},
        "HeirExport": {
            "description": "An export that takes over what it lacks.",
            "type": "object",
            "required": ["name"],
            "allOf": [reference("Export")],
        },
        "Defaults": {
            "title": "Defaults",
            "description": "Keys of an export, but for its name.",
            "type": "object",
            "properties": {"name": False},
            "allOf": [reference("ExportKeys")],
        },
    }


def _beside(definitions: Schema) -> Schema:
    """Keys of all schedules, as they stand beside a word."""
    found: dict[str, dict[str, Schema]] = {}
    for model in _once(schedule_models().values()):
        for key, each in definitions[model.__name__]["properties"].items():
            if key != "frequency" and each not in found.setdefault(key, {}).values():
                found[key][model.__name__] = each
    return {key: _of_models(key, each) for key, each in found.items()}


def _of_models(key: str, models: dict[str, Schema]) -> Schema:
    """A key as each of some models describes it."""
    found = [reference(f"{model}/properties/{key}") for model in models]
    about = " ".join(each["description"] for each in models.values())
    return found[0] if len(found) == 1 else {"description": about, "anyOf": found}


def _frequency_rules(definitions: Schema, beside: Schema) -> Iterator[Schema]:
    """What the word of a frequency forbids and requires, and which of the descriptions of a key is its own."""
    for frequency, model in schedule_models().items():
        definition, own = definitions[model.__name__], keys_of_frequency()[frequency]
        properties: Schema = dict.fromkeys(sorted(set(beside) - own), False)
        several = [key for key in beside if key in own and "anyOf" in beside[key]]
        properties |= {key: reference(f"{model.__name__}/properties/{key}") for key in several}
        required = [key for key in definition.get("required", []) if key != "frequency"]
        yield {
            "if": {"required": ["schedule"], "properties": {"schedule": {"const": frequency}}},
            "then": {"properties": properties, "required": required},
        }


def _destination_rules(destinations: dict[str, type[BaseModel]]) -> Iterator[Schema]:
    for name, model in sorted(destinations.items()):
        yield {
            "if": {"required": ["destination"], "properties": {"destination": {"const": name}}},
            "then": {"properties": {"config": reference(model.__name__)}, "required": ["config"]},
        }


def _only_beside_a_word(holder: str, keys: list[str]) -> Schema:
    """Keys that an object in place of the word has itself."""
    return {"if": {"properties": {holder: {"type": "string"}}}, "else": {"properties": dict.fromkeys(keys, False)}}


def _once(models: Any) -> list[type[BaseModel]]:
    return list(dict.fromkeys(models))
