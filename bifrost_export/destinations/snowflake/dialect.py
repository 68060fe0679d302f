"""Snowflake's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from bifrost_export.destinations.warehouse.dialect import Dialect
from bifrost_export.destinations.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bifrost_export.destinations.warehouse.tables import Column, Table

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class SnowflakeDialect(Dialect):
    """Plain words are in upper case, as Snowflake's own SQL keeps them; times are instants; JSON is VARIANT."""

    types: ClassVar[Mapping[str, str]] = {
        "timestamp": "TIMESTAMP_TZ",
        "string": "VARCHAR",
        "int32": "NUMBER(38, 0)",
        "int64": "NUMBER(38, 0)",
        "double": "FLOAT",
        "bool": "BOOLEAN",
        "date": "DATE",
        "json": "VARIANT",
    }
    staged_types: ClassVar[Mapping[str, str]] = {"json": "VARCHAR"}
    accepted: ClassVar[Mapping[str, frozenset[str]]] = {
        "timestamp": frozenset({"TIMESTAMP_TZ", "TIMESTAMP_LTZ"}),
        "string": frozenset({"TEXT", "VARCHAR"}),
        "int32": frozenset({"NUMBER", "NUMBER(10)"}),
        "int64": frozenset({"NUMBER"}),
        "double": frozenset({"FLOAT"}),
        "bool": frozenset({"BOOLEAN"}),
        "date": frozenset({"DATE"}),
        "json": frozenset({"VARIANT"}),
    }

    longest: ClassVar[int | None] = 16_777_216

    def fold(self, name: str) -> str:
        """A plain word in upper case; another name as it is."""
        return name.upper() if _PLAIN.fullmatch(name) else name

    def define(self, column: Column) -> str:
        """A column with its comment."""
        return f"{super().define(column)} COMMENT {self.literal(column.description)}"

    def literal(self, text: str) -> str:
        """A text as a literal, in which a backslash stands for itself."""
        return super().literal(text.replace("\\", "\\\\"))

    def create(self, table: Table) -> Iterator[Statement]:
        """Make it; Snowflake lays rows out in the order in which they come."""
        columns = ", ".join(self.define(column) for column in table.columns)
        comment = self.literal(table.description)
        yield Statement(f"CREATE TABLE IF NOT EXISTS {self.table(table.name)} ({columns}) COMMENT = {comment}")

    def add(self, table: Table, column: Column) -> Iterator[Statement]:
        """Add a column with its comment."""
        definition = f"{self.quote(column.name)} {self.type_of(column)} COMMENT {self.literal(column.description)}"
        yield Statement(f"ALTER TABLE {self.table(table.name)} ADD COLUMN IF NOT EXISTS {definition}")

    def unstaged(self, column: Column) -> str:
        """A staged column, as what a table's column takes."""
        return f"PARSE_JSON({self.quote(column.name)})" if column.type == "json" else self.quote(column.name)
