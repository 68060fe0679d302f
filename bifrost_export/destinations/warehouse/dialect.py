"""How one warehouse writes SQL: quoting, types, tables, comments. Only what differs between warehouses stands here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bifrost_export.destinations.warehouse.statements import Statement
from bifrost_export.errors import DestinationError

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.tables import Column, Table

MICROSECONDS = 6
"""The digits after a second that every time of a row has."""


class Dialect:
    """The SQL of one warehouse.

    Class attributes: `types` names a column's type in a table, `staged_types` those that differ in the temporary table
    that files are read into, `accepted` the types of a table that somebody else has made which hold the same values,
    `longest` the length that a column of texts needs to hold every text that the warehouse takes (None: no length),
    `relaxes` whether a column that takes no null can be changed where it is.

    Args:
        schema: Names that stand before a table's, outermost first.
    """

    types: ClassVar[Mapping[str, str]]
    staged_types: ClassVar[Mapping[str, str]] = {}
    accepted: ClassVar[Mapping[str, frozenset[str]]]
    longest: ClassVar[int | None] = None
    relaxes: ClassVar[bool] = True

    def __init__(self, schema: tuple[str, ...]) -> None:
        self.schema = schema

    def fold(self, name: str) -> str:
        """A name as the warehouse keeps it when nobody quotes it."""
        return name

    def key(self, name: str) -> str:
        """What a column's name is compared by."""
        return self.fold(name)

    def quote(self, name: str) -> str:
        """A name, quoted."""
        return f'"{self.fold(name)}"'

    def table(self, name: str) -> str:
        """A table with its schema, quoted."""
        return ".".join(self.quote(each) for each in (*self.schema, name))

    def address(self, name: str) -> str:
        """A table with its schema, for people."""
        return ".".join(self.fold(each) for each in (*self.schema, name))

    def type_of(self, column: Column, *, is_staged: bool = False) -> str:
        """A column's type in the warehouse.

        Raises:
            DestinationError: The column is of a type that no table of this warehouse holds.
        """
        known = {**self.types, **(self.staged_types if is_staged else {})}
        if column.type not in known:
            raise DestinationError(
                f"the column {column.name!r} is of the type {column.type}, which has no place in a table",
                allowed=", ".join(sorted(known)),
            )
        return known[column.type]

    def too_narrow(self, column: Column, found: FoundColumn) -> str | None:
        """What a column of the right type is that can't hold every value, or None for one that can."""
        if column.type == "string" and found.length is not None and found.length < (self.longest or math.inf):
            return f"{found.type}({found.length})"
        if column.type == "timestamp" and found.digits is not None and found.digits < MICROSECONDS:
            return f"{found.type}({found.digits})"
        return None

    def literal(self, text: str) -> str:
        """A text of ours, such as a comment, as a literal."""
        return "'" + text.replace("'", "''") + "'"

    def define(self, column: Column) -> str:
        """A column in `CREATE TABLE`."""
        return f"{self.quote(column.name)} {self.type_of(column)}{' NOT NULL' if column.required else ''}"

    def create(self, table: Table) -> Iterable[Statement]:
        """Make a table where there is none, with comments."""
        raise TypeError(f"{type(self).__name__} makes no tables")

    def add(self, table: Table, column: Column) -> Iterable[Statement]:
        """Add a column, which takes null in the rows that are there."""
        raise TypeError(f"{type(self).__name__} widens no tables")

    def relax(self, name: str, column: FoundColumn) -> list[Statement]:
        """Let a column take null from now on; none where that can't be done without loss.

        Args:
            name: The table's own name.
            column: As the warehouse describes it.
        """
        return [Statement(f"ALTER TABLE {self.table(name)} ALTER COLUMN {self.kept(column.name)} DROP NOT NULL")]

    def kept(self, name: str) -> str:
        """A name as the warehouse keeps it, quoted."""
        return '"' + name.replace('"', '""') + '"'

    def lock(self, table: Table, statement: Statement) -> Statement:
        """The statement that takes the lock.

        Args:
            table: The table of loads.
            statement: An update of the export's own lock row there.
        """
        return statement

    def hold(self, name: str) -> Statement | None:
        """The statement that waits until nobody else changes a table, so that later ones wait no more; none is needed.

        Args:
            name: The table's own name.
        """
        return None

    def unstaged(self, column: Column) -> str:
        """A staged column, as what a table's column takes."""
        return self.quote(column.name)


@dataclass(frozen=True)
class FoundColumn:
    """A column of a table as the warehouse describes it.

    Args:
        name: As it is kept.
        type: The warehouse's word, in upper case, without length or precision.
        takes_null: Whether it may hold null.
        has_default: Whether a row may leave it out.
        length: The longest text that it holds, in the warehouse's unit; None: the longest that the warehouse has.
        digits: The digits after a second that a time keeps; None: six or more.
    """

    name: str
    type: str
    takes_null: bool
    has_default: bool = False
    length: int | None = None
    digits: int | None = None
