"""Group rows of any number in bounded memory: what doesn't fit is divided by groups into private files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.ipc as ipc

from bifrost_export.transforms.group_measures import Wanted, measure, order_of, result
from bifrost_export.transforms.partials import Partial, merge, read, split, write

if TYPE_CHECKING:
    from bifrost_export.transforms.port import Setting

_ROWS = 262_144
"""Rows that are measured together."""
_OUT = 32_768
"""Rows of a batch that is given on."""
_HEAD = 4096
"""Rows of a sorted file that are held while it is merged with others."""
_DEEPEST = 5
"""How often groups are divided at most: by 64 each time."""


class Grouping:
    """One aggregation.

    Args:
        wanted: What is measured.
        schema: Of the result: keys, then metrics.
        setting: Where files are opened, and how many bytes may be held, about.
    """

    def __init__(self, wanted: Wanted, schema: pa.Schema, setting: Setting) -> None:
        self.wanted = wanted
        self.schema = schema
        self.setting = setting

    def of(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The groups' rows, in order."""
        with ExitStack() as files:
            tables = self._tables(files, (measure(rows, self.wanted) for rows in _together(batches)), 0)
            yield from self._merged(tables, files)

    def _tables(self, files: ExitStack, partials: Iterable[Partial], level: int) -> Iterator[pa.Table]:
        """Sorted results of different groups."""
        held: list[Partial] = []
        buckets = _Buckets(self, files, level)
        for partial in partials:
            held.append(partial)
            if _size(held) > self.setting.memory:
                held = [merge(held, self.wanted.told_apart)]
                if level < _DEEPEST and _size(held) > self.setting.memory // 2:
                    buckets.add(held.pop())
        if not buckets.files:
            if held:
                yield result(merge(held, self.wanted.told_apart), self.wanted, self.schema)
            return
        if held:
            buckets.add(merge(held, self.wanted.told_apart))
            held.clear()
        for bucket in sorted(buckets.files):
            with buckets.files[bucket] as file:
                yield from self._tables(files, buckets.partials(file), level + 1)

    def _merged(self, tables: Iterator[pa.Table], files: ExitStack) -> Iterator[pa.RecordBatch]:
        first = next(tables, None)
        second = None if first is None else next(tables, None)
        if first is None:
            return
        if second is None:
            yield from first.to_batches(max_chunksize=_OUT)
            return
        runs = [self._run(first, files), self._run(second, files)]
        del first, second
        runs += [self._run(table, files) for table in tables]
        yield from _merge_runs(runs, len(self.wanted.keys), self.schema)

    def _run(self, table: pa.Table, files: ExitStack) -> Iterator[pa.RecordBatch]:
        """A sorted result, put aside."""
        file = files.enter_context(self.setting.scratch())
        with ipc.new_stream(file, table.schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_table(table, max_chunksize=_HEAD)
        file.seek(0)
        return iter(ipc.open_stream(file))


class _Buckets:
    """Files of partial results, divided by groups.

    Args:
        grouping: What they belong to.
        files: Closes them.
        level: How often their groups have been divided before.
    """

    def __init__(self, grouping: Grouping, files: ExitStack, level: int) -> None:
        self.grouping = grouping
        self.stack = files
        self.level = level
        self.files: dict[int, BinaryIO] = {}

    def add(self, partial: Partial) -> None:
        """Divide a partial result."""
        for bucket, piece in split(partial, self.level):
            if bucket not in self.files:
                self.files[bucket] = self.stack.enter_context(self.grouping.setting.scratch())
            write(piece, self.files[bucket])

    def partials(self, file: BinaryIO) -> Iterator[Partial]:
        """What a file holds."""
        wanted = self.grouping.wanted
        file.seek(0)
        while (partial := read(file, wanted.keys, wanted.told_apart)) is not None:
            yield partial


def _size(partials: Iterable[Partial]) -> int:
    return sum(each.nbytes for each in partials)


def _together(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches in tables of many rows."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)


_RUN, _LAST = "run", "last"


def _merge_runs(runs: list[Iterator[pa.RecordBatch]], keys: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Sorted streams as one: what stands before the first head's end is complete."""
    held = _with_marks(schema.empty_table(), 0)
    empty = list(range(len(runs)))
    open_runs = set(empty)
    while open_runs or held.num_rows:
        heads = [held]
        for run in empty:
            batch = next(runs[run], None)
            if batch is None:
                open_runs.discard(run)
            else:
                heads.append(_with_marks(pa.Table.from_batches([batch]), run))
        merged = pa.concat_tables(heads).combine_chunks()
        merged = merged.take(order_of(merged, keys))
        ready = _ready(merged) if open_runs else merged.num_rows
        done = merged.slice(0, ready)
        empty = sorted(set(done.filter(done.column(_LAST)).column(_RUN).to_pylist()) & open_runs)
        held = merged.slice(ready)
        yield from done.select(schema.names).combine_chunks().to_batches(max_chunksize=_OUT)


def _ready(merged: pa.Table) -> int:
    """The rows up to the first that is the last of its head."""
    found: int = merged.column(_LAST).index(pa.scalar(True)).as_py()
    return found + 1


def _with_marks(table: pa.Table, run: int) -> pa.Table:
    rows = table.num_rows
    runs = pa.repeat(pa.scalar(run, pa.int32()), rows)
    last = pa.array([False] * (rows - 1) + [True] if rows else [], pa.bool_())
    return table.append_column(_RUN, runs).append_column(_LAST, last)
