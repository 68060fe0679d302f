"""The rows of a PostgreSQL log store for the independent reading: through `psql` and COPY's text, not through Arrow."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.independent import NAMES

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
REALS = ("latency", "cost")
TIMES = ("timestamp", "created_at")
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def log_rows(psql: Callable[[str], str]) -> list[dict[str, Any]]:
    """Every row of a `logs` with all columns, texts as bytes.

    Args:
        psql: Runs SQL and gives what `psql` prints.
    """
    names = ", ".join(f'"{name}"' for name in NAMES)
    found = psql(f"SET TimeZone = 'UTC'; SET DateStyle = ISO; COPY (SELECT {names} FROM logs) TO STDOUT")
    lines = [line.split("\t") for line in found.split("\n") if line]
    return [{name: value(text, name) for text, name in zip(line, NAMES, strict=True)} for line in lines]


def value(text: str, name: str) -> Any:
    """One field of it, as Python has it."""
    if text == r"\N":
        return None
    if name in COUNTS:
        return int(text)
    if name in REALS:
        return float(text)
    if name in TIMES:
        return f"{text}:00".encode()  # an offset of whole hours is written without minutes
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), text, flags=re.DOTALL).encode()
