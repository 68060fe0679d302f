"""Amazon Redshift's SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from bifrost_export.destinations.warehouse.dialect import Dialect
from bifrost_export.destinations.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bifrost_export.destinations.warehouse.dialect import FoundColumn
    from bifrost_export.destinations.warehouse.tables import Column, Table

_TEXTS = frozenset({"CHARACTER VARYING", "TEXT", "VARCHAR"})
_INSTANTS = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"})


class RedshiftDialect(Dialect):
    """Names are in lower case, as Redshift keeps them; times are instants; JSON is SUPER."""

    types: ClassVar[Mapping[str, str]] = {
        "timestamp": "TIMESTAMPTZ",
        "string": "VARCHAR(65535)",
        "int32": "INTEGER",
        "int64": "BIGINT",
        "double": "DOUBLE PRECISION",
        "bool": "BOOLEAN",
        "date": "DATE",
        "json": "SUPER",
    }
    # COPY reads no zone from Parquet: what it reads is in UTC, and becomes an instant on its way into the table.
    staged_types: ClassVar[Mapping[str, str]] = {"timestamp": "TIMESTAMP", "json": "VARCHAR(65535)"}
    accepted: ClassVar[Mapping[str, frozenset[str]]] = {
        "timestamp": _INSTANTS,
        "string": _TEXTS,
        "int32": frozenset({"INTEGER", "BIGINT"}),
        "int64": frozenset({"BIGINT"}),
        "double": frozenset({"DOUBLE PRECISION"}),
        "bool": frozenset({"BOOLEAN"}),
        "date": frozenset({"DATE"}),
        "json": frozenset({"SUPER"}),
    }

    longest: ClassVar[int | None] = 65_535
    relaxes: ClassVar[bool] = False

    def fold(self, name: str) -> str:
        """Redshift keeps every name in lower case, quoted or not."""
        return name.lower()

    def create(self, table: Table) -> Iterator[Statement]:
        """Make it, sorted by its instant."""
        columns = ", ".join(self.define(column) for column in table.columns)
        name = self.table(table.name)
        yield Statement(
            f"CREATE TABLE IF NOT EXISTS {name} ({columns}) DISTSTYLE AUTO SORTKEY ({self.quote(table.ordered_by)})"
        )
        yield Statement(f"COMMENT ON TABLE {name} IS {self.literal(table.description)}")
        for column in table.columns:
            yield self._comment(table, column)

    def add(self, table: Table, column: Column) -> Iterator[Statement]:
        """Add a column, and say what it is."""
        definition = f"{self.quote(column.name)} {self.type_of(column)}"
        yield Statement(f"ALTER TABLE {self.table(table.name)} ADD COLUMN {definition}")
        yield self._comment(table, column)

    def relax(self, name: str, column: FoundColumn) -> list[Statement]:
        """Copy the column into one that takes null: Redshift can't change it in place."""
        if not any(column.type in types for types in self.accepted.values()):
            return []
        table, there, new = self.table(name), self.kept(column.name), self.kept(f"{column.name}_nullable")
        kind = column.type if column.length is None else f"{column.type}({column.length})"
        statements = (
            f"ALTER TABLE {table} ADD COLUMN {new} {kind}",
            f"UPDATE {table} SET {new} = {there}",
            f"ALTER TABLE {table} DROP COLUMN {there}",
            f"ALTER TABLE {table} RENAME COLUMN {new} TO {there}",
        )
        return [Statement(each) for each in statements]

    def _comment(self, table: Table, column: Column) -> Statement:
        place = f"{self.table(table.name)}.{self.quote(column.name)}"
        return Statement(f"COMMENT ON COLUMN {place} IS {self.literal(column.description)}")

    def lock(self, table: Table, statement: Statement) -> Statement:
        """A lock on the whole table of loads: whoever publishes into this schema waits here, and conflicts nowhere."""
        return Statement(f"LOCK TABLE {self.table(table.name)}")

    def hold(self, name: str) -> Statement:
        """A deletion of no row: like every change it waits for whoever changes the table, and then keeps them out."""
        # LOCK would keep readers out, too; a timeout of the changes themselves would end those that take long.
        return Statement(f"DELETE FROM {self.table(name)} WHERE 1 = 0")

    def unstaged(self, column: Column) -> str:
        """A staged column, as what a table's column takes."""
        if column.type == "timestamp":
            return f"{self.quote(column.name)} AT TIME ZONE 'UTC'"
        if column.type == "json":
            return f"JSON_PARSE({self.quote(column.name)})"
        return self.quote(column.name)
