"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def pointer_of(*steps: object) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def steps_of(pointer: str) -> list[str]:
    """The steps of a JSON pointer, as text."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def value_at(value: Any, steps: Sequence[str]) -> Any:
    """The value that the steps of a JSON pointer lead to, or None where nothing stands."""
    for step in steps:
        if isinstance(value, list) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return None
    return value


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) < 10
