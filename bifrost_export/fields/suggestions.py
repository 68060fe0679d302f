"""Suggest the known word that is nearest, and shorten values for messages."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

_LONGEST = 80


_LONGEST_KEY = 200
"""Characters of a key that is worth comparing with others."""


def nearest(word: str, known: list[str]) -> str | None:
    """The hint that names the known word that is meant, or None where none is near."""
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_lower, n=1) if len(word) <= _LONGEST_KEY else []
    return f"Did you mean {by_lower[near[0]]!r}?" if near else None


def brief(told: Any, found: Any) -> str:
    """A value in a message.

    Args:
        told: What may be told of it.
        found: The value itself, of which only the kind is told when that is None.
    """
    if told is None and found is not None:
        kind = "object" if isinstance(found, dict) else "list"
        told = f"an empty {kind}" if not found else f"{'an' if kind == 'object' else 'a'} {kind}"
        return told if isinstance(found, dict | list) else "not of the right kind"
    text = json.dumps(told, ensure_ascii=False) if not isinstance(told, str) else repr(told)
    return shortened(text, _LONGEST)


def shortened(text: str, most: int = 1000) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
