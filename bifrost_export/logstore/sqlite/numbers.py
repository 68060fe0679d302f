"""Numbers of SQLite as SQL: any value can stand in any column, and only those of the column's kind are given."""

from __future__ import annotations


def is_whole_real(value: str) -> str:
    """Return whether a value is a float without a fraction, and within 64 bits, as SQL; never null."""
    return f"(typeof({value}) = 'real' AND {value} = CAST({value} AS INTEGER))"


def usual(value: str, *, is_real: bool) -> str:
    """Return whether a value is a number of a column's kind, as SQL.

    Args:
        value: The value, as SQL.
        is_real: Whether the column's numbers may have a fraction.
    """
    if is_real:
        return f"typeof({value}) IN ('integer', 'real')"
    return f"(typeof({value}) = 'integer' OR {is_whole_real(value)})"


def number(value: str, *, is_real: bool) -> str:
    """Return a number of a column's kind as SQL; null where the value is none. Arguments are those of `usual`."""
    if is_real:
        return f"CASE WHEN {usual(value, is_real=True)} THEN CAST({value} AS REAL) END"
    return (
        f"CASE WHEN typeof({value}) = 'integer' THEN {value}"
        f" WHEN {is_whole_real(value)} THEN CAST({value} AS INTEGER) END"
    )
