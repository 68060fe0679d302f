"""The log store port on a SQLite file that Bifrost may be writing to at the same time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from bifrost_export.config.sources import SQLiteConfig
from bifrost_export.errors import BifrostExportError, NoLogStoreError
from bifrost_export.logstore.cutting import cut_windows, step
from bifrost_export.logstore.extra_columns import extra_fields
from bifrost_export.logstore.merging import in_order
from bifrost_export.logstore.port import COLUMNS, Reading, Rejected, Totals
from bifrost_export.logstore.reading_ahead import ahead
from bifrost_export.logstore.records import mapped
from bifrost_export.logstore.rejecting import place_of, reject_unread
from bifrost_export.logstore.rows import REQUIRED
from bifrost_export.logstore.sqlite.connection import Connection
from bifrost_export.logstore.sqlite.odd_times import OddTimes, judge
from bifrost_export.logstore.sqlite.statements import Statements
from bifrost_export.logstore.sqlite.times import (
    cast_times,
    pad_milliseconds,
    parse_moment,
    parse_time,
    parse_times,
    readable,
)
from bifrost_export.window import Window, from_micros

_MANY = 5_000


def _characters(windows: Sequence[Window]) -> int:
    """How much of a time's text to count by: to its second, or its minute where the windows are long."""
    return 19 if step(windows) < dt.timedelta(minutes=1) else 16


@dataclass(frozen=True)
class _Mapping:
    """Maps the rows of one reading.

    Args:
        schema: What is wanted.
        rejected: Gets the rows that could not become a record.
    """

    schema: pa.Schema
    rejected: list[Rejected]

    def __call__(self, batch: pa.RecordBatch, instants: pa.Array) -> pa.RecordBatch:
        """Map rows whose instants are known, but for some that are null."""
        return mapped(batch, instants, self.schema, self.rejected, parse_times)

    def odd(self, batch: pa.RecordBatch, odd: OddTimes) -> pa.RecordBatch:
        """Map rows whose times were judged one by one."""
        rows = batch.column("row").to_pylist()
        for index, row in enumerate(rows):
            if row in odd.unread:
                placed, kind, length = odd.unread[row]
                self.rejected.append(reject_unread(batch, index, placed, kind, length))
        return self(batch, pa.array([odd.instants.get(row) for row in rows], pa.int64()))


class SQLiteLogStore:
    """A SQLite log store, opened read-only.

    Args:
        config: Its path.

    Raises:
        LogStoreError: The file isn't there, or is no SQLite database.
        NoLogStoreError: It has no table `logs`, or one without the columns that all log stores have.
        LogStoreBusyError: It is locked.
    """

    kind: ClassVar[str] = "sqlite"
    Config = SQLiteConfig

    def __init__(self, config: SQLiteConfig) -> None:
        self.path = Path(config.path).expanduser().absolute()
        self.connection = Connection(self.path)
        self._batches: Generator[pa.RecordBatch, None, None] | None = None
        try:
            self._columns = self._table()
        except BifrostExportError:
            self.close()
            raise
        self.statements = Statements(self._columns)

    def _table(self) -> frozenset[str]:
        names = frozenset(row["name"] for row in self.connection.execute("SELECT name FROM pragma_table_info('logs')"))
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

    def cuts(self, windows: Sequence[Window], rows_per_slice: int, most: int) -> list[Window]:
        """Cut windows into slices by counts of their own rows, at whole seconds or minutes."""
        counts = [list(self._by_time(window, _characters(windows))) for window in windows]
        return cut_windows(windows, counts, rows_per_slice, most)

    def _by_time(self, window: Window, characters: int) -> Iterator[tuple[int, int]]:
        for row in self.connection.execute(self.statements.by_time(window, characters)):
            moment = parse_moment(row["moment"])
            if moment is not None:
                yield moment, row["rows"]

    @classmethod
    def sql(cls, window: Window, schema: pa.Schema) -> list[str]:
        """What a run of the window asks a log store that has all columns; nothing is opened."""
        extra = extra_fields(schema)
        asked = Statements((*COLUMNS, *(field.name for field in extra)), extra)
        counted = [asked.by_time(window, _characters([window])), asked.unplaced()]
        return [
            *counted,
            asked.candidates(window),
            *asked.totals(window, ()),
            asked.space_rows(window),
            asked.migrated_rows(window),
        ]

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

    def is_indexed(self) -> bool:
        """Whether an index on `timestamp` finds the rows of a window."""
        return bool(self.connection.execute(self.statements.time_indexes()))

    def count(self, window: Window) -> Totals:
        """What a window holds, without reading its rows."""
        with self.connection.snapshot():
            return self._totals(window, self._odd_times(window))

    def unplaced(self) -> int:
        """Rows of the whole table whose time can't be read from `timestamp` nor from `created_at`."""
        rows = -1  # for the typed row in front
        for batch in self.connection.batches(self.statements.unplaced()):
            pairs = zip(readable(batch.column(0)), readable(batch.column(1)), strict=True)
            rows += sum(parse_time(own) is None and parse_time(created) is None for own, created in pairs)
        return rows

    def read(self, window: Window, schema: pa.Schema) -> Reading:
        """Read one slice in one snapshot, rows and totals; the snapshot lasts until the batches end."""
        rejected: list[Rejected] = []
        statements = Statements(self._columns, extra_fields(schema))
        map_ = _Mapping(schema, rejected)
        snapshot = self.connection.snapshot()
        snapshot.__enter__()
        try:
            odd = self._odd_times(window)
            totals = self._totals(window, odd)
        except BaseException:
            snapshot.__exit__(None, None, None)
            raise

        def batches() -> Generator[pa.RecordBatch, None, None]:
            try:
                others = pa.Table.from_batches(list(self._others(statements, window, odd, map_)), schema)
                yield from in_order(self._space(statements, window, map_), others, schema)
                rejected.sort(key=place_of)
            finally:
                snapshot.__exit__(None, None, None)

        self._batches = batches()
        return Reading(totals, self._batches, rejected)

    def close(self) -> None:
        """Give back the connection; a reading that was left in the middle ends."""
        if self._batches is not None:
            self._batches.close()
        self.connection.close()

    def _odd_times(self, window: Window) -> OddTimes:
        return judge(self.connection.batches(self.statements.candidates(window)), window)

    def _totals(self, window: Window, odd: OddTimes) -> Totals:
        total = Totals()
        for statement in self.statements.totals(window, odd.numbers):
            [row] = self.connection.execute(statement)
            total = Totals(**{name: getattr(total, name) + value for name, value in row.items()})
        return total

    def _space(self, statements: Statements, window: Window, map_: _Mapping) -> Iterator[pa.RecordBatch]:
        for batch in ahead(self._rows(statements.space_rows(window))):
            yield map_(batch, cast_times(batch.column("timestamp")))

    def _others(
        self, statements: Statements, window: Window, odd: OddTimes, map_: _Mapping
    ) -> Iterator[pa.RecordBatch]:
        for batch in self._rows(statements.migrated_rows(window)):
            yield map_(batch, cast_times(pad_milliseconds(batch.column("timestamp"))))
        numbers = sorted(odd.numbers)
        for first in range(0, len(numbers), _MANY):
            for batch in self._rows(statements.odd_rows(numbers[first : first + _MANY])):
                yield map_.odd(batch, odd)

    def _rows(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a query, without the typed one in front."""
        skip = 1
        for batch in self.connection.batches(sql):
            rows, skip = batch.slice(skip), 0
            if rows.num_rows:
                yield rows
