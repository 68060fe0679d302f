"""Which keys a document must have, apart from which keys it may have.

An export takes over from `defaults` the keys that it lacks, at any depth. So each definition of the JSON Schema is
published once, with every key optional, and beside it, where some key is required, a second one that only names the
required keys. A complete object satisfies both, an incomplete one the first. No property is described twice.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_SUFFIX = "Required"
_CHOICES = ("anyOf", "oneOf")
_INNER = ("items", "additionalProperties", "then", "else")


def reference(name: str) -> Schema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def complete(schema: Schema, definitions: Schema) -> Schema:
    """Return a schema that also demands the keys that are required.

    They are joined by `allOf`, because editors replace what stands beside a `$ref`.

    Args:
        schema: With required keys, or with references to definitions that have some.
        definitions: As they are before `split`.
    """
    demanded = _demanded(schema, definitions)
    return {"allOf": [_optional(schema), demanded]} if demanded else schema


def split(definitions: Schema) -> Schema:
    """Return the definitions without required keys, and those that only name them.

    Args:
        definitions: By name; they are left as they are.
    """
    demanded = {f"{name}{_SUFFIX}": _demanded(each, definitions) for name, each in definitions.items()}
    optional = {name: _optional(each) for name, each in definitions.items()}
    return optional | {name: each for name, each in demanded.items() if each}


def _optional(schema: Any) -> Any:
    """A schema without its lists of required keys, except those of conditions."""
    if not isinstance(schema, dict):
        return schema
    made: Schema = {}
    for key, each in schema.items():
        if key == "properties":
            made[key] = {name: _optional(inner) for name, inner in each.items()}
        elif key in (*_CHOICES, "allOf"):
            made[key] = [inner for inner in map(_optional, each) if not _is_idle(inner)]
        elif key in _INNER:
            made[key] = _optional(each)
        elif key != "required":
            made[key] = each
    return {key: each for key, each in made.items() if (key, each) != ("allOf", [])}


def _is_idle(schema: Any) -> bool:
    """Whether it is a condition that nothing follows from."""
    return isinstance(schema, dict) and "if" in schema and not schema.get("then") and "else" not in schema


def _demanded(schema: Any, definitions: Schema) -> Schema:
    """Only the required keys of a schema; empty when it has none."""
    if not isinstance(schema, dict):
        return {}
    made: Schema = {}
    if "$ref" in schema:
        made |= _of_reference(schema["$ref"], definitions)
    if schema.get("required"):
        made["required"] = schema["required"]
    inner = {name: _demanded(each, definitions) for name, each in schema.get("properties", {}).items()}
    if any(inner.values()):
        # Editors offer every key of `properties`, so that these would be offered twice.
        made["patternProperties"] = {f"^{name}$": each for name, each in inner.items() if each}
    made |= {key: each for key in ("items", "then") if (each := _demanded(schema.get(key), definitions))}
    if "then" in made:
        made = {"if": schema["if"], **made}
    every = [found for each in schema.get("allOf", ()) if (found := _demanded(each, definitions))]
    return made | ({"allOf": every} if every else {}) | _of_choices(schema, definitions)


def _of_reference(target: str, definitions: Schema) -> Schema:
    name, *path = target.removeprefix("#/$defs/").split("/")
    found = definitions[name]
    for step in path:
        found = found[step]
    demanded = _demanded(found, definitions)
    return demanded if path or not demanded else reference(f"{name}{_SUFFIX}")


def _of_choices(schema: Schema, definitions: Schema) -> Schema:
    """The required keys of the one choice that has some, or of each by its constant key.

    They apply to objects alone: a word that may stand in place of an object has no keys to miss.
    """
    choices = [each for key in _CHOICES for each in schema.get(key, ())]
    found = [each for each in choices if _demanded(each, definitions)]
    if len(found) == 1:
        return _demanded(found[0], definitions)
    rules = [_by_constant(each, definitions) for each in found]
    return {"required": rules[0]["if"]["required"], "allOf": rules} if rules else {}


def _by_constant(choice: Schema, definitions: Schema) -> Schema:
    """What one of several referenced objects requires: the constant that one of its keys has tells which it is."""
    model = definitions[choice["$ref"].rpartition("/")[2]]
    key, constant = next((key, each["const"]) for key, each in model["properties"].items() if "const" in each)
    is_it = {"required": [key], "properties": {key: {"const": constant}}}
    return {"if": is_it, "then": _demanded(choice, definitions)}
