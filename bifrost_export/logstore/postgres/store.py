"""The log store port on a PostgreSQL database that Bifrost writes to at the same time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, ClassVar

import pyarrow as pa

from bifrost_export.config.sources import PostgresConfig
from bifrost_export.errors import BifrostExportError
from bifrost_export.logstore.cutting import cut_windows, step
from bifrost_export.logstore.extra_columns import extra_fields
from bifrost_export.logstore.in_pieces import in_pieces
from bifrost_export.logstore.merging import in_order
from bifrost_export.logstore.port import COLUMNS, Reading, Rejected, Totals
from bifrost_export.logstore.postgres.chunks import Chunk, chunks, unread_chunk
from bifrost_export.logstore.postgres.connection import Connection
from bifrost_export.logstore.postgres.statements import Statements
from bifrost_export.logstore.postgres.sums import Sums
from bifrost_export.logstore.postgres.table import find_table, usual_table
from bifrost_export.logstore.reading_ahead import ahead
from bifrost_export.logstore.records import mapped
from bifrost_export.logstore.rejecting import place_of, reject_unread
from bifrost_export.window import Window


class PostgresLogStore:
    """A PostgreSQL log store, of which nothing but `logs` is read, in short read-only transactions.

    Args:
        config: Where it is, and who reads it; without a `conn_id`.

    Raises:
        LogStoreError: The connection is refused, or there is no table `logs` that the user may read.
        LogStoreBusyError: The server can't be reached, or takes no connection now.
    """

    kind: ClassVar[str] = "postgres"
    Config = PostgresConfig

    def __init__(self, config: PostgresConfig) -> None:
        self.config = config
        self.connection = Connection(config)
        self._batches: Generator[pa.RecordBatch, None, None] | None = None
        try:
            self.table = find_table(self.connection, config.schema_)
        except BifrostExportError:
            self.close()
            raise
        self.statements = Statements(self.table)

    def describe(self) -> dict[str, Any]:
        """`{"type", "host", "port", "database", "schema"}`."""
        found = {"host": self.config.host, "port": self.config.port, "database": self.config.db_name}
        return {"type": self.kind, **found, "schema": self.table.schema}

    def columns(self) -> frozenset[str]:
        """The columns that `logs` has here."""
        return frozenset(self.table.columns)

    def cuts(self, windows: Sequence[Window], rows_per_slice: int, most: int) -> list[Window]:
        """Cut windows into slices by counts of their own rows, at whole seconds or minutes."""
        moment = step(windows)
        counts = [list(self._by_time(window, moment)) for window in windows]
        return cut_windows(windows, counts, rows_per_slice, most)

    @classmethod
    def sql(cls, window: Window, schema: pa.Schema) -> list[str]:
        """What a run of the window asks a log store that has all columns; nothing is opened."""
        extra = extra_fields(schema)
        asked = Statements(usual_table(COLUMNS, extra), extra)
        return [
            asked.by_time(window, step([window])),
            asked.unplaced(),
            asked.unread_totals(window),
            asked.unread_rows(window),
            asked.totals(window),
            asked.rows(window),
        ]

    def newest(self) -> dt.datetime | None:
        """Time of the newest row, whatever its status; None without a row whose time can be read."""
        rows = [row for batch in self._ask(self.statements.newest()) for row in batch.to_pylist()]
        return rows[0]["timestamp"] if rows else None

    def is_indexed(self) -> bool:
        """Whether an index on `timestamp` finds the rows of a window."""
        return any(batch.num_rows for batch in self._ask(self.statements.time_indexes()))

    def count(self, window: Window) -> Totals:
        """What a window holds, without reading its rows."""
        sums = self._sums(self.statements.unread_totals(window)) if self.statements.has_created_at else Sums()
        for each in in_pieces(window, lambda piece: self._sums(self.statements.totals(piece))):
            sums += each
        return sums.totals()

    def unplaced(self) -> int:
        """Rows of the whole table whose time can't be read from `timestamp` nor from `created_at`."""
        [batch] = self._ask(self.statements.unplaced())
        return int(batch.column("rows")[0].as_py())

    def read(self, window: Window, schema: pa.Schema) -> Reading:
        """Read one slice in chunks, each in a snapshot of its own; no transaction is open while the caller works."""
        reading = Reading(Totals(), iter(()))
        self._batches = self._read(window, schema, reading)
        reading.batches = self._batches
        return reading

    def close(self) -> None:
        """Give back the connection; a reading that was left in the middle ends."""
        if self._batches is not None:
            self._batches.close()
        self.connection.close()

    def _read(self, window: Window, schema: pa.Schema, reading: Reading) -> Generator[pa.RecordBatch, None, None]:
        sums = Sums()
        statements = Statements(self.table, extra_fields(schema))
        if statements.has_created_at:
            unread = unread_chunk(self.connection, statements, window)
            reading.rejected.extend(self._unread(unread))
            sums += unread.sums

        def rows() -> Generator[pa.RecordBatch, None, None]:
            nonlocal sums
            with closing(ahead(chunks(self.connection, statements, window), depth=1)) as pieces:
                for chunk in pieces:
                    sums += chunk.sums
                    yield from _records(chunk, schema, reading.rejected)

        with closing(rows()) as stream:
            yield from in_order(stream, schema.empty_table(), schema)
        reading.totals = sums.totals()
        reading.rejected.sort(key=place_of)

    def _unread(self, chunk: Chunk) -> Iterator[Rejected]:
        kind = self.table.type_of("timestamp")
        for batch in chunk.batches:
            for index, placed in enumerate(batch.column("timestamp").cast(pa.int64()).to_pylist()):
                yield reject_unread(batch, index, placed, kind, None)

    def _by_time(self, window: Window, moment: dt.timedelta) -> Iterator[tuple[int, int]]:
        for batches in in_pieces(window, lambda piece: self._ask(self.statements.by_time(piece, moment))):
            for batch in batches:
                moments = batch.column("moment").cast(pa.int64())
                yield from zip(moments.to_pylist(), batch.column("rows").to_pylist(), strict=True)

    def _sums(self, sql: str) -> Sums:
        [batch] = self._ask(sql)
        return Sums.of_row(*batch.to_pylist())

    def _ask(self, sql: str) -> list[pa.RecordBatch]:
        with self.connection.snapshot(self.statements.lock):
            return list(self.connection.batches(sql))


def _records(chunk: Chunk, schema: pa.Schema, rejected: list[Rejected]) -> Iterator[pa.RecordBatch]:
    while chunk.batches:
        batch = chunk.batches.pop(0)
        yield mapped(batch, batch.column("timestamp").cast(pa.int64()), schema, rejected)
