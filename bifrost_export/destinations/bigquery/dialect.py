"""BigQuery's SQL (GoogleSQL)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bifrost_export.destinations.warehouse.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bifrost_export.destinations.warehouse.tables import Column


class BigQueryDialect(Dialect):
    """Names are kept as they are written; times are instants; JSON is JSON."""

    types: ClassVar[Mapping[str, str]] = {
        "timestamp": "TIMESTAMP",
        "string": "STRING",
        "int32": "INTEGER",
        "int64": "INTEGER",
        "double": "FLOAT",
        "bool": "BOOLEAN",
        "date": "DATE",
        "json": "JSON",
    }
    # A load job reads no JSON from Parquet: its text becomes JSON on the way into the table.
    staged_types: ClassVar[Mapping[str, str]] = {"json": "STRING"}
    accepted: ClassVar[Mapping[str, frozenset[str]]] = {
        "timestamp": frozenset({"TIMESTAMP"}),
        "string": frozenset({"STRING"}),
        "int32": frozenset({"INTEGER", "INT64"}),
        "int64": frozenset({"INTEGER", "INT64"}),
        "double": frozenset({"FLOAT", "FLOAT64"}),
        "bool": frozenset({"BOOLEAN", "BOOL"}),
        "date": frozenset({"DATE"}),
        "json": frozenset({"JSON"}),
    }

    def key(self, name: str) -> str:
        """Columns differ in more than case."""
        return name.lower()

    def quote(self, name: str) -> str:
        """A name between backticks."""
        return f"`{name}`"

    def kept(self, name: str) -> str:
        """A name between backticks."""
        return self.quote(name)

    def table(self, name: str) -> str:
        """Project, dataset and table between backticks."""
        return f"`{self.address(name)}`"

    def unstaged(self, column: Column) -> str:
        """A staged column, as what a table's column takes."""
        return f"PARSE_JSON({self.quote(column.name)})" if column.type == "json" else self.quote(column.name)
