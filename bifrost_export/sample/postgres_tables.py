"""A PostgreSQL log store with Bifrost's tables, filled with rows that the caller gives."""

from __future__ import annotations

import re
from contextlib import contextmanager
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any

import adbc_driver_manager as adbc
import adbc_driver_postgresql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Execute = Callable[[str], int]

_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_INDEX = re.compile(r"^\s*CREATE INDEX\b", re.IGNORECASE)
_TOGETHER = 500


def statements() -> tuple[list[str], list[str]]:
    """The statements that make Bifrost's tables, and those that make their secondary indexes."""
    text = _COMMENT.sub("", files(__package__).joinpath("schema_postgres.sql").read_text("utf-8"))
    every = [statement.strip() for statement in text.split(";") if statement.strip()]
    return [s for s in every if not _INDEX.match(s)], [s for s in every if _INDEX.match(s)]


@contextmanager
def writing(url: str) -> Iterator[Execute]:
    """A connection that can write: give it statements, one at a time, each its own transaction.

    Args:
        url: The database's address, as libpq reads it.
    """
    with (
        adbc.AdbcDatabase(driver=adbc_driver_postgresql._driver_path(), uri=url) as database,
        adbc.AdbcConnection(database) as connection,
    ):

        def execute(sql: str) -> int:
            with adbc.AdbcStatement(connection) as statement:
                statement.set_sql_query(sql)
                return int(statement.execute_update())

        yield execute


def create(url: str) -> None:
    """Make Bifrost's tables and indexes in a database that has none.

    Raises:
        adbc_driver_manager.Error: The database has such tables already, or can't be reached.
    """
    tables, indexes = statements()
    with writing(url) as execute:
        for statement in (*tables, *indexes):
            execute(statement)


def insert(execute: Execute, rows: Iterable[Mapping[str, Any]], table: str = "logs") -> int:
    """Insert rows into a table, each with the columns that it names.

    Args:
        execute: A connection of `writing`.
        rows: Column -> value; a column that a row leaves out takes its default. PostgreSQL reads each value's text as
            its column's type wants it.
        table: The table; `mcp_tool_logs` is the other one that is exported.

    Returns:
        How many rows were inserted.
    """
    count = 0
    remaining = iter(rows)
    while chunk := list(islice(remaining, _TOGETHER)):
        names = list(dict.fromkeys(name for row in chunk for name in row))
        tuples = (f"({', '.join(literal(row[name]) if name in row else 'DEFAULT' for name in names)})" for row in chunk)
        columns = ", ".join(f'"{name}"' for name in names)
        execute(f"INSERT INTO {table} ({columns}) VALUES {', '.join(tuples)}")  # noqa: S608 (quoted below)
        count += len(chunk)
    return count


def add_rows(url: str, rows: Iterable[Mapping[str, Any]], table: str = "logs") -> int:
    """Insert rows into a table of a log store that exists; gives how many."""
    with writing(url) as execute:
        return insert(execute, rows, table)


def literal(value: object) -> str:
    """A value as PostgreSQL reads it, of no type of its own.

    Raises:
        ValueError: A text that no PostgreSQL database can hold: with a NUL, or a lone surrogate.
    """
    if value is None:
        return "NULL"
    text = str(value)
    if "\0" in text:
        raise ValueError("PostgreSQL holds no text with a NUL")
    text.encode()
    return "'" + text.replace("'", "''") + "'"
