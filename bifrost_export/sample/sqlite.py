"""Fill a new SQLite file with a sample: through ADBC, which binds Arrow columns without a Python object a value."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import adbc_driver_manager as adbc
import adbc_driver_sqlite
import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.sample import columns, sqlite_tables, tool_calls
from bifrost_export.sample.arrays import doubles, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from bifrost_export.sample.rows import Batches

# Nobody else knows this file yet and a crash throws it away, so that nothing has to be safe before the end.
_UNSAFE = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -200000")
# Each index reads the whole table again: mapped, that copies nothing. Sorting is quicker by a half in lists that fit
# the caches of a CPU than in one long list.
_INDEXING = ("PRAGMA mmap_size = 1099511627776", "PRAGMA cache_size = -1000", "PRAGMA threads = 3")


def fill(path: Path, batches: Iterable[Batches], report: Callable[[str], None]) -> None:
    """Make a log store of a file that doesn't exist yet.

    Args:
        path: The file.
        batches: Its rows.
        report: Is told what is being done.
    """
    tables, indexes = sqlite_tables.statements()
    with (
        adbc.AdbcDatabase(driver=adbc_driver_sqlite._driver_path(), uri=str(path)) as database,
        adbc.AdbcConnection(database) as connection,
    ):
        for statement in (*(f"PRAGMA {pragma}" for pragma in _UNSAFE), *tables):
            _execute(connection, statement)
        connection.set_autocommit(False)
        for chunk in batches:
            _insert(connection, "logs", chunk.logs, columns.EMPTY)
            _insert(connection, "mcp_tool_logs", chunk.tools, tool_calls.EMPTY)
        connection.commit()
        for statement in _INDEXING:
            _execute(connection, statement)
        for number, statement in enumerate(indexes, start=1):
            report(f"making index {number} of {len(indexes)}")
            _execute(connection, statement)
        connection.commit()
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("PRAGMA journal_mode = WAL")


def _execute(connection: adbc.AdbcConnection, sql: str) -> None:
    with adbc.AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.execute_update()


def _insert(connection: adbc.AdbcConnection, table: str, rows: pa.RecordBatch, empty: tuple[str, ...]) -> None:
    names = ", ".join(f"`{name}`" for name in (*rows.schema.names, *empty))
    values = ", ".join(("?",) * rows.num_columns + ("''",) * len(empty))
    stored = pa.RecordBatch.from_arrays([_stored(column) for column in rows.columns], names=rows.schema.names)
    with adbc.AdbcStatement(connection) as statement:
        statement.set_sql_query(f"INSERT INTO {table} ({names}) VALUES ({values})")  # noqa: S608 (our own names)
        statement.bind_stream(pa.RecordBatchReader.from_batches(stored.schema, [stored]))
        statement.execute_update()


def _stored(column: pa.Array) -> pa.Array:
    """A column as Bifrost's driver stores it: reals as doubles, booleans as 0 and 1, times as text."""
    if pa.types.is_decimal(column.type):
        return doubles(column)
    if pa.types.is_boolean(column.type):
        return column.cast(pa.int64())
    if pa.types.is_timestamp(column.type):
        text = column.cast(pa.timestamp("ns")).cast(pa.string())
        return joined(pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), "."), "+00:00")
    return column
