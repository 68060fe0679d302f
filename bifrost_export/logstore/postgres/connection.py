"""A connection to PostgreSQL that only reads, through ADBC's driver, in short transactions."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import quote

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import pyarrow as pa
from adbc_driver_manager._reader import AdbcRecordBatchReader

from bifrost_export.errors import BifrostExportError
from bifrost_export.logstore.postgres import errors
from bifrost_export.logstore.postgres.config import PostgresConfig

STATEMENT_SECONDS = 2.0
"""How long one statement may take: two of them, rows and totals, stay below the 5 s that Bifrost waits for a lock."""

LOCK_SECONDS = 30.0
"""How long a lock is waited for, before anything is asked; nobody waits for us meanwhile."""

BATCH_BYTES = 8_000_000

_LIBPQ = {
    "host": "host",
    "port": "port",
    "user": "user",
    "password": "password",
    "db_name": "dbname",
    "ssl_mode": "sslmode",
    "ssl_root_cert": "sslrootcert",
    "ssl_cert": "sslcert",
    "ssl_key": "sslkey",
}
_SETTINGS = {
    "application_name": "bifrost-export",
    "client_encoding": "UTF8",
    "connect_timeout": 20,
    # A server that is gone without a word is noticed within a minute.
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}
_NO_FILE = "/dev/null/none"
# Set for one transaction each, not for the session: behind a pooler the next transaction may be somebody else's.
_TRANSACTION = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone = 'UTC'; SET LOCAL jit = off;"
    # A table with row-level security is refused then; on, which is the default, rows would be left out without a word.
    " SET LOCAL row_security = off;"
    " SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock};"
    " SET LOCAL idle_in_transaction_session_timeout = 10000"
)
# The server would refuse to send a text that is not UTF-8. Unlike a query, SET takes no snapshot before the lock.
_AS_IT_STANDS = "; SET LOCAL client_encoding = 'SQL_ASCII'"
_LOCKED = (
    "; SET LOCAL statement_timeout = 0; LOCK TABLE {table} IN ACCESS SHARE MODE;"
    " SET LOCAL statement_timeout = {statement}"
)


def address_of(config: PostgresConfig) -> str:
    """Host, port and database for messages."""
    return f"postgres://{config.host}:{config.port}/{config.db_name}"


def uri_of(config: PostgresConfig) -> str:
    """The address as libpq reads it, every value quoted."""
    given = {name: getattr(config, key) for key, name in _LIBPQ.items()}
    if not config.is_vouched_for:
        # libpq would take a password of PGPASSWORD or of a file, and send any in clear to a server that asks so.
        given |= {"password": config.password or "", "passfile": _NO_FILE, "require_auth": "!password"}
    wanted = {name: value for name, value in {**given, **_SETTINGS}.items() if value is not None}
    return "postgresql:///?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in wanted.items())


class Connection:
    """A connection that asks inside of `snapshot` only.

    Args:
        config: Where to connect, and who signs in.

    Attributes:
        holds_any_bytes: Whether the database's texts are of no encoding, so that they come as they stand.

    Raises:
        LogStoreError: The connection is refused.
        LogStoreBusyError: The server can't be reached, or takes no connection now.
    """

    def __init__(self, config: PostgresConfig) -> None:
        self.place = errors.Place(address_of(config), config.password)
        self.holds_any_bytes = False
        with ExitStack() as opened:
            try:
                # The low level: adbc's dbapi module would import pandas and polars.
                driver = adbc_driver_postgresql._driver_path()
                self._database = opened.enter_context(adbc.AdbcDatabase(driver=driver, uri=uri_of(config)))
                self._connection = opened.enter_context(adbc.AdbcConnection(self._database))
            except adbc.Error as error:
                raise errors.of_connecting(self.place, error) from None
            self._opened = opened.pop_all()

    @contextmanager
    def snapshot(self, table: str | None = None) -> Iterator[None]:
        """Statements inside see one state of the database, whatever a writer does meanwhile.

        Args:
            table: A table whose lock is taken before the snapshot is: after another's rewriting of the table, an older
                snapshot would find it empty.

        Raises:
            LogStoreBusyError: The lock could not be had in time, or the server went away.
        """
        times = {"statement": round(STATEMENT_SECONDS * 1000), "lock": round(LOCK_SECONDS * 1000)}
        locked = _AS_IT_STANDS if self.holds_any_bytes else ""
        locked += _LOCKED.format(table=table, **times) if table else ""
        try:
            self._run(_TRANSACTION.format(**times) + locked)
            yield
        finally:
            with suppress(BifrostExportError):
                self._run("ROLLBACK")

    def execute(self, sql: str) -> list[dict[str, Any]]:
        """Run a query and give its rows."""
        return [row for batch in self.batches(sql) for row in batch.to_pylist()]

    def batches(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        """Run a query and stream its rows.

        Raises:
            SlowError: It took too long.
            LogStoreBusyError: The connection was lost, or the table changed.
            LogStoreError: The user may not read.
        """
        with self._told(), adbc.AdbcStatement(self._connection) as statement:
            statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
            statement.set_sql_query(sql)
            stream, _ = statement.execute_query()
            with AdbcRecordBatchReader._import_from_c(stream.address) as reader:
                yield from reader

    def close(self) -> None:
        """Give it back."""
        with suppress(adbc.Error):
            self._opened.close()

    def _run(self, sql: str) -> None:
        with self._told(), adbc.AdbcStatement(self._connection) as statement:
            statement.set_sql_query(sql)
            statement.execute_update()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (adbc.Error, OSError, pa.ArrowException) as error:
            if isinstance(error, BifrostExportError):
                raise
            raise errors.of_statement(self.place, error) from None
