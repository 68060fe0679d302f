"""The log store port on a PostgreSQL database that Bifrost writes to at the same time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from bifrost_export.errors import BifrostExportError
from bifrost_export.logstore.adaptive_pieces import in_pieces
from bifrost_export.logstore.column_types import column_types
from bifrost_export.logstore.contents import content_sources
from bifrost_export.logstore.extra_columns import extra_fields
from bifrost_export.logstore.inspection import Inspected, Remark
from bifrost_export.logstore.lookup import find_requests
from bifrost_export.logstore.merging import in_order
from bifrost_export.logstore.offloaded import Completion
from bifrost_export.logstore.port import COLUMNS, TOOL_CALLS, Reading, Rejected, Requests, Totals
from bifrost_export.logstore.postgres.chunks import Chunk, chunks, unread_chunk
from bifrost_export.logstore.postgres.config import PostgresConfig
from bifrost_export.logstore.postgres.connection import Connection
from bifrost_export.logstore.postgres.remarks import has_table, remarks
from bifrost_export.logstore.postgres.standby import caught_up
from bifrost_export.logstore.postgres.statements import Statements
from bifrost_export.logstore.postgres.sums import Sums
from bifrost_export.logstore.postgres.table import Table, exported_type, find_other_table, find_table, usual_table
from bifrost_export.logstore.prefetch import ahead
from bifrost_export.logstore.records import mapped
from bifrost_export.logstore.rejected import place_of, reject_unread
from bifrost_export.logstore.slicing import cut_windows, step
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.filters.config import Filters
    from bifrost_export.logstore.columns import LogColumnType


class PostgresLogStore(Inspected):
    """A PostgreSQL log store, of which `logs` and `mcp_tool_logs` are read, in short read-only transactions.

    Args:
        config: Where it is, and who reads it; without a `conn_id`.

    Raises:
        LogStoreError: The connection is refused, or there is no table `logs` that the user may read.
        LogStoreBusyError: The server can't be reached, or takes no connection now.
    """

    kind: ClassVar[str] = "postgres"
    offloaded: Completion
    Config = PostgresConfig

    def __init__(self, config: PostgresConfig) -> None:
        self.config = config
        self.connection = Connection(config)
        self._batches: Generator[pa.RecordBatch, None, None] | None = None
        self.offloaded = Completion(config)
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

    def slices(self, windows: Sequence[Window], rows_per_slice: int, most: int) -> list[Window]:
        """Cut windows into slices by counts of their own rows, at whole seconds or minutes."""
        moment = step(windows)
        counts = [list(self._by_time(window, moment)) for window in windows]
        return cut_windows(windows, counts, rows_per_slice, most)

    @classmethod
    def sql(
        cls, window: Window, schema: pa.Schema, tool_calls: pa.Schema | None = None, filters: Filters | None = None
    ) -> list[str]:
        """What a run of the window asks a log store that has all columns, in order; nothing is opened."""
        asked = _asked(schema, filters=filters)
        statements = [asked.by_time(window, step([window])), asked.unplaced(), *_read_by(asked, window)]
        if tool_calls is not None:
            calls = _asked(tool_calls, TOOL_CALLS)
            statements += [calls.unplaced(), *_read_by(calls, window), asked.named_rows(["<llm_request_id>"])]
        return statements

    def newest(self) -> dt.datetime | None:
        """Time of the newest row, whatever its status; None without a row whose time can be read."""
        rows = [row for batch in self._ask(self.statements.newest()) for row in batch.to_pylist()]
        return rows[0]["timestamp"] if rows else None

    def caught_up(self, until: dt.datetime) -> str | None:
        """Check that a standby has replayed what was committed up to a time; None for a primary."""
        return caught_up(self.connection, until)

    def column_types(self, names: Sequence[str]) -> dict[str, LogColumnType]:
        """The types of columns that this package doesn't know."""
        return column_types(names, self.table.columns, exported_type, f"the table {self.table.name}")

    def kinds(self, window: Window) -> list[tuple[str, str, int]]:
        """Each pair of `object_type` and `status` in a window, with its rows."""
        rows: dict[tuple[str, str], int] = {}
        for batches in in_pieces(window, lambda piece: self._ask(self.statements.kinds(piece))):
            for row in (row for batch in batches for row in batch.to_pylist()):
                pair = (row["object_type"] or "", row["status"] or "")
                rows[pair] = rows.get(pair, 0) + row["rows"]
        return [(*pair, count) for pair, count in sorted(rows.items())]

    def remarks(self) -> list[Remark]:
        """Ways in which rows may be missing here without an error."""
        tools = self.__dict__.get("tools")  # looked for by exports that need it: another may not be allowed to read it
        tables = [self.table, *([tools] if tools else [])]
        return remarks(self.connection, tables, is_schema_given=self.config.schema_ is not None)

    def has_table(self, name: str) -> bool:
        """Whether the schema of `logs` has a table of this name."""
        return has_table(self.connection, self.table.schema, name)

    def is_indexed(self) -> bool | None:
        """Whether an index on `timestamp` finds the rows of a window; None for a view."""
        if self.table.relation in ("v", "f"):
            return None
        return any(batch.num_rows for batch in self._ask(self.statements.time_indexes()))

    def count(self, window: Window) -> Totals:
        """What a window holds, without reading its rows."""
        return self._count(self.statements, window)

    def unplaced(self) -> int:
        """Rows of the whole table whose time can't be read from `timestamp` nor from `created_at`."""
        return self._unplaced(self.statements)

    def read(self, window: Window, schema: pa.Schema, filters: Filters | None = None) -> Reading:
        """Read one slice in chunks, each in a snapshot of its own; no transaction is open while the caller works."""
        return self._reading(self.table, window, schema, filters)

    def count_tool_calls(self, window: Window) -> Totals:
        """What a window holds of `mcp_tool_logs`; nothing where there is no such table."""
        return self._count(Statements(self.tools), window) if self.tools else Totals()

    def unplaced_tool_calls(self) -> int:
        """The tool calls of the whole table whose time can't be read."""
        return self._unplaced(Statements(self.tools)) if self.tools else 0

    def read_tool_calls(self, window: Window, schema: pa.Schema) -> Reading:
        """Read the tool calls of one slice, in chunks as well."""
        return self._reading(self.tools, window, schema) if self.tools else Reading(Totals(), iter(()))

    def lookup(self, ids: Sequence[str], schema: pa.Schema) -> Requests:
        """Look requests up, each some hundreds in a snapshot of their own."""
        statements = Statements(self.table, schema)

        def ask(some: list[str]) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
            for batch in self._ask(statements.named_rows(some)):
                yield batch, self._mapped(batch, self.table, schema, Reading(Totals(), iter(())))

        return find_requests(ask, ids, schema)

    @cached_property
    def tools(self) -> Table | None:
        """The table of tool calls, which older log stores lack."""
        return find_other_table(self.connection, TOOL_CALLS, self.table.schema)

    def close(self) -> None:
        """Give back the connection; a reading that was left in the middle ends."""
        if self._batches is not None:
            self._batches.close()
        self.offloaded.close()
        self.connection.close()

    def _count(self, statements: Statements, window: Window) -> Totals:
        sums = self._sums(statements, statements.unread_totals(window)) if statements.has_created_at else Sums()
        for each in in_pieces(window, lambda piece: self._sums(statements, statements.totals(piece))):
            sums += each
        return sums.totals()

    def _unplaced(self, statements: Statements) -> int:
        [batch] = self._ask(statements.unplaced(), statements)
        return int(batch.column("rows")[0].as_py())

    def _reading(self, table: Table, window: Window, schema: pa.Schema, filters: Filters | None = None) -> Reading:
        reading = Reading(Totals(), iter(()))
        self._batches = self._read(Statements(table, schema, filters), window, schema, reading)
        reading.batches = self._batches
        return reading

    def _read(
        self, statements: Statements, window: Window, schema: pa.Schema, reading: Reading
    ) -> Generator[pa.RecordBatch, None, None]:
        table, sums = statements.table, Sums()
        if statements.has_created_at:
            unread = unread_chunk(self.connection, statements, window)
            reading.rejected.extend(_unread(unread, table))
            sums += unread.sums

        def rows() -> Generator[pa.RecordBatch, None, None]:
            nonlocal sums
            with closing(ahead(chunks(self.connection, statements, window), depth=1)) as pieces:
                for chunk in pieces:
                    sums += chunk.sums
                    reading.removed += chunk.removed
                    yield from self._records(chunk, table, schema, reading)

        with closing(rows()) as stream:
            yield from in_order(stream, schema.empty_table(), schema)
        reading.totals = sums.totals()
        reading.rejected.sort(key=place_of)

    def _by_time(self, window: Window, moment: dt.timedelta) -> Iterator[tuple[int, int]]:
        for batches in in_pieces(window, lambda piece: self._ask(self.statements.by_time(piece, moment))):
            for batch in batches:
                moments = batch.column("moment").cast(pa.int64())
                yield from zip(moments.to_pylist(), batch.column("rows").to_pylist(), strict=True)

    def _sums(self, statements: Statements, sql: str) -> Sums:
        [batch] = self._ask(sql, statements)
        return Sums.of_row(*batch.to_pylist())

    def _ask(self, sql: str, statements: Statements | None = None) -> list[pa.RecordBatch]:
        with self.connection.snapshot((statements or self.statements).lock):
            return list(self.connection.batches(sql))

    def _records(self, chunk: Chunk, table: Table, schema: pa.Schema, reading: Reading) -> Iterator[pa.RecordBatch]:
        while chunk.batches:
            yield self._mapped(chunk.batches.pop(0), table, schema, reading)

    def _mapped(self, batch: pa.RecordBatch, table: Table, schema: pa.Schema, reading: Reading) -> pa.RecordBatch:
        instants = batch.column("timestamp").cast(pa.int64())
        batch = self.offloaded.complete(batch, instants, reading.offloaded, table.kind)
        return mapped(batch, instants, schema, reading.rejected)


def _unread(chunk: Chunk, table: Table) -> Iterator[Rejected]:
    kind = table.type_of("timestamp")
    for batch in chunk.batches:
        for index, placed in enumerate(batch.column("timestamp").cast(pa.int64()).to_pylist()):
            yield reject_unread(batch, index, placed, kind, None)


def _asked(schema: pa.Schema, kind: str = "logs", filters: Filters | None = None) -> Statements:
    """The statements for a table that has all columns."""
    table = usual_table((*COLUMNS, *content_sources(schema)), extra_fields(schema), kind)
    return Statements(table, schema, filters)


def _read_by(asked: Statements, window: Window) -> list[str]:
    return [asked.unread_totals(window), asked.unread_rows(window), asked.totals(window), asked.rows(window)]
