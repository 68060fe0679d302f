"""Generate the configuration reference: every key of the document, from the models that validate it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bifrost_export.config.models.export import Export
from bifrost_export.config.models.staging import Staging
from bifrost_export.fields.markers import CONNECTION, LITERAL, SECRET
from bifrost_export.logstore.payloads.config import ObjectStorage
from bifrost_export.registry import DESTINATIONS, LOG_STORES, TRANSFORMS
from bifrost_export.schedules.kinds import schedule_models
from tools.markdown import cell, table

HEADER = ("key", "type", "default", "description", "references")
"""Of each table. The last column names a row of the table of references."""

INTRODUCTION = """\
# Configuration reference

Every key of a document, with its type, its default, and its meaning. This page is generated from the models that
validate a document (`make reference`). [The document](../document.md) explains how the keys work together.

`bifrost-export schema` prints the same information as a JSON Schema, with which an editor completes and checks a
document. The file `include/log_exports.schema.json` is a copy of it.

The column *references* says which variables a value may refer to; see [References](../document.md#references).

| references | allowed in the value |
| --- | --- |
| secret | variables other than `AIRFLOW__*`, `AIRFLOW_CONN_*` and `AIRFLOW_VAR_*`; the value is never shown |
| address | the same, except names that look like a secret, such as `DB_PASSWORD` |
| value | the built-in references, and variables that match `BIFROST_EXPORT_ENV` |
| none | no reference |

"""

LOG_EXPORTS = (
    ("`log_exports.enabled`", "boolean", "`true`", "`false` disables all exports of the document.", "none"),
    ("`log_exports.source`", "object", "none", "The log store of every export that has no `source`.", "by key"),
    ("`log_exports.staging`", "object", "see below", "Where rows are kept between tasks.", "by key"),
    ("`log_exports.defaults`", "object", "none", "Keys of an export; each export inherits those it lacks.", "by key"),
    ("`log_exports.exports`", "list of objects", "required", "The exports: one DAG for each.", "by key"),
)
"""The keys around the models."""


def page() -> str:
    """Return the page as Markdown."""
    return INTRODUCTION + "\n".join(_sections())


def _sections() -> Iterator[str]:
    yield "## Document\n"
    yield table(HEADER, LOG_EXPORTS)
    yield "## Log store\n"
    for kind in sorted(LOG_STORES.built_in):
        yield f"### `{kind}`\n\nKeys of `source.config` with `source.type: {kind}`.\n"
        yield _keys(LOG_STORES.config_model(kind), closed=("object_storage",), configurable=True)
    yield "### Offloaded payloads\n\nKeys of `source.config.object_storage`, for every type of log store.\n"
    yield _keys(ObjectStorage, configurable=True)
    yield "## Staging\n\nKeys of `log_exports.staging`.\n"
    yield _keys(Staging)
    yield "## Export\n\nKeys of each entry of `log_exports.exports`.\n"
    yield _keys(Export, skip=("schedule",))
    yield "## Schedule\n\nKeys of `schedule`.\n"
    yield from _schedules(schedule_models())
    yield "## Destinations\n"
    for kind in DESTINATIONS.names():
        yield f"### `{kind}`\n\nKeys of `destination.config`: see [{kind}](../destinations/{kind}.md).\n"
        yield _keys(DESTINATIONS.load(kind).Config, configurable=True)
    yield "## Transformations\n"
    for kind in TRANSFORMS.names():
        yield f"### Transformation `{kind}`\n\nKeys of an entry of `data.transformations`.\n"
        yield _keys(TRANSFORMS.load(kind).Config)


def _schedules(models: Mapping[str, type[BaseModel]]) -> Iterator[str]:
    """The keys that all schedules share, then the other keys of each."""
    shared = [
        name
        for name in next(iter(models.values())).model_fields
        if all(name in each.model_fields for each in models.values())
    ]
    names = " or ".join(f"`{each}`" for each in models)
    some = next(iter(models.values()))
    yield "### Every frequency\n"
    yield _keys(some, skip=tuple(set(some.model_fields) - set(shared))).replace(
        f"`{next(iter(models))}` |", f"{names} |", 1
    )
    for frequency, model in models.items():
        yield f"### `{frequency}`\n"
        yield _keys(model, skip=tuple(shared))


def _keys(
    model: type[BaseModel],
    skip: tuple[str, ...] = (),
    closed: tuple[str, ...] = (),
    *,
    configurable: bool = False,
) -> str:
    """The table of a model's keys.

    Args:
        model: The model.
        skip: Keys that another table has.
        closed: Keys whose own keys another table has.
        configurable: A reference may replace numbers, booleans and fixed words as well.
    """
    schema = model.model_json_schema(by_alias=True)
    scope = _Scope(schema.get("$defs", {}), skip, closed, configurable)
    return table(HEADER, _rows(schema, scope, ""))


@dataclass(frozen=True)
class _Scope:
    """What the rows of one table share: the arguments of `_keys`, and the schema's definitions."""

    definitions: dict[str, Any]
    skip: tuple[str, ...]
    closed: tuple[str, ...]
    configurable: bool


def _rows(schema: dict[str, Any], scope: _Scope, prefix: str) -> Iterator[tuple[str, ...]]:
    """One row for each key, and below an object the rows of its own keys."""
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        if name in scope.skip:
            continue
        key = f"{prefix}.{name}" if prefix else name
        inner = _object(field, scope.definitions)
        about = field.get("description") or (inner or {}).get("description", "")
        default = "required" if name in required else _default(field)
        references = "by key" if _has_keys(field, scope) else _references(field, scope)
        yield f"`{key}`", _type(field, scope.definitions), default, cell(about), references
        if inner is not None and name not in scope.closed:
            yield from _rows(inner, scope, key)


def _has_keys(field: dict[str, Any], scope: _Scope) -> bool:
    return any(
        each.get("type") == "object" or each.get("items", {}).get("type") == "object"
        for each in _choices(field, scope.definitions)
    )


def _choices(field: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each schema that a value may have, with references resolved."""
    if "$ref" in field:
        yield from _choices(definitions[field["$ref"].rpartition("/")[2]], definitions)
    elif "anyOf" in field or "oneOf" in field:
        for each in field.get("anyOf", field.get("oneOf", ())):
            yield from _choices(each, definitions)
    elif field.get("type") != "null":
        yield field


def _object(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of an object with keys of its own, where the value can be one."""
    return next((each for each in _choices(field, definitions) if "properties" in each), None)


def _type(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{each}`" for each in field["enum"])
    return " or ".join(dict.fromkeys(_word(each, definitions) for each in _choices(field, definitions)))


def _word(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        inner = _type(schema["items"], definitions).replace(" or ", "/") if "items" in schema else "value"
        return f"list of {inner if ' ' in inner or '`' in inner else inner + 's'}"
    if "properties" in schema:
        return "object"
    words = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "object": "object"}
    return words.get(str(schema.get("type")), "any") + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and high < 2**31 - 1:
        return f" from {low} to {high}"
    return f", at least {low}" if low else ""


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if value is None or value in ("", []) or isinstance(value, dict):
        return "none"
    if isinstance(value, list):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _references(field: dict[str, Any], scope: _Scope) -> str:
    """Which of the four classes of references a value belongs to."""
    schemas = [field, *_choices(field, scope.definitions)]
    schemas += [each["items"] for each in schemas if isinstance(each.get("items"), dict)]
    markers = {name for each in schemas for name in (SECRET, CONNECTION, LITERAL) if each.get(name)}
    if SECRET in markers:
        return "secret"
    if CONNECTION in markers:
        return "address"
    is_text = any(each.get("type") == "string" and not {"enum", "const"} & set(each) for each in schemas)
    return "value" if LITERAL not in markers and (is_text or scope.configurable) else "none"
