"""Reading one table of a SQLite log store: what a slice holds, and its rows in their order."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields

import pyarrow as pa

from bifrost_export.errors import BifrostExportError
from bifrost_export.logstore.merging import in_order
from bifrost_export.logstore.offloaded import Completion
from bifrost_export.logstore.port import Offloaded, Reading, Rejected, Removed, Totals
from bifrost_export.logstore.prefetch import ahead
from bifrost_export.logstore.records import mapped
from bifrost_export.logstore.rejected import place_of, reject_unread
from bifrost_export.logstore.sqlite.connection import BATCH_ROWS, Connection
from bifrost_export.logstore.sqlite.odd_times import OddTimes, judge
from bifrost_export.logstore.sqlite.shared_snapshot import begin
from bifrost_export.logstore.sqlite.statements import Statements
from bifrost_export.logstore.sqlite.times import cast_times, pad_milliseconds, parse_time, parse_times, readable
from bifrost_export.window import Window

_MANY = 5_000
_LOOKS = 2
"""How many times of an index are read in the time that the look at one row takes."""

_WIDE_BYTES = 2 * 1024 * 1024
"""About so much a batch holds of rows with contents: several batches are in memory at once, each several times."""
_FEWEST_WIDE, _MOST_WIDE = 16, 512


@dataclass(frozen=True)
class Mapping:
    """Maps the rows of one reading.

    Args:
        schema: What is wanted.
        rejected: Gets the rows that could not become a record.
        offloaded: Completes the rows.
        counts: Gets what became of those that needed it.
        table: The rows'.
    """

    schema: pa.Schema
    rejected: list[Rejected]
    offloaded: Completion
    counts: Offloaded
    table: str

    def __call__(self, batch: pa.RecordBatch, instants: pa.Array) -> pa.RecordBatch:
        """Map rows whose instants are known, but for some that are null."""
        completed = self.offloaded.complete(batch, instants, self.counts, self.table)
        return mapped(completed, instants, self.schema, self.rejected, parse_times)

    def odd(self, batch: pa.RecordBatch, odd: OddTimes) -> pa.RecordBatch:
        """Map rows whose times were judged one by one."""
        rows = batch.column("row").to_pylist()
        for index, row in enumerate(rows):
            if row in odd.unread:
                placed, kind, length = odd.unread[row]
                self.rejected.append(reject_unread(batch, index, placed, kind, length))
        return self(batch, pa.array([odd.instants.get(row) for row in rows], pa.int64()))


class TableReading:
    """Reads one table.

    Args:
        connection: To the file.
        statements: Of the table.
        offloaded: Completes rows whose payload is elsewhere.
    """

    def __init__(self, connection: Connection, statements: Statements, offloaded: Completion) -> None:
        self.connection, self.statements, self.offloaded = connection, statements, offloaded

    def count(self, window: Window) -> Totals:
        """What a window holds."""
        with self.connection.snapshot():
            totals, _ = self._totals(window, self._odd_times(window), self.connection)
            return totals

    def unplaced(self) -> int:
        """Rows of the whole table whose time can't be read from `timestamp` nor from `created_at`."""
        rows = -1  # for the typed row in front
        for batch in self.connection.batches(self.statements.unplaced()):
            pairs = zip(readable(batch.column(0)), readable(batch.column(1)), strict=True)
            rows += sum(parse_time(own) is None and parse_time(created) is None for own, created in pairs)
        return rows

    def read(self, window: Window, schema: pa.Schema) -> tuple[Reading, Generator[pa.RecordBatch, None, None]]:
        """Read a slice in one snapshot, which lasts until the batches end; they are given twice, to be closed."""
        map_ = Mapping(schema, [], self.offloaded, Offloaded(), self.statements.table)
        reading = Reading(Totals(), iter(()), map_.rejected, map_.counts)
        twin = begin(self.connection)
        try:
            odd = self._odd_times(window)
        except BaseException:
            self._end(twin)
            raise

        def batches() -> Generator[pa.RecordBatch, None, None]:
            try:
                # The sums take as long as the rows: they are made beside them where both see one state.
                with ThreadPoolExecutor(1, thread_name_prefix="totals") as beside:
                    totals = beside.submit(self._totals, window, odd, twin) if twin else None
                    if totals is None:
                        reading.totals, reading.removed = self._totals(window, odd, self.connection)
                    others = pa.Table.from_batches(list(self._others(window, odd, map_)), schema)
                    yield from in_order(self._space(self.statements.space_rows(window), map_), others, schema)
                    if totals is not None:
                        reading.totals, reading.removed = totals.result()
                    if reading.removed.in_doubt:
                        yield from self._space(self.statements.doubtful_rows(window), map_)
                map_.rejected.sort(key=place_of)
            finally:
                self._end(twin)

        rows = reading.batches = batches()
        return reading, rows

    def _end(self, twin: Connection | None) -> None:
        """End the snapshots."""
        with suppress(BifrostExportError):
            self.connection.execute("ROLLBACK")
        if twin is not None:
            twin.close()

    def named(self, ids: list[str], schema: pa.Schema) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        """Rows by their ids, in no order: as they stand, and mapped, without those that can't be."""
        map_ = Mapping(schema, [], self.offloaded, Offloaded(), self.statements.table)
        for batch in self._rows(self.statements.named_rows(ids)):
            yield batch, map_(batch, parse_times(batch.column("timestamp")))

    def _odd_times(self, window: Window) -> OddTimes:
        [held] = self.connection.execute(self.statements.held(window))
        # One walk through the times of the whole table is cheaper than a look at most of its rows.
        whole = held["created"] * _LOOKS > held["highest"]
        return judge(self.connection.batches(self.statements.candidates(window, whole)), window)

    def _totals(self, window: Window, odd: OddTimes, connection: Connection) -> tuple[Totals, Removed]:
        total, removed = Totals(), Removed()
        for statement in self.statements.totals(window, odd.numbers):
            [row] = connection.execute(statement)
            total = Totals(**{each.name: getattr(total, each.name) + row[each.name] for each in fields(Totals)})
            if self.statements.removal is not None:
                removed += self.statements.removal.told(row)
        return total, removed

    def _space(self, sql: str, map_: Mapping) -> Iterator[pa.RecordBatch]:
        for batch in ahead(self._rows(sql)):
            yield map_(batch, cast_times(batch.column("timestamp")))

    def _others(self, window: Window, odd: OddTimes, map_: Mapping) -> Iterator[pa.RecordBatch]:
        for batch in self._rows(self.statements.migrated_rows(window)):
            yield map_(batch, cast_times(pad_milliseconds(batch.column("timestamp"))))
        numbers = sorted(odd.numbers)
        for first in range(0, len(numbers), _MANY):
            for batch in self._rows(self.statements.odd_rows(numbers[first : first + _MANY])):
                yield map_.odd(batch, odd)

    def _rows(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a query, without the typed one in front."""
        skip = 1
        for batch in self.connection.batches(sql, self._batch_rows() if self.statements.is_wide else BATCH_ROWS):
            rows, skip = batch.slice(skip), 0
            if rows.num_rows:
                yield rows

    def _batch_rows(self) -> int:
        """As many rows with contents as take about `_WIDE_BYTES`, if they are as wide as the file's rows are."""
        [held] = self.connection.execute(self.statements.span())
        rows = int(_WIDE_BYTES * held["rows"] // max(self.connection.path.stat().st_size, 1))
        return min(max(rows, _FEWEST_WIDE), _MOST_WIDE)
