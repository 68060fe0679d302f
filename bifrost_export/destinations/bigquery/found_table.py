"""What BigQuery says of a table, as the commit compares it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bifrost_export.destinations.warehouse.dialect import FoundColumn
from bifrost_export.destinations.warehouse.engine import TABLE, FoundTable

_KINDS = {
    "TABLE": TABLE,
    "VIEW": "view",
    "MATERIALIZED_VIEW": "materialized view",
    "EXTERNAL": "external table",
    "SNAPSHOT": "table snapshot",
}
_FILTERED_BY = ("timestamp", "_window_start", "_window_end")
"""The columns that every statement on a data table bounds."""


def describe(found: Any) -> FoundTable:
    """Describe a table.

    Args:
        found: As the client describes it.
    """
    columns = {
        field.name.lower(): FoundColumn(
            field.name,
            field.field_type.upper() if field.mode != "REPEATED" else f"ARRAY<{field.field_type}>",
            field.mode != "REQUIRED",
            field.default_value_expression is not None,
            length=field.max_length,
        )
        for field in found.schema
    }
    kind = str(found.table_type or "TABLE").upper()
    return FoundTable(_KINDS.get(kind, kind.lower()), columns, tuple(_problems(found)))


def _problems(found: Any) -> Iterator[str]:
    parts = found._properties.get("timePartitioning") or {}
    column = parts.get("field")
    # Two keys of the API say the same; the client warns of the older one.
    is_required = found.require_partition_filter or parts.get("requirePartitionFilter")
    if is_required and str(column).lower() not in _FILTERED_BY:
        yield (
            f"it requires a filter on its partition column {column or '_PARTITIONTIME'}, and statements of exports"
            f" filter by {', '.join(_FILTERED_BY)}"
        )
