"""Columns that travel with the rows of a run and are never exported; no document can name one."""

from __future__ import annotations

from typing import Final

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
