"""A read-only connection to a SQLite file, through ADBC's driver, with SQLite's faults in this package's words."""

from __future__ import annotations

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

BATCH_ROWS = 32_768
BUSY_MILLISECONDS = 10_000
_BUSY = re.compile(r"\b(locked|busy|schema has changed)\b", re.IGNORECASE)


class Connection:
    """A connection that can't write.

    Args:
        path: The SQLite file.

    Raises:
        LogStoreError: The file isn't there, or is no SQLite database.
        LogStoreBusyError: It is locked for longer than ten seconds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise LogStoreError(
                f"the log store {path} {'is a folder' if path.is_dir() else 'does not exist'}; it was not created",
                allowed="the path of Bifrost's SQLite file",
                hint="Set source.config.path to the file that logs_store.config.path names in Bifrost's own config.",
            )
        with self._told():
            # The low level: adbc's dbapi module would import pandas and polars.
            self._database = adbc.AdbcDatabase(
                driver=adbc_driver_sqlite._driver_path(), uri=f"file:{quote(str(path.absolute()))}?mode=ro"
            )
            self._connection = adbc.AdbcConnection(self._database)
        try:
            self.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            self.execute("SELECT count(*) FROM sqlite_master")
        except BifrostExportError:
            self.close()
            raise

    def execute(self, sql: str) -> list[dict[str, Any]]:
        """Run a statement and give its rows."""
        with self._told():
            return [row for batch in self._batches(sql) for row in batch.to_pylist()]

    def batches(self, sql: str, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Run a query and stream its rows, so many at a time; the first row tells each column's type."""
        with self._told():
            yield from self._batches(sql, rows)

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
            raise _translated(self.path, str(error)) from None


def _translated(path: Path, text: str) -> BifrostExportError:
    said = text.splitlines()[0] if text else "unknown fault"
    if "not a database" in said:
        return LogStoreError(
            f"the log store {path} is no SQLite database",
            hint="Set source.config.path to the file that logs_store.config.path names in Bifrost's own config.",
        )
    if "readonly database" in said or "unable to open" in said or "disk I/O" in said:
        return LogStoreError(
            f"the log store {path} can't be opened for reading: {said}",
            hint="Reading beside a live writer needs read right on the file, and write right on its folder where"
            " no -shm file stands there. Otherwise give the path of a copy made by SQLite's backup command.",
        )
    if _BUSY.search(said):
        return LogStoreBusyError(
            f"the log store {path} was locked for longer than {BUSY_MILLISECONDS // 1000} s: {said}",
            hint="Try again when the writer has let go of it.",
        )
    return LogStoreError(f"the log store {path} can't be read: {said}", hint="Check the file with SQLite itself.")
