"""What is said of a wrong key or a wrong value: what is allowed, and what to do."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

LATER = {
    "defaults", "airflow", "extra_fields", "include_content", "metrics_bucket", "max_file_size", "day", "minute",
    "expression", "start_date", "catchup", "missed_windows", "offloaded",
}  # fmt: skip
"""Keys of the contract's list that this version doesn't know yet."""

_REFUSED = {"password_command": "no command is run to find a password: write ${NAME}, or use an Airflow connection"}
_LATER_SCHEDULES = ("daily", "weekly", "monthly", "hourly", "cron")
_SHORT = "The short form comes with a later version: write it as an object."
_LONGEST = 80


def of_wrong_key(key: str, known: list[str]) -> tuple[str, str | None, str | None]:
    """Message, what is allowed, and a hint, for a key that an object may not have.

    Args:
        key: The key.
        known: The keys that the object may have.
    """
    if key in _REFUSED:
        return f"the key {key!r} is not supported: {_REFUSED[key]}", ", ".join(known) or None, None
    if key in LATER:
        return f"the key {key!r} comes with a later version", ", ".join(known) or None, "Leave it out."
    near = get_close_matches(key.lower(), known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else None
    return f"unknown key {brief(key, key)}", ", ".join(known) or None, hint


def of_value(name: str, found: Any, error: dict[str, Any]) -> tuple[str, str | None]:
    """What is allowed, and a hint, for a value that pydantic refuses.

    Args:
        name: The key that holds the value.
        found: The value.
        error: Pydantic's.
    """
    allowed = str(error["msg"]).removeprefix("Input should be ")
    least = error.get("ctx", {}).get("min_length")
    if error["type"] == "too_short":
        allowed = f"a list of at least {least}"
    elif error["type"] == "string_too_short":
        allowed = "a text that is not empty"
    if name == "frequency" and found in _LATER_SCHEDULES[1:]:
        return allowed, f"{str(found).capitalize()} schedules come with a later version."
    if name in ("schedule", "destination") and isinstance(found, str):
        return allowed, _SHORT
    return allowed, None


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
