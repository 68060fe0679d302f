"""Text in Markdown: what Airflow's pages show of a value is the value, whatever characters it has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~!&$^]")


def code(value: Any) -> str:
    """A value in the type of code, which it can't break out of."""
    return f"`{flat(str(value)).replace('`', chr(39))}`"


def codes(values: Iterable[Any]) -> str:
    """Values in the type of code, with commas."""
    return ", ".join(code(value) for value in values)


def plain(text: str) -> str:
    """Text in which no character is a mark."""
    return _MARKS.sub(r"\\\g<0>", flat(text))


def flat(text: str) -> str:
    """Text in one line."""
    return " ".join(text.split())


def sentence(text: str) -> str:
    """Text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
