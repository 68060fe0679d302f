"""A read-only connection to a SQLite file, through ADBC's driver, with SQLite's faults in this package's words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import adbc_driver_manager as adbc
import adbc_driver_sqlite
import pyarrow as pa

from bifrost_export.errors import BifrostExportError, LogStoreBusyError, LogStoreError
from bifrost_export.logstore.sqlite.access import BUSY_MILLISECONDS, Access, access, side_file

BATCH_ROWS = 32_768
_BUSY = re.compile(r"\b(locked|busy|schema has changed)\b", re.IGNORECASE)


class Connection:
    """A connection that can't write.

    Args:
        path: The SQLite file.
        beside: Another connection to it that stays open for longer; this one opens the file in the same way.

    Raises:
        LogStoreError: The file isn't there, or is no SQLite database.
        LogStoreBusyError: It is locked for longer than ten seconds.
        LogStoreChangedError: Nobody had it open, and then somebody changed it.
    """

    def __init__(self, path: Path, beside: Connection | None = None) -> None:
        self.path = path
        self.access: Access = beside.access if beside else self._accessed()
        self._owns_access = beside is None
        try:
            with self._told():
                # The low level: adbc's dbapi module would import pandas and polars.
                uri = f"file:{quote(str(path.absolute()))}?{self.access.options}"
                self._database = adbc.AdbcDatabase(driver=adbc_driver_sqlite._driver_path(), uri=uri)
                self._connection = adbc.AdbcConnection(self._database)
        except BifrostExportError:
            self._let_go()
            raise
        try:
            self.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            self.execute("SELECT count(*) FROM sqlite_master")
        except BifrostExportError:
            self.close()
            raise

    def execute(self, sql: str) -> list[dict[str, Any]]:
        """Run a statement and give its rows."""
        return [row for batch in self.batches(sql) for row in batch.to_pylist()]

    def batches(self, sql: str, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Run a query and stream its rows, so many at a time; the first row tells each column's type.

        Raises:
            LogStoreChangedError: Nobody had the file open, and then somebody changed it; at the end of the rows.
        """
        with self._told():
            yield from self._batches(sql, rows)
        self.access.check()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Statements inside see one state of the database, whatever a writer does meanwhile."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(BifrostExportError):
                self.execute("ROLLBACK")

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()
        self._database.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._owns_access:
            self.access.close()

    def _accessed(self) -> Access:
        try:
            if self.path.is_file():
                return access(self.path)
            is_folder = self.path.is_dir()
        except OSError as error:
            raise _unreadable(self.path, error.strerror or str(error)) from None
        raise LogStoreError(
            f"the log store {self.path} {'is a folder' if is_folder else 'does not exist'}; it was not created",
            allowed="the path of Bifrost's SQLite file",
            hint="Set source.config.path to the file that logs_store.config.path names in Bifrost's own config.",
        )

    def _batches(self, sql: str, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        statement = adbc.AdbcStatement(self._connection)
        try:
            statement.set_options(**{"adbc.sqlite.query.batch_rows": str(rows)})
            statement.set_sql_query(sql)
            stream, _ = statement.execute_query()
            with pa.RecordBatchReader._import_from_c(stream.address) as reader:
                yield from reader
        finally:
            statement.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (adbc.Error, OSError, pa.ArrowException) as error:
            if isinstance(error, BifrostExportError):
                raise
            self.access.check()  # a file that is changed while it is read may look broken
            raise _translated(self.path, str(error)) from None


def _unreadable(path: Path, said: str) -> LogStoreError:
    hint = (
        f"Grant uid {os.geteuid()} the right to read the file, its -wal and -shm where they exist, and to enter its"
        " folder."
    )
    with suppress(OSError):
        if side_file(path, "-journal").exists():
            hint = (
                f"A write to it was interrupted ({path.name}-journal): start Bifrost on it, which restores the file,"
                " and retry."
            )
    return LogStoreError(f"the log store {path} can't be opened for reading: {said}", hint=hint)


def _translated(path: Path, text: str) -> BifrostExportError:
    said = text.splitlines()[0] if text else "unknown fault"
    if "not a database" in said:
        return LogStoreError(
            f"the log store {path} is no SQLite database",
            hint="Set source.config.path to the file that logs_store.config.path names in Bifrost's own config.",
        )
    if "readonly database" in said or "unable to open" in said or "disk I/O" in said:
        return _unreadable(path, said)
    if _BUSY.search(said):
        return LogStoreBusyError(
            f"the log store {path} was locked for longer than {BUSY_MILLISECONDS // 1000} s: {said}",
            hint="Try again when the writer has let go of it.",
        )
    return LogStoreError(f"the log store {path} can't be read: {said}", hint="Check the file with SQLite itself.")
