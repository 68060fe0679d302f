"""The JSON Schema (draft 2020-12) of a document, made from the models, for editors to complete and check it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

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
    transformation_item,
    with_forms,
)
from bifrost_export.config.schema.required import complete, reference
from bifrost_export.config.transformations import transform_config
from bifrost_export.fields.field_walk import fields_of
from bifrost_export.fields.markers import MARKERS
from bifrost_export.fields.units import DURATION_PATTERN, SIZE_PATTERN
from bifrost_export.filters.config import DATE_WORD_PATTERN
from bifrost_export.logstore.columns import COLUMN_PATTERN, LOG_COLUMNS
from bifrost_export.registry import DESTINATIONS, FORMATS, LOG_STORES, TRANSFORMS
from bifrost_export.schedules.kinds import schedule_models

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"type": "string", "pattern": r"^env\.|\$\{", "description": "A reference such as ${NAME}."}
_NOT_TEXT = {"boolean", "integer", "number"}
_DURATION = {"pattern": f"^{DURATION_PATTERN}$", "examples": ["30m", "2h", "1d"]}
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
    _, made = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/$defs/{model}", schema_generator=_Plain
    )
    definitions: dict[str, Any] = made["$defs"] | {"Reference": _REFERENCE}
    _complete(definitions, transforms)
    _let_references_stand(definitions, [model for group in configs.values() for model in group.values()])
    for part, group in configs.items():
        choose_config(definitions[part.capitalize()], group)
    let_words_stand(definitions, configs["destination"])
    return {
        "$schema": _DIALECT,
        "title": "Bifrost log exports",
        "description": "A document of Bifrost Export, or Bifrost's own config with log_exports in it.",
        "examples": _EXAMPLES,
        "type": "object",
        "properties": _properties(definitions),
        **_either_form(),
        "$defs": with_forms(definitions),
    }


class _Plain(GenerateJsonSchema):
    """Leaves out what tells an editor nothing.

    Titles repeat the keys, markers are this package's own, and defaults of null or of a whole object are what an
    editor would insert.
    """

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False

    def generate_inner(self, schema: Any) -> dict[str, Any]:
        """The schema without them."""
        made = {key: each for key, each in super().generate_inner(schema).items() if key not in MARKERS}
        if made.get("default", True) is None or isinstance(made.get("default"), dict):
            del made["default"]
        return made

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        """Name the types, in one schema where two are not needed: an editor then knows what to insert."""
        made = super().nullable_schema(schema)
        inner = made.get("anyOf", [{}])[0]
        if "$ref" in inner:
            return {**made, "type": ["object", "null"]}
        if not isinstance(inner.get("type"), str) or "const" in inner:
            return made
        words = {"enum": [*inner["enum"], None]} if "enum" in inner else {}
        return {**inner, "type": [inner["type"], "null"], **words}


def _properties(definitions: dict[str, Any]) -> dict[str, Any]:
    transformations = complete(definitions["Data"]["properties"]["transformations"], definitions)
    return {
        "$schema": {"type": "string", "description": "This schema, for editors."},
        "log_exports": _log_exports(definitions),
        "export": {"description": "The one export of a document in short form."},
        "filters": {
            "type": "object",
            **complete(reference("Filters"), definitions),
            "description": "Filters of the export in short form.",
        },
        "transformations": {
            "type": "array",
            **transformations,
            "description": "Transformations of the export in short form.",
        },
    }


def _log_exports(definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "The exports, and what they share.",
        "additionalProperties": False,
        "properties": {
            "enabled": {"type": "boolean", "default": True, "description": "false switches all exports off."},
            "source": {
                "type": ["object", "null"],
                "anyOf": [complete(reference("Source"), definitions), {"type": "null"}],
                "description": "The log store of all exports that name none.",
            },
            "staging": {"$ref": "#/$defs/Staging", "description": "Where rows wait between tasks."},
            "defaults": {"$ref": "#/$defs/Defaults", "description": "Keys that exports take over when they lack them."},
            "exports": {"type": "array", "description": "One DAG each."},
        },
        "if": {"required": ["defaults"]},
        "then": {"properties": {"exports": {"items": {"$ref": "#/$defs/HeirExport"}}}},
        "else": {"properties": {"exports": {"items": {"$ref": "#/$defs/FullExport"}}}},
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
            "then": {"properties": {"export": {"$ref": "#/$defs/Export"}}},
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
    data["max_file_size"] |= {"pattern": f"^{SIZE_PATTERN}$", "examples": ["256MB", "1GiB"]}
    data["transformations"]["items"] = transformation_item(transforms)
    for each in data["max_rejected"]["anyOf"]:
        each |= {"pattern": f"^({SHARE_PATTERN})$"} if each["type"] == "string" else {"minimum": 0}
    date_range = definitions["Filters"]["properties"]["date_range"]
    date_range["type"] = ["string", "object", "null"]
    for choice in date_range["anyOf"]:
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


def _let_references_stand(definitions: dict[str, Any], models: list[type[BaseModel]]) -> None:
    """A reference may also stand where a number, a truth value or one of some words is wanted."""
    below = {inner for model in models for _, found in fields_of(model).values() for inner in found}
    for model in {*models, *below}:
        properties = definitions[model.__name__]["properties"]
        for name, each in properties.items():
            types = [each.get("type")] if isinstance(each.get("type"), str) else each.get("type", [])
            if {"enum", "const"} & set(each) or _NOT_TEXT & set(types):
                about = {key: each.pop(key) for key in ("description", "default") if key in each}
                about["type"] = list(dict.fromkeys([*types, "string"]))
                properties[name] = {**about, "anyOf": [each, reference("Reference")]}
