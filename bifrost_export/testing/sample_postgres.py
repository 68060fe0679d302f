"""Fill a PostgreSQL database with a sample, by COPY, in one transaction: after a failure it is as it was."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import pyarrow as pa

from bifrost_export.errors import ConfigError, LogStoreError
from bifrost_export.testing import postgres_store, sample_columns, sample_tool_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bifrost_export.testing.sample_rows import Batches

_SENT_ROWS = 2_048
_MAKES = re.compile(r"^CREATE (TABLE|SEQUENCE|INDEX) ", re.IGNORECASE)
_INDEXING = "SET LOCAL maintenance_work_mem = '256MB'"
# Enough for the planner; all 118 columns would take seconds.
_STATISTICS = (
    "ANALYZE logs (id, timestamp, created_at, provider, model, object_type, status, customer_id, latency, cost)"
)
_EMPTY = {"logs": sample_columns.EMPTY, "mcp_tool_logs": sample_tool_calls.EMPTY}
_SIZE = "SELECT pg_total_relation_size('logs') + pg_total_relation_size('mcp_tool_logs') AS bytes"


def fill(url: str, batches: Iterable[Batches], report: Callable[[str], None]) -> int:
    """Make a log store in a database, or fill the empty one that is there.

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
    tables, indexes = (
        [_MAKES.sub(r"CREATE \1 IF NOT EXISTS ", each) for each in part] for part in postgres_store.statements()
    )
    with _transaction(url) as connection:
        for statement in tables:
            _execute(connection, statement)
        for table in _EMPTY:
            if _value(connection, f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: S608 (our own names)
                raise ConfigError(
                    f"the table {table} of this database has rows already",
                    hint="Name a database whose log store is empty, or empty this one yourself.",
                )
        _default(connection, "SET DEFAULT ''")
        for chunk in batches:
            _copy(connection, "logs", chunk.logs)
            _copy(connection, "mcp_tool_logs", chunk.tools)
        _default(connection, "DROP DEFAULT")
        for number, statement in enumerate((_INDEXING, *indexes)):
            if number:
                report(f"making index {number} of {len(indexes)}")
            _execute(connection, statement)
        report("gathering statistics")
        _execute(connection, _STATISTICS)
        return int(_value(connection, _SIZE))


@contextmanager
def _transaction(url: str) -> Iterator[adbc.AdbcConnection]:
    try:
        with (
            adbc.AdbcDatabase(driver=adbc_driver_postgresql._driver_path(), uri=url) as database,
            adbc.AdbcConnection(database) as connection,
        ):
            connection.set_autocommit(False)
            yield connection
            connection.commit()
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
