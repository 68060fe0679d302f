"""The columns that travel beside a dataset's own between the steps of a run, and are never exported."""

from __future__ import annotations

from typing import Final

from bifrost_export.columns import Column, ColumnType

HIDDEN: Final = ":"
"""How their names begin."""


ODDITIES: Final = ":oddities"
"""What is odd in a row that is exported all the same, as `logstore.oddities.Oddity` writes it; null in most rows."""


MEASURED: Final = {
    "latency_ms": ":latency_ms",
    "input_tokens": ":input_tokens",
    "output_tokens": ":output_tokens",
}
"""Column of the record -> what was measured, where the record can't show it: null for an unknown latency, of which the
record says 0, and token counts beyond 32 bits, of which it says null."""


def is_hidden(name: str) -> bool:
    """Return whether a column is one of these."""
    return name.startswith(HIDDEN)


ODDITIES_COLUMN: Final = Column(ODDITIES, "string", False, "What is odd in the row; null in most.")

_TYPES: Final[dict[str, ColumnType]] = {"latency_ms": "int32", "input_tokens": "int64", "output_tokens": "int64"}

TWINS: Final = {
    name: Column(hidden, _TYPES[name], False, f"`{name}` as it was measured; null when unknown.")
    for name, hidden in MEASURED.items()
}
"""Column of the record -> the one that holds what was measured."""
