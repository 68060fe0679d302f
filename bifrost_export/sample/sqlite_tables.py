"""A SQLite log store with Bifrost's tables, filled with rows that the caller gives."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_INDEX = re.compile(r"^\s*CREATE INDEX\b", re.IGNORECASE)


@dataclass(frozen=True)
class RawText:
    """Bytes that are stored as a text, though they may be no UTF-8.

    Args:
        value: The bytes.
    """

    value: bytes


def statements() -> tuple[list[str], list[str]]:
    """The statements that make Bifrost's tables, and those that make their secondary indexes."""
    text = _COMMENT.sub("", files(__package__).joinpath("schema_sqlite.sql").read_text("utf-8"))
    every = [statement.strip() for statement in text.split(";") if statement.strip()]
    return [s for s in every if not _INDEX.match(s)], [s for s in every if _INDEX.match(s)]


def connect(path: Path) -> sqlite3.Connection:
    """Open a log store for writing as Bifrost does: write-ahead log, synchronous NORMAL, 60 s of patience."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def create(path: Path) -> None:
    """Make an empty log store with all tables and indexes.

    Raises:
        sqlite3.OperationalError: The file has such tables already, or can't be written.
    """
    tables, indexes = statements()
    with closing(connect(path)) as connection:
        for statement in (*tables, *indexes):
            connection.execute(statement)


def insert(connection: sqlite3.Connection, rows: Iterable[Mapping[str, Any]], table: str = "logs") -> int:
    """Insert rows into a table, each with the columns that it names.

    Args:
        connection: A connection of `connect`.
        rows: Column -> value; a column that a row leaves out takes its default.
        table: The table; `mcp_tool_logs` is the other one that is exported.

    Returns:
        How many rows were inserted.
    """
    count = 0
    connection.execute("BEGIN")
    for row in rows:
        slots = ("CAST(? AS TEXT)" if isinstance(value, RawText) else "?" for value in row.values())
        names = ", ".join(f"`{column}`" for column in row)
        values = [value.value if isinstance(value, RawText) else value for value in row.values()]
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(slots)})", values)  # noqa: S608 (names)
        count += 1
    connection.execute("COMMIT")
    return count


def add_rows(path: Path, rows: Iterable[Mapping[str, Any]], table: str = "logs") -> int:
    """Insert rows into a table of a log store that exists; gives how many."""
    with closing(connect(path)) as connection:
        return insert(connection, rows, table)
