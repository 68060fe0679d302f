"""Columns of `logs` that are exported under their own name, mapped to what a dataset wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.config.log_columns import TOOL_COLUMNS, is_log_column
from bifrost_export.logstore.rejecting import Faults, whole_text
from bifrost_export.logstore.rows import ODD, PREFIX, odd_shape

if TYPE_CHECKING:
    from collections.abc import Callable


def extra_fields(schema: pa.Schema) -> list[pa.Field]:
    """The fields of a schema that are columns of `logs`, or of `mcp_tool_logs`."""
    return [field for field in schema if field.name in TOOL_COLUMNS or is_log_column(field.name)]


def map_extra(
    rows: pa.RecordBatch, schema: pa.Schema, faults: Faults, instants: Callable[[pa.Array], pa.Array]
) -> dict[str, pa.Array]:
    """Map the extra columns of rows.

    Args:
        rows: As a log store gives them.
        schema: What is wanted.
        faults: Gets the rows whose value is none of its column's type.
        instants: Reads texts as microseconds since 1970 UTC; null where it can't.
    """
    return {field.name: _mapped(rows, field, faults, instants) for field in extra_fields(schema)}


def _mapped(
    rows: pa.RecordBatch, field: pa.Field, faults: Faults, instants: Callable[[pa.Array], pa.Array]
) -> pa.Array:
    source = PREFIX + field.name
    column = rows.column(source)
    _add_odd(field.name, rows.column(ODD), faults, source)
    if pa.types.is_string(field.type) or pa.types.is_string(column.type):
        text = whole_text(column)
        faults.add(field.name, text.broken, source, "is no valid UTF-8")
        column = text.values
    if pa.types.is_timestamp(field.type) and pa.types.is_string(column.type):
        moments = instants(column)
        unread = pc.and_(column.is_valid(), moments.is_null())
        faults.add(field.name, unread, source, "can't be read as a time")
        column = moments
    if pa.types.is_floating(field.type):
        faults.add(field.name, pc.invert(pc.fill_null(pc.is_finite(column), True)), source, "is not finite")
    return column.cast(field.type)


def _add_odd(name: str, odd: pa.Array, faults: Faults, source: str) -> None:
    if odd.null_count < len(odd):
        wrong = pa.array([odd_shape(text, source) is not None for text in odd.to_pylist()], pa.bool_())
        faults.add(name, wrong, source, "is no value of the column's type")
