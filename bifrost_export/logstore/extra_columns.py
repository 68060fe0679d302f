"""Columns of `logs` that are exported under their own name, mapped to what a dataset wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.logstore.columns import TOOL_COLUMNS, is_log_column
from bifrost_export.logstore.oddities import Odd
from bifrost_export.logstore.repair import whole_text
from bifrost_export.logstore.rows import ODD, PREFIX, odd_shape

if TYPE_CHECKING:
    from collections.abc import Callable


def extra_fields(schema: pa.Schema) -> list[pa.Field]:
    """The fields of a schema that are columns of `logs`, or of `mcp_tool_logs`."""
    return [field for field in schema if field.name in TOOL_COLUMNS or is_log_column(field.name)]


def map_extra(
    rows: pa.RecordBatch, schema: pa.Schema, odd: Odd, instants: Callable[[pa.Array], pa.Array]
) -> dict[str, pa.Array]:
    """Map the extra columns of rows.

    Args:
        rows: As a log store gives them.
        schema: What is wanted.
        odd: Gets the rows whose value is not of its column's type, or is repaired.
        instants: Reads texts as microseconds since 1970 UTC; null where it can't.
    """
    return {field.name: _mapped(rows, field, odd, instants) for field in extra_fields(schema)}


def _mapped(rows: pa.RecordBatch, field: pa.Field, odd: Odd, instants: Callable[[pa.Array], pa.Array]) -> pa.Array:
    source = PREFIX + field.name
    column = rows.column(source)
    _add_odd(field.name, rows.column(ODD), odd, source)
    if pa.types.is_string(field.type) or pa.types.is_string(column.type):
        text = whole_text(column)
        odd.repair(field.name, text.broken if pa.types.is_string(field.type) else None)
        column = text.values
    if pa.types.is_timestamp(field.type) and pa.types.is_string(column.type):
        moments = instants(column)
        unread = pc.and_(column.is_valid(), moments.is_null())
        odd.blanks.add(field.name, unread, source, "can't be read as a time")
        column = moments
    if pa.types.is_floating(field.type):
        finite = pc.is_finite(column)
        if not pc.all(finite, min_count=0).as_py():
            odd.blanks.add(field.name, pc.invert(finite), source, "is not finite")
            column = pc.if_else(finite, column, pa.scalar(None, column.type))
    return column.cast(field.type)


def _add_odd(name: str, told: pa.Array, odd: Odd, source: str) -> None:
    if told.null_count < len(told):
        wrong = pa.array([odd_shape(text, source) is not None for text in told.to_pylist()], pa.bool_())
        odd.blanks.add(name, wrong, source, "is not a value of the column's type")
