"""A text cut to what Redshift's longest VARCHAR takes: between two characters, and JSON stays JSON."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

MOST_BYTES = 65_535


def shorten(text: str, most: int = MOST_BYTES) -> str:
    """Cut a text to so many bytes of UTF-8.

    A JSON object or array keeps its shape: its longest strings are cut, all to the same length. Any other text, and
    one whose strings are not what makes it long, is cut at its end.

    Args:
        text: The text.
        most: The bytes that it may have.
    """
    if text[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            if (short := _shorten_json(json.loads(text), most)) is not None:
                return short
    return _cut(text, most)


def _cut(text: str, most: int) -> str:
    """The first characters that have no more than so many bytes."""
    return text.encode("utf-8", "surrogatepass")[:most].decode("utf-8", "ignore")


def _shorten_json(read: Any, most: int) -> str | None:
    """Write a value with strings as long as fit; None where even empty ones don't."""
    found = _written(read, 0)
    if len(found.encode()) > most:
        return None
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        written = _written(read, middle)
        if len(written.encode()) <= most:
            low, found = middle, written
        else:
            high = middle - 1
    return found


def _written(value: Any, most: int) -> str:
    """A value as JSON, its strings cut to so many bytes."""
    return json.dumps(_with_strings_cut(value, most), ensure_ascii=False, separators=(",", ":"))


def _with_strings_cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return _cut(value, most)
    if isinstance(value, dict):
        return {key: _with_strings_cut(each, most) for key, each in value.items()}
    return [_with_strings_cut(each, most) for each in value] if isinstance(value, list) else value
