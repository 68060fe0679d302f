"""The log store port on a SQLite file that Bifrost may be writing to at the same time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from bifrost_export.errors import BifrostExportError, NoLogStoreError
from bifrost_export.logstore.column_types import column_types
from bifrost_export.logstore.contents import content_sources
from bifrost_export.logstore.extra_columns import extra_fields
from bifrost_export.logstore.inspection import Inspected
from bifrost_export.logstore.lookup import find_requests
from bifrost_export.logstore.offloaded import Completion
from bifrost_export.logstore.port import COLUMNS, TOOL_CALLS, Reading, Requests, Totals
from bifrost_export.logstore.rows import REQUIRED
from bifrost_export.logstore.slicing import cut_windows, step
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.connection import Connection
from bifrost_export.logstore.sqlite.declared_types import declared_type
from bifrost_export.logstore.sqlite.kinds import kinds
from bifrost_export.logstore.sqlite.reading import TableReading
from bifrost_export.logstore.sqlite.statements import Statements
from bifrost_export.logstore.sqlite.times import parse_moment, parse_time
from bifrost_export.window import Window, from_micros

if TYPE_CHECKING:
    from bifrost_export.filters.config import Filters
    from bifrost_export.logstore.columns import LogColumnType


def _characters(windows: Sequence[Window]) -> int:
    """How much of a time's text to count by: to its second, or its minute where the windows are long."""
    return 19 if step(windows) < dt.timedelta(minutes=1) else 16


def _asked(schema: pa.Schema, table: str = "logs", filters: Filters | None = None) -> Statements:
    """The statements for a table that has all columns."""
    wanted = [field.name for field in extra_fields(schema)]
    return Statements((*COLUMNS, *wanted, *content_sources(schema)), schema, table, filters)


def _read_by(asked: Statements, window: Window) -> list[str]:
    totals = asked.totals(window, ())
    return [
        asked.held(window),
        asked.candidates(window),
        *totals,
        asked.space_rows(window),
        asked.migrated_rows(window),
        *([asked.doubtful_rows(window)] if asked.removal else []),
    ]


