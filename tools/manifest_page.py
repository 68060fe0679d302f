"""Generate the reference of the manifest from its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.markdown import cell, table

SCHEMA = Path(__file__).parents[1] / "include" / "manifest.schema.json"
INTRODUCTION = """\
# Manifest reference

Every field of a manifest, the JSON file that lists the parts of a published window. This page is generated from
`include/manifest.schema.json` (`make reference`), which `bifrost-export schema --manifest` prints too.
[Published files](../published.md) explains how to read it.

## Manifest

"""


def page() -> str:
    """Return the page as Markdown."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    return INTRODUCTION + _fields(schema) + "\n" + "\n".join(_sections(schema["$defs"]))


def _sections(definitions: dict[str, Any]) -> Iterator[str]:
    for name, definition in definitions.items():
        yield f"## {name}\n\n{definition.get('description', '')}\n"
        yield _fields(definition)


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = (
        (f"`{name}`", _type(field), "yes" if name in required else "no", cell(field.get("description", "")))
        for name, field in schema["properties"].items()
    )
    return table(("field", "type", "always present", "description"), rows)


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    inner = field.get("additionalProperties")
    return f"object of {_type(inner)}" if isinstance(inner, dict) else str(field.get("type", "any"))
