"""What is said of a wrong key or a wrong value: what is allowed, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from bifrost_export.fields.suggestions import brief, nearest
from bifrost_export.schedules.kinds import FREQUENCIES

_REFUSED = {"password_command": "no command is run to find a password: write ${NAME}, or use an Airflow connection"}
_HINTS = {"<<": "YAML 1.2 has no merge keys: what several exports share stands in log_exports.defaults."}

_QUOTED = re.compile(r"'([^']*)'")
_ALLOWED = {"too_short": "a list of at least {min_length}", "string_too_short": "a text that is not empty"}
_ALLOWED |= {"string_too_long": "a text of at most {max_length} characters"}
_ALLOWED |= {"bool_type": "true or false", "list_type": "a list", "tuple_type": "a list", "dict_type": "an object"}
_WORD_OR_OBJECT = {"date_range": 'a word such as "last_24_hours", or an object with start and end'}


def name_of(steps: list[str]) -> str:
    """What a value is called whose pointer has these steps: its key, or an entry of the list under that key."""
    keys = [step for step in steps if not step.isdecimal()]
    if not keys:
        return "the document"
    return keys[-1] if keys[-1] == steps[-1] else f"an entry of {keys[-1]}"


def of_wrong_key(
    key: str, known: list[str], beside: Sequence[str] = (), *, is_explained: bool = True
) -> tuple[str, str | None, str | None]:
    """Message, what is allowed, and a hint, for a key that an object may not have.

    Args:
        key: The key.
        known: The keys that the object may have.
        beside: Keys that it may have in some cases.
        is_explained: Whether to look for the key that is meant.
    """
    allowed = ", ".join(known) or None
    if key in _REFUSED:
        return f"the key {key!r} is not supported: {_REFUSED[key]}", allowed, None
    near = nearest(key, [*known, *beside]) if is_explained else None
    return f"unknown key {brief(key, key)}", allowed, _HINTS.get(key) or near


def of_others_key(key: str, others: Sequence[str], own: str) -> str:
    """Message for a key that other kinds of schedules know.

    Args:
        key: The key.
        others: The frequencies that know it, at least one.
        own: The frequency that stands there.
    """
    *former, last = others
    told = f"{', '.join(former)} and {last}" if former else last
    return f"the key {key!r} belongs to {told} schedules, and this one is {own}"


def of_missing_key(key: str, description: str | None) -> str:
    """The hint for a key that has to be there, such as `Add "bucket": the bucket; it must exist`.

    Args:
        key: The key.
        description: What it is for, as a sentence.
    """
    if not description:
        return f'Add "{key}".'
    begins = description[:1] if description[1:2].isupper() else description[:1].lower()
    return f'Add "{key}": {begins}{description[1:].removesuffix(".")}.'


def of_value(name: str, found: Any, error: dict[str, Any]) -> tuple[str, str | None]:
    """What is allowed, and a hint, for a value that pydantic refuses.

    Args:
        name: The key that holds the value.
        found: The value.
        error: Pydantic's.
    """
    kind, context = error["type"], error.get("ctx", {})
    allowed = str(error["msg"]).removeprefix("Input should be ")
    if kind in _ALLOWED:
        allowed = _ALLOWED[kind].format(**context)
        allowed = allowed.replace("a list of", "an object of") if isinstance(found, dict) else allowed
    if kind == "model_type" and name in _WORD_OR_OBJECT:
        allowed = _WORD_OR_OBJECT[name]
    if name in ("frequency", "schedule") and kind == "literal_error":
        allowed = ", ".join(map(repr, FREQUENCIES))
    if name == "export" and isinstance(found, list):
        return allowed, 'Several exports stand in {"log_exports": {"exports": [...]}}.'
    if isinstance(found, str) and found.startswith(("${", "env.")):
        return allowed, "No reference may stand here: write the value itself."
    if kind in ("literal_error", "enum"):
        return allowed, nearest(str(found), _QUOTED.findall(allowed))
    return allowed, in_other_words(kind, found)


def in_other_words(kind: str, found: Any) -> str | None:
    """How a value of the wrong type that is nearly right is to be written.

    Args:
        kind: Pydantic's word for what is wrong.
        found: The value.
    """
    if kind == "string_type" and isinstance(found, int | float):
        return f'Write it in quotes: "{json.dumps(found)}".'
    if kind == "int_type" and isinstance(found, str) and re.fullmatch(r"-?[0-9]{1,18}", found):
        return f"Write it without quotes: {found}."
    if kind == "bool_type" and str(found).lower() in ("true", "false", "yes", "no", "on", "off", "1", "0"):
        meant = str(found).lower() in ("true", "yes", "on", "1")
        return f"Write it without quotes: {json.dumps(meant)}."
    if kind in ("list_type", "tuple_type") and isinstance(found, str):
        return "Write it in brackets, also when it is one alone."
    return None
