"""What is said of a wrong key or a wrong value: what is allowed, and what to do."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import Any

LATER = {
    "extra_fields", "include_content", "metrics_bucket", "max_file_size", "day", "minute",
    "expression", "start_date", "catchup", "missed_windows", "offloaded",
}  # fmt: skip
"""Keys of the contract's list that this version doesn't know yet."""

_REFUSED = {"password_command": "no command is run to find a password: write ${NAME}, or use an Airflow connection"}
_HINTS = {"<<": "YAML 1.2 has no merge keys: what several exports share stands in log_exports.defaults."}
_LATER_SCHEDULES = ("weekly", "monthly", "hourly", "cron")
_LONGEST = 80
_LONGEST_KEY = 200
"""Characters of a key that is worth comparing with others."""

_QUOTED = re.compile(r"'([^']*)'")
_ALLOWED = {"too_short": "a list of at least {min_length}", "string_too_short": "a text that is not empty"}
_ALLOWED |= {"bool_type": "true or false", "list_type": "a list", "tuple_type": "a list", "dict_type": "an object"}


def of_wrong_key(key: str, known: list[str]) -> tuple[str, str | None, str | None]:
    """Message, what is allowed, and a hint, for a key that an object may not have.

    Args:
        key: The key.
        known: The keys that the object may have.
    """
    allowed = ", ".join(known) or None
    if key in _REFUSED:
        return f"the key {key!r} is not supported: {_REFUSED[key]}", allowed, None
    if key in LATER:
        return f"the key {key!r} comes with a later version", allowed, "Leave it out."
    return f"unknown key {brief(key, key)}", allowed, _HINTS.get(key) or nearest(key, known)


def nearest(word: str, known: list[str]) -> str | None:
    """The hint that names the known word that is meant, or None where none is near."""
    near = get_close_matches(word.lower(), known, n=1) if len(word) <= _LONGEST_KEY else []
    return f"Did you mean {near[0]!r}?" if near else None


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
    if name in ("frequency", "schedule") and found in _LATER_SCHEDULES:
        return allowed, f"{str(found).capitalize()} schedules come with a later version."
    if kind in ("literal_error", "enum"):
        return allowed, nearest(str(found), _QUOTED.findall(allowed))
    return allowed, _in_other_words(kind, found)


def _in_other_words(kind: str, found: Any) -> str | None:
    """How a value of the wrong type that is nearly right is to be written."""
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


def brief(told: Any, found: Any) -> str:
    """A value in a message.

    Args:
        told: What may be told of it.
        found: The value itself, of which only the kind is told when that is None.
    """
    if told is None and found is not None:
        kind = "an object" if isinstance(found, dict) else "a list" if found else "an empty list"
        return kind if isinstance(found, dict | list) else "not of the right kind"
    text = json.dumps(told, ensure_ascii=False) if not isinstance(told, str) else repr(told)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
