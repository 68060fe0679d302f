"""A warehouse that is spoken to by one session of a Python driver: a transaction takes its steps one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.warehouse.engine import moment
from bifrost_export.destinations.warehouse.statements import Check, CheckFailedError, Do, Statement

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.dialect import Dialect, FoundColumn
    from bifrost_export.destinations.warehouse.statements import Value
    from bifrost_export.destinations.warehouse.tables import Column, Table


class Session:
    """One session, opened when first used; outside `transact` each statement commits by itself.

    Args:
        dialect: The warehouse's SQL.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._connection: Any = None

    def connect(self) -> Any:
        """A new connection that commits each statement by itself."""
        raise TypeError(f"{type(self).__name__} does not connect")

    def told(self, what: str) -> AbstractContextManager[None]:
        """Turns the driver's errors into the tree's.

        Args:
            what: Names the action and the object.
        """
        raise TypeError(f"{type(self).__name__} tells no errors")

    def place(self, name: str, value: Value, values: list[Any]) -> str:
        """What stands in the SQL for a value; notes the value as the driver wants it."""
        raise TypeError(f"{type(self).__name__} binds no values")

    @property
    def connection(self) -> Any:
        """The session's connection."""
        if self._connection is None:
            moment("connect")
            with self.told("signing in"):
                self._connection = self.connect()
        return self._connection

    def query(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""
        return self._run(statement, wants_rows=True)

    def execute(self, statement: Statement) -> None:
        """Run a statement."""
        self._run(statement, wants_rows=False)

    def _run(self, statement: Statement, *, wants_rows: bool) -> list[tuple[Any, ...]]:
        values: list[Any] = []
        sql = statement.render(lambda name, value: self.place(name, value, values))
        return self.send(sql, values, wants_rows=wants_rows)

    def send(self, sql: str, values: list[Any], *, wants_rows: bool = False) -> list[tuple[Any, ...]]:
        """Send SQL in the driver's own form of parameters, and return its rows where they are wanted."""
        connection = self.connection
        moment(sql)
        with self.told(brief(sql)):
            cursor = connection.cursor()
            try:
                # Without values a driver leaves per cent signs alone.
                cursor.execute(sql, values) if values else cursor.execute(sql)
                return [tuple(row) for row in cursor.fetchall()] if wants_rows else []
            finally:
                with suppress(Exception):
                    cursor.close()

    def create(self, table: Table) -> None:
        """Make a table where there is none, with comments."""
        for statement in self.dialect.create(table):
            self.execute(statement)

    def add(self, table: Table, columns: Sequence[Column]) -> None:
        """Add columns, which take null in the rows that are there."""
        for column in columns:
            for statement in self.dialect.add(table, column):
                self.execute(statement)

    def relax(self, table: Table, columns: Sequence[FoundColumn]) -> None:
        """Let columns take null from now on."""
        for column in columns:
            for statement in self.dialect.relax(table.name, column):
                self.execute(statement)

    def warnings(self, tables: Iterable[Table]) -> list[str]:
        """Neither Snowflake nor Redshift deletes rows by itself."""
        return []

    def complete(self, table: Table) -> None:
        """A table is created by one statement or one transaction."""

    def transact(self, steps: Sequence[Do | Check], attempt: int) -> None:
        """Take all steps in one transaction, or none."""
        self.execute(Statement("BEGIN"))
        try:
            for step in steps:
                self.take(step)
            self.execute(Statement("COMMIT"))
        except Exception:
            self.roll_back()
            raise
        except BaseException:
            self.close()  # a task that has run out of time waits for no answer any more
            raise

    def waiting(self, table: str) -> AbstractContextManager[None]:
        """Statements inside wait only so long for what others hold; this warehouse sees to that by itself."""
        return nullcontext()

    def take(self, step: Do | Check) -> None:
        """Take one step of a transaction."""
        if isinstance(step, Do):
            self.execute(step.statement)
            return
        condition = step.condition
        found = self.query(Statement(f"SELECT CASE WHEN {condition.sql} THEN 1 ELSE 0 END", condition.values))
        if found[0][0] != 1:
            raise CheckFailedError(step.code)

    def roll_back(self) -> None:
        """Give up a transaction; a session that can't even do that is closed."""
        try:
            self.execute(Statement("ROLLBACK"))
        except Exception:  # noqa: BLE001 (the transaction ends with its session)
            self.close()

    def close(self) -> None:
        """End the session."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()


def brief(sql: str) -> str:
    """A statement's first words, for messages: they hold no value."""
    words = sql.split()
    return " ".join(words[:4])[:80]