class SQLiteLogStore(Inspected):
    """A SQLite log store, opened read-only.

    Args:
        config: Its path.

    Raises:
        LogStoreError: The file isn't there, or is no SQLite database.
        NoLogStoreError: It has no table `logs`, or one without the columns that all log stores have.
        LogStoreBusyError: It is locked.
    """

    kind: ClassVar[str] = "sqlite"
    offloaded: Completion
    Config = SQLiteConfig

    def __init__(self, config: SQLiteConfig) -> None:
        self.path = Path(config.path).expanduser().absolute()
        self.connection = Connection(self.path)
        self._batches: Generator[pa.RecordBatch, None, None] | None = None
        self.offloaded = Completion(config)
        try:
            self._columns = self._table()
        except BifrostExportError:
            self.close()
            raise
        self.statements = Statements(self._columns)

    def _table(self) -> frozenset[str]:
        if self.connection.execute("SELECT 1 AS found FROM sqlite_master WHERE type = 'view' AND name = 'logs'"):
            raise NoLogStoreError(
                f"`logs` of {self.path} is a view, which can leave rows out",
                allowed="Bifrost's own table",
                hint="Set source.config.path to the file that logs_store.config.path names in Bifrost's own config.",
            )
        names = self._columns_of("logs")
        if not names:
            raise NoLogStoreError(
                f"{self.path} has no table `logs`: it is no log store of Bifrost",
                hint="Set source.config.path to the file that logs_store.config.path names in Bifrost's own config.",
            )
        missing = [name for name in REQUIRED if name not in names]
        if missing:
            raise NoLogStoreError(
                f"the table `logs` of {self.path} lacks the columns {', '.join(missing)}",
                hint="Set source.config.path to the file that logs_store.config.path names in Bifrost's own config.",
            )
        return names

    def describe(self) -> dict[str, Any]:
        """`{"type", "path"}`."""
        return {"type": self.kind, "path": str(self.path)}

    def columns(self) -> frozenset[str]:
        """The columns that `logs` has here."""
        return self._columns

    def slices(self, windows: Sequence[Window], rows_per_slice: int, most: int) -> list[Window]:
        """Cut windows into slices by counts of their own rows, at whole seconds or minutes."""
        characters = _characters(windows)
        counts = [
            list(self._by_time(each, characters)) if self._is_long(each, rows_per_slice) else [] for each in windows
        ]
        return cut_windows(windows, counts, rows_per_slice, most)

    def _is_long(self, window: Window, rows: int) -> bool:
        """Whether a window can hold more rows; those around it are counted in."""
        [held] = self.connection.execute(self.statements.rows_about(window))
        return int(held["rows"]) > rows

    def _by_time(self, window: Window, characters: int) -> Iterator[tuple[int, int]]:
        for row in self.connection.execute(self.statements.by_time(window, characters)):
            moment = parse_moment(row["moment"])
            if moment is not None:
                yield moment, row["rows"]

    @classmethod
    def sql(
        cls, window: Window, schema: pa.Schema, tool_calls: pa.Schema | None = None, filters: Filters | None = None
    ) -> list[str]:
        """What a run of the window asks a log store that has all columns; nothing is opened."""
        asked = _asked(schema, filters=filters)
        statements = [
            asked.rows_about(window),
            asked.by_time(window, _characters([window])),
            asked.unplaced(),
            *_read_by(asked, window),
        ]
        if tool_calls is not None:
            calls = _asked(tool_calls, TOOL_CALLS)
            statements += [calls.unplaced(), *_read_by(calls, window), asked.named_rows(["<llm_request_id>"])]
        return statements

    def newest(self) -> dt.datetime | None:
        """Time of the newest row, whatever its status; None without a row whose time can be read."""
        found = self._latest(self.statements.newest())
        if found is None:
            return None
        # The migrated texts of a day sort behind all of Bifrost's own, whatever their time of day.
        own = self._latest(self.statements.newest(found[:10])) if found[10] == "T" else None
        known = [moment for text in (found, own) if (moment := parse_time(text)) is not None]
        return from_micros(max(known)) if known else None

    def _latest(self, sql: str) -> str | None:
        return next((str(row["timestamp"]) for row in self.connection.execute(sql)), None)

    def column_types(self, names: Sequence[str]) -> dict[str, LogColumnType]:
        """The types of columns that this package doesn't know, by how they are declared."""
        rows = self.connection.execute(
            "SELECT name, type, coalesce(dflt_value, '') AS zero FROM pragma_table_info('logs')"
        )
        found = {row["name"]: f"{row['type']} {row['zero']}" for row in rows}
        return column_types(names, found, declared_type, f"the table logs of {self.path}")

    def kinds(self, window: Window) -> list[tuple[str, str, int]]:
        """Each pair of `object_type` and `status` in about a window, with its rows."""
        return kinds(self.connection, window) if "object_type" in self._columns else []

    def has_table(self, name: str) -> bool:
        """Whether the file has a table of this name."""
        return bool(self._columns_of(name))

    def is_indexed(self) -> bool:
        """Whether an index on `timestamp` finds the rows of a window."""
        return bool(self.connection.execute(self.statements.time_indexes()))

    def count(self, window: Window) -> Totals:
        """What a window holds, without reading its rows."""
        return self._logs().count(window)

    def unplaced(self) -> int:
        """Rows of the whole table whose time can't be read from `timestamp` nor from `created_at`."""
        return self._logs().unplaced()

    def read(self, window: Window, schema: pa.Schema, filters: Filters | None = None) -> Reading:
        """Read one slice in one snapshot, rows and totals; the snapshot lasts until the batches end."""
        return self._read(self._logs(schema, filters if self._is_utf8 else None), window, schema)

    def count_tool_calls(self, window: Window) -> Totals:
        """What a window holds of `mcp_tool_logs`; nothing where there is no such table."""
        return self._tools().count(window) if self._tool_columns else Totals()

    def unplaced_tool_calls(self) -> int:
        """The tool calls of the whole table whose time can't be read."""
        return self._tools().unplaced() if self._tool_columns else 0

    def read_tool_calls(self, window: Window, schema: pa.Schema) -> Reading:
        """Read the tool calls of one slice, in a snapshot of their own."""
        if not self._tool_columns:
            return Reading(Totals(), iter(()))
        return self._read(self._tools(schema), window, schema)

    def lookup(self, ids: Sequence[str], schema: pa.Schema) -> Requests:
        """Look requests up."""
        reading = self._logs(schema)
        return find_requests(lambda some: reading.named(some, schema), ids, schema)

    def _read(self, table: TableReading, window: Window, schema: pa.Schema) -> Reading:
        reading, self._batches = table.read(window, schema)
        return reading

    def _logs(self, schema: pa.Schema | None = None, filters: Filters | None = None) -> TableReading:
        return TableReading(self.connection, Statements(self._columns, schema, filters=filters), self.offloaded)

    @cached_property
    def _is_utf8(self) -> bool:
        """Whether texts are stored as they are given; from UTF-16, SQLite mends them on the way."""
        [row] = self.connection.execute("PRAGMA encoding")
        return bool(row["encoding"] == "UTF-8")

    def _tools(self, schema: pa.Schema | None = None) -> TableReading:
        statements = Statements(self._tool_columns, schema, TOOL_CALLS)
        return TableReading(self.connection, statements, self.offloaded)

    @cached_property
    def _tool_columns(self) -> frozenset[str]:
        """The columns of `mcp_tool_logs`; none where it is missing, as in an older log store."""
        return self._columns_of(TOOL_CALLS)

    def _columns_of(self, table: str) -> frozenset[str]:
        rows = self.connection.execute(f"SELECT name FROM pragma_table_info('{table}')")
        return frozenset(row["name"] for row in rows)

    def close(self) -> None:
        """Give back the connection; a reading that was left in the middle ends."""
        if self._batches is not None:
            self._batches.close()
        self.offloaded.close()
        self.connection.close()
