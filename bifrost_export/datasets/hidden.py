"""The columns that travel beside a dataset's own between the steps of a run, and are never exported."""

from __future__ import annotations

from typing import Final

from bifrost_export.config.hidden_columns import MEASURED, ODDITIES
from bifrost_export.datasets.columns import Column, ColumnType

ODDITIES_COLUMN: Final = Column(ODDITIES, "string", False, "What is odd in the row; null in most.")

_TYPES: Final[dict[str, ColumnType]] = {"latency_ms": "int32", "input_tokens": "int64", "output_tokens": "int64"}

TWINS: Final = {
    name: Column(hidden, _TYPES[name], False, f"`{name}` as it was measured; null when unknown.")
    for name, hidden in MEASURED.items()
}
"""Column of the record -> the one that holds what was measured."""
