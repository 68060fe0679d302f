"""Fill a PostgreSQL database with a sample: rows by COPY in one transaction, then indexes on several connections."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import pyarrow as pa

from bifrost_export.errors import ConfigError, LogStoreError
from bifrost_export.sample import columns, postgres_tables, tool_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bifrost_export.sample.rows import Batches

_SENT_ROWS = 2_048
_MAKES = re.compile(r'^CREATE (TABLE|SEQUENCE|INDEX) "?(\w+)"?', re.IGNORECASE)
# A build by parallel workers ends in a part that one process does alone: several builds at once keep every core busy.
_BUILDERS = min(4, os.cpu_count() or 1)
_INDEXING = ("SET maintenance_work_mem = '128MB'", "SET max_parallel_maintenance_workers = 0")
# Enough for the planner; all 118 columns would take seconds.
_STATISTICS = (
    "ANALYZE logs (id, timestamp, created_at, provider, model, object_type, status, customer_id, latency, cost)"
)
_EMPTY = {"logs": columns.EMPTY, "mcp_tool_logs": tool_calls.EMPTY}
_SIZE = "SELECT pg_total_relation_size('logs') + pg_total_relation_size('mcp_tool_logs') AS bytes"


def fill(url: str, batches: Iterable[Batches], report: Callable[[str], None]) -> int:
    """Make a log store in a database, or fill the empty one that is there. After an error it is as it was.

    Args:
        url: The database's address, as libpq reads it.
        batches: The rows.
        report: Is told what is being done.

    Returns:
        How many bytes the tables take, with their indexes.

    Raises:
        ConfigError: A table of the log store has rows already.
        LogStoreError: The database can't be reached or refuses.
    """
    tables, indexes = postgres_tables.statements()
    made = _fill_tables(url, tables, batches)
    try:
        _make_indexes(url, indexes, report)
        report("gathering statistics")
        with _connection(url) as connection:
            _execute(connection, _STATISTICS)
            return int(_value(connection, _SIZE))
    except BaseException:
        _undo(url, made)
        raise


def _fill_tables(url: str, statements: Iterable[str], batches: Iterable[Batches]) -> dict[str, str]:
    """Make what isn't there and write the rows, in one transaction.

    Returns:
        What was made: names and kinds, `TABLE` or `SEQUENCE`.
    """
    made = {}
    with _connection(url) as connection:
        connection.set_autocommit(False)
        for statement in statements:
            if match := _MAKES.match(statement):
                kind, name = match.groups()
                if _value(connection, f"SELECT to_regclass(quote_ident(current_schema()) || '.{name}') IS NOT NULL"):
                    continue
                made[name] = kind
            _execute(connection, statement)
        for table in _EMPTY:
            if _value(connection, f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: S608 (our own names)
                raise ConfigError(
                    f"the table {table} of this database has rows already",
                    hint="Name a database whose log store is empty, or empty this one yourself.",
                )
        _default(connection, "SET DEFAULT ''")
        # Sorting all keys at the end is quicker than finding the place of each, and leaves the index dense.
        keyed = [table for table in _EMPTY if table in made]
        for table in keyed:
            _execute(connection, f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
        for chunk in batches:
            _copy(connection, "logs", chunk.logs)
            _copy(connection, "mcp_tool_logs", chunk.tools)
        for table in keyed:
            _execute(connection, f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
        _default(connection, "DROP DEFAULT")
        connection.commit()
    return made


def _make_indexes(url: str, statements: Sequence[str], report: Callable[[str], None]) -> None:
    """Each connection takes the next index as soon as it is free; the widest first, for they take longest."""
    order = sorted(statements, key=lambda each: -each.count(","))
    waiting = enumerate(order, 1)

    def build() -> None:
        with _connection(url) as connection:
            for setting in _INDEXING:
                _execute(connection, setting)
            for number, statement in waiting:
                report(f"making index {number} of {len(statements)}")
                _execute(connection, _MAKES.sub(r"CREATE \1 IF NOT EXISTS \2", statement))

    with ThreadPoolExecutor(_BUILDERS) as threads:
        try:
            for building in [threads.submit(build) for _ in range(_BUILDERS)]:
                building.result()
        finally:
            order.clear()


def _undo(url: str, made: Mapping[str, str]) -> None:
    with _connection(url) as connection:
        for table in _EMPTY:
            if table not in made:
                _execute(connection, f"TRUNCATE {table}")
        for name, kind in reversed(list(made.items())):
            _execute(connection, f"DROP {kind} IF EXISTS {name} CASCADE")


@contextmanager
def _connection(url: str) -> Iterator[adbc.AdbcConnection]:
    try:
        with (
            adbc.AdbcDatabase(driver=adbc_driver_postgresql._driver_path(), uri=url) as database,
            adbc.AdbcConnection(database) as connection,
        ):
            yield connection
    except adbc.Error as error:
        raise LogStoreError(
            f"the database refused: {_said(error, url)}",
            hint="Look whether it runs, and whether this user may create tables in it.",
        ) from None


def _said(error: adbc.Error, url: str) -> str:
    """The driver's words, without the address, which may hold a password."""
    return " ".join(str(error).replace(url, "the address").split())


def _default(connection: adbc.AdbcConnection, what: str) -> None:
    """Let the server fill in empty texts, which then need not be sent."""
    for table, names in _EMPTY.items():
        _execute(connection, f"ALTER TABLE {table} " + ", ".join(f'ALTER "{name}" {what}' for name in names))


def _execute(connection: adbc.AdbcConnection, sql: str) -> None:
    with adbc.AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.execute_update()


def _value(connection: adbc.AdbcConnection, sql: str) -> Any:
    with adbc.AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        stream, _ = statement.execute_query()
        return pa.RecordBatchReader._import_from_c(stream.address).read_all().column(0)[0].as_py()


def _copy(connection: adbc.AdbcConnection, table: str, rows: pa.RecordBatch) -> None:
    """Columns that the batch lacks get their defaults; `inc_number` is one of them, as when Bifrost inserts."""
    stored = pa.RecordBatch.from_arrays([_stored(column) for column in rows.columns], names=rows.schema.names)
    # The driver sends a batch when it has encoded it: the server reads one while the next is made.
    pieces = [stored.slice(first, _SENT_ROWS) for first in range(0, len(stored), _SENT_ROWS)]
    with adbc.AdbcStatement(connection) as statement:
        statement.set_options(**{"adbc.ingest.target_table": table, "adbc.ingest.mode": "adbc.ingest.mode.append"})
        statement.bind_stream(pa.RecordBatchReader.from_batches(stored.schema, pieces))
        statement.execute_update()


def _stored(column: pa.Array) -> pa.Array:
    """A column as PostgreSQL takes it: times cut to microseconds, as Bifrost's driver does."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", "UTC"), safe=False)
    return column
