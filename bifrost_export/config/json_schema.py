"""The JSON Schema (draft 2020-12) of a document, made from the models, for editors to complete and check it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bifrost_export.config.kinds import config_model, load_kind
from bifrost_export.config.models import (
    DATASETS,
    DATE_WORD_PATTERN,
    NAME_PATTERN,
    SHARE_PATTERN,
    Data,
    Export,
    Source,
    Staging,
)
from bifrost_export.config.sources import SOURCE_CONFIGS
from bifrost_export.registry import DESTINATIONS, FORMATS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"type": "string", "pattern": r"^env\.|\$\{", "description": "A reference such as ${NAME}."}


def document_schema() -> dict[str, Any]:
    """The JSON Schema of a document in long form."""
    destinations = {name: config_model("destination", name) for name in DESTINATIONS.names()}
    configs = {"destination": _known(destinations), "source": _known(dict(SOURCE_CONFIGS))}
    models: list[type[BaseModel]] = [
        Export,
        Staging,
        Source,
        *(model for group in configs.values() for model in group.values()),
    ]
    _, made = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = made["$defs"]
    _complete(definitions)
    for part, group in configs.items():
        _let_references_stand(definitions, group)
        _choose_config(definitions[part.capitalize()], group)
    return {
        "$schema": _DIALECT,
        "title": "Bifrost log exports",
        "description": "A document of Bifrost Export, or Bifrost's own config with log_exports in it.",
        "type": "object",
        "required": ["log_exports"],
        "properties": {"log_exports": _log_exports()},
        "$defs": definitions,
    }


def _log_exports() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["exports"],
        "properties": {
            "enabled": {"type": "boolean", "default": True, "description": "false switches all exports off."},
            "source": {
                "anyOf": [{"$ref": "#/$defs/Source"}, {"type": "null"}],
                "description": "The log store of all exports that name none.",
            },
            "staging": {"$ref": "#/$defs/Staging", "description": "Where rows wait between tasks."},
            "exports": {"type": "array", "items": {"$ref": "#/$defs/Export"}, "description": "One DAG each."},
        },
    }


def _known(models: dict[str, type[BaseModel] | None]) -> dict[str, type[BaseModel]]:
    return {name: model for name, model in models.items() if model is not None}


def _complete(definitions: dict[str, Any]) -> None:
    """Say what the models check in Python."""
    definitions["Export"]["properties"]["name"] |= {"pattern": f"^{NAME_PATTERN}$", "not": {"pattern": "__"}}
    data = definitions["Data"]["properties"]
    data["include"]["items"]["enum"] = list(DATASETS)
    data["include"]["uniqueItems"] = True
    data["format"]["enum"] = FORMATS.names()
    data["transformations"]["maxItems"] = 0
    for each in data["max_rejected"]["anyOf"]:
        each |= {"pattern": f"^({SHARE_PATTERN})$"} if each["type"] == "string" else {"minimum": 0}
    for choice in definitions["Filters"]["properties"]["date_range"]["anyOf"]:
        for each in choice.get("oneOf", ()):
            each |= {"pattern": f"^({DATE_WORD_PATTERN})$"} if each.get("type") == "string" else {}
    definitions["Data"]["allOf"] = [_compressions(name) for name in FORMATS.names()]


def _compressions(name: str) -> dict[str, Any]:
    kind = load_kind(FORMATS, name)
    is_it: dict[str, Any] = {"properties": {"format": {"const": name}}}
    if name != Data.model_fields["format"].default:
        is_it["required"] = ["format"]
    return {"if": is_it, "then": {"properties": {"compression": {"enum": [*kind.compressions, None]}}}}


def _choose_config(definition: dict[str, Any], models: dict[str, type[BaseModel]]) -> None:
    """Let `type` choose the shape of `config`."""
    definition["properties"]["type"]["enum"] = sorted(models)
    definition["allOf"] = [
        {
            "if": {"required": ["type"], "properties": {"type": {"const": name}}},
            "then": {"properties": {"config": {"$ref": f"#/$defs/{model.__name__}"}}},
        }
        for name, model in sorted(models.items())
    ]


def _let_references_stand(definitions: dict[str, Any], models: dict[str, type[BaseModel]]) -> None:
    """A reference may also stand where a number, a truth value or one of some words is wanted."""
    for model in models.values():
        for name, each in definitions[model.__name__].get("properties", {}).items():
            if {"enum", "const"} & set(each) or each.get("type") in ("boolean", "integer", "number"):
                about = {key: each.pop(key) for key in ("title", "description", "default") if key in each}
                definitions[model.__name__]["properties"][name] = {**about, "anyOf": [each, _REFERENCE]}
