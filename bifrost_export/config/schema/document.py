"""The JSON Schema (draft 2020-12) of a document, made from the models, for editors to complete and check it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bifrost_export import datasets
from bifrost_export.config.forms.short_form import KEYS as SHORT_KEYS
from bifrost_export.config.models.export import NAME_PATTERN, SHARE_PATTERN, Data, Export, Source
from bifrost_export.config.models.kinds import config_model, load_kind
from bifrost_export.config.models.staging import Staging
from bifrost_export.config.schema.forms import (
    CATCHUP_NEEDS_A_START,
    choose_config,
    format_choice,
    let_words_stand,
    partial_definitions,
    transformation_item,
)
from bifrost_export.config.transformations import transform_config
from bifrost_export.fields.units import SIZE_PATTERN
from bifrost_export.filters.config import DATE_WORD_PATTERN
from bifrost_export.logstore.columns import COLUMN_PATTERN, LOG_COLUMNS
from bifrost_export.registry import DESTINATIONS, FORMATS, LOG_STORES, TRANSFORMS
from bifrost_export.schedules.kinds import schedule_models

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"type": "string", "pattern": r"^env\.|\$\{", "description": "A reference such as ${NAME}."}
_DURATION = {"pattern": "^[0-9]{1,9}[smhd]$", "examples": ["30m", "2h", "1d"]}
_OF_SCHEDULES = {
    "time": {"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["02:00"]},
    "timezone": {"examples": ["UTC", "Europe/Berlin", "America/New_York"]},
    "settle": _DURATION,
    "start_date": {"examples": ["2026-01-01", "2026-01-01T00:00:00Z"]},
    "expression": {"examples": ["30 2 * * 1-5", "@daily"]},
}
_S3 = {"bucket": "bifrost-logs", "region": "us-west-2", "prefix": "logs/{year}/{month}/{day}/"}
_EXAMPLES = [
    {
        "log_exports": {
            "exports": [
                {
                    "name": "daily_s3_export",
                    "schedule": {"frequency": "daily", "time": "02:00", "timezone": "UTC"},
                    "destination": {"type": "s3", "config": _S3},
                    "data": {"filters": {"status_codes": [200, 500]}},
                }
            ]
        }
    },
    {"export": {"schedule": "daily", "time": "02:00", "timezone": "UTC", "destination": "s3", "config": _S3}},
]


def document_schema() -> dict[str, Any]:
    """The JSON Schema of a document, in either form."""
    destinations = {name: config_model("destination", name) for name in DESTINATIONS.names()}
    sources = {name: config_model("source", name) for name in LOG_STORES.names()}
    configs = {"destination": _known(destinations), "source": _known(sources)}
    models: list[type[BaseModel]] = [Export, Staging, Source, *schedule_models().values()]
    models += [model for group in configs.values() for model in group.values()]
    transforms = _known({name: transform_config(name) for name in TRANSFORMS.names()})
    models += transforms.values()
    _, made = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = made["$defs"]
    _complete(definitions, transforms)
    for part, group in configs.items():
        _let_references_stand(definitions, group)
        choose_config(definitions[part.capitalize()], group)
    let_words_stand(definitions, configs["destination"])
    definitions |= partial_definitions(definitions)
    return {
        "$schema": _DIALECT,
        "title": "Bifrost log exports",
        "description": "A document of Bifrost Export, or Bifrost's own config with log_exports in it.",
        "examples": _EXAMPLES,
        "type": "object",
        "properties": _properties(definitions),
        **_either_form(),
        "$defs": definitions,
    }


def _properties(definitions: dict[str, Any]) -> dict[str, Any]:
    data = definitions["Data"]["properties"]
    return {
        "$schema": {"type": "string", "description": "This schema, for editors."},
        "log_exports": _log_exports(),
        "export": {"description": "The one export of a document in short form."},
        "filters": {"$ref": "#/$defs/Filters", "description": "Filters of the export in short form."},
        "transformations": {**data["transformations"], "description": "Transformations of the export in short form."},
    }


def _log_exports() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "The exports, and what they share.",
        "additionalProperties": False,
        "properties": {
            "enabled": {"type": "boolean", "default": True, "description": "false switches all exports off."},
            "source": {
                "anyOf": [{"$ref": "#/$defs/Source"}, {"type": "null"}],
                "description": "The log store of all exports that name none.",
            },
            "staging": {"$ref": "#/$defs/Staging", "description": "Where rows wait between tasks."},
            "defaults": {"$ref": "#/$defs/Defaults", "description": "Keys that exports take over when they lack them."},
            "exports": {"type": "array", "description": "One DAG each."},
        },
        "if": {"required": ["defaults"]},
        "then": {"properties": {"exports": {"items": {"$ref": "#/$defs/HeirExport"}}}},
        "else": {"properties": {"exports": {"items": {"$ref": "#/$defs/Export"}}}},
    }


def _either_form() -> dict[str, Any]:
    """`log_exports.exports` excludes the short form; one of the two is there."""
    has_defaults = {"required": ["log_exports"], "properties": {"log_exports": {"required": ["defaults"]}}}
    return {
        "if": {"required": ["log_exports"], "properties": {"log_exports": {"required": ["exports"]}}},
        "then": {"properties": dict.fromkeys(SHORT_KEYS, False)},
        "else": {
            "anyOf": [{"required": [key]} for key in SHORT_KEYS],
            "if": has_defaults,
            "then": {"properties": {"export": {"$ref": "#/$defs/PartialExport"}}},
            "else": {"properties": {"export": {"$ref": "#/$defs/ShortExport"}}},
        },
    }


def _known(models: dict[str, type[BaseModel] | None]) -> dict[str, type[BaseModel]]:
    return {name: model for name, model in models.items() if model is not None}


def _complete(definitions: dict[str, Any], transforms: dict[str, type[BaseModel]]) -> None:
    """Say what the models check in Python."""
    definitions["Export"]["properties"]["name"] |= {"pattern": f"^{NAME_PATTERN}$", "not": {"pattern": "__"}}
    definitions["AirflowOptions"]["properties"]["execution_timeout"] |= _DURATION
    for model in schedule_models().values():
        properties = definitions[model.__name__]["properties"]
        for name in _OF_SCHEDULES.keys() & properties:
            properties[name] |= _OF_SCHEDULES[name]
        definitions[model.__name__]["allOf"] = [CATCHUP_NEEDS_A_START]
    data = definitions["Data"]["properties"]
    data["include"]["items"]["enum"] = datasets.names()
    # Known names for an editor to complete, and any other that could be a column of a newer Bifrost.
    refused = {"not": {"enum": ["redaction_mapping"]}, "pattern": f"^{COLUMN_PATTERN}$"}
    data["extra_fields"]["items"]["anyOf"] = [{"enum": list(LOG_COLUMNS)}, refused]
    for name in ("include", "extra_fields"):
        data[name]["uniqueItems"] = True
    data["format"].pop("oneOf")
    data["format"]["anyOf"] = format_choice(FORMATS.names(), definitions.pop("FormatByType"))
    for each in data["max_file_size"]["anyOf"]:
        each |= {"pattern": f"^{SIZE_PATTERN}$", "examples": ["256MB", "1GiB"]} if each["type"] == "string" else {}
    data["transformations"]["items"] = transformation_item(transforms)
    for each in data["max_rejected"]["anyOf"]:
        each |= {"pattern": f"^({SHARE_PATTERN})$"} if each["type"] == "string" else {"minimum": 0}
    for choice in definitions["Filters"]["properties"]["date_range"]["anyOf"]:
        for each in choice.get("oneOf", ()):
            each |= {"pattern": f"^({DATE_WORD_PATTERN})$"} if each.get("type") == "string" else {}
    definitions["Data"]["allOf"] = [*(_compressions(name) for name in FORMATS.names()), _CSV_SAFE]


_CSV_SAFE = {
    "if": {"required": ["csv_safe"], "properties": {"csv_safe": {"const": True}}},
    "then": {
        "required": ["format"],
        "properties": {
            "format": {"anyOf": [{"const": "csv"}, {"properties": {"type": {"const": "csv"}}, "type": "object"}]}
        },
    },
}


def _compressions(name: str) -> dict[str, Any]:
    kind, default = load_kind(FORMATS, name), Data.model_fields["format"].default
    by_type = {"type": "object", "required": ["type"], "properties": {"type": {"const": name}}}
    is_it: dict[str, Any] = {"properties": {"format": {"anyOf": [{"const": name}, by_type]}}}
    if name != default:
        is_it["required"] = ["format"]
    return {"if": is_it, "then": {"properties": {"compression": {"enum": [*kind.compressions, None]}}}}


def _let_references_stand(definitions: dict[str, Any], models: dict[str, type[BaseModel]]) -> None:
    """A reference may also stand where a number, a truth value or one of some words is wanted."""
    for model in models.values():
        for name, each in definitions[model.__name__].get("properties", {}).items():
            if {"enum", "const"} & set(each) or each.get("type") in ("boolean", "integer", "number"):
                about = {key: each.pop(key) for key in ("title", "description", "default") if key in each}
                definitions[model.__name__]["properties"][name] = {**about, "anyOf": [each, _REFERENCE]}
