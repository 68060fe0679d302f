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


def log_rows(psql: Callable[[str], str], table: str = "logs") -> list[dict[str, Any]]:
    """Every row of `logs`, texts as bytes, None for the columns that this table lacks.

    Args:
        psql: Runs SQL and gives what `psql` prints.
        table: The table, maybe with its schema.
    """
    columns = f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0"
    present = psql(f"{columns} AND NOT attisdropped").splitlines()
    wanted = [name for name in NAMES if name in present]
    names = ", ".join(f'"{name}"' for name in wanted)
    found = psql(f"SET TimeZone = 'UTC'; SET DateStyle = ISO; COPY (SELECT {names} FROM {table}) TO STDOUT")
    lines = [line for line in found.split("\n") if line]
    return [dict.fromkeys(NAMES) | dict(zip(wanted, values(line, wanted), strict=True)) for line in lines]


def values(line: str, names: list[str]) -> list[Any]:
    """What one line of COPY's text format holds."""
    return [value(text, name) for text, name in zip(line.split("\t"), names, strict=True)]


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
