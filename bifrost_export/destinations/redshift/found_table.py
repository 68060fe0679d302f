"""What Redshift says of a table, as the commit compares it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bifrost_export.destinations.warehouse.dialect import FoundColumn
from bifrost_export.destinations.warehouse.engine import TABLE, FoundTable

COLUMNS = (
    "SELECT column_name, data_type, is_nullable, column_default FROM svv_columns"
    " WHERE table_schema = :schema AND table_name = :name"
)
"""The columns of whatever has a name: a table, a view, or a table outside Redshift."""
TYPES = (
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod),"
    " CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'"
    " WHEN 'f' THEN 'external table' ELSE 'relation that is not a table' END"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE n.nspname = :schema AND c.relname = :name AND a.attnum > 0 AND NOT a.attisdropped"
)
"""Their types with lengths, and what has the name; of a table outside Redshift nothing is found here."""
_SIZE = re.compile(r"\((\d+)\)")


def describe(columns: Sequence[tuple[Any, ...]], types: Sequence[tuple[Any, ...]]) -> FoundTable:
    """Describe a table.

    Args:
        columns: The rows of `COLUMNS`, at least one.
        types: The rows of `TYPES`.
    """
    sizes = {name: int(match[1]) for name, type_, _ in types if (match := _SIZE.search(str(type_)))}
    found = {}
    for name, type_, nullable, default in columns:
        kind, size = str(type_).upper(), sizes.get(name)
        is_text, is_time = kind.startswith(("CHARACTER", "VARCHAR", "TEXT")), kind.startswith("TIME")
        found[name] = FoundColumn(
            name,
            kind,
            nullable == "YES",
            default is not None,
            length=size if is_text else None,
            digits=size if is_time else None,
        )
    kind = str(types[0][2]) if types else "table outside Redshift"
    return FoundTable(TABLE if kind == "table" else kind, found)
