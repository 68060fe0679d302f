"""What rows come down to for an aggregation: groups, sums, and how often each latency, exponent and customer came.

Partial results of any pieces of the rows can be merged, split by groups, and written to a file, in any order.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

Array = np.ndarray[Any, Any]

GROUP = "group"
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))
_BITS = 6
BUCKETS = 1 << _BITS
"""Into how many pieces `split` divides the groups."""

MINIMA, MAXIMA = "least", "greatest"
"""Names of what is no sum."""


@dataclass(frozen=True)
class Partial:
    """A partial result.

    Args:
        keys: One row a group, different ones: the columns that rows are grouped by.
        sums: Name -> a whole number for each group.
        details: Name -> rows of a group each: `group` (a row of `keys`), what is told apart, and whole numbers that
            add up; there is one row for each group and what is told apart.
    """

    keys: pa.Table
    sums: dict[str, Array]
    details: dict[str, pa.Table]

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(
            self.keys.nbytes
            + sum(each.nbytes for each in self.sums.values())
            + sum(each.nbytes for each in self.details.values())
        )


def numbered(columns: Sequence[pa.Array]) -> tuple[Array, Array]:
    """Number rows by what they hold: for each row the number of its group, and for each group one of its rows."""
    combined: Array | None = None
    room = 1
    for column in columns:
        encoded = column.dictionary_encode()
        codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
        size = len(encoded.dictionary) + 1
        if combined is not None and room * size >= 1 << 62:
            combined = np.unique(combined, return_inverse=True)[1]
            room = int(combined.max(initial=0)) + 1
        combined = codes if combined is None else combined * size + codes
        room *= size
    assert combined is not None  # noqa: S101 (there is always a column)
    _, first, numbers = np.unique(combined, return_index=True, return_inverse=True)
    return numbers, first


def in_groups(numbers: Array) -> tuple[Array, Array]:
    """The rows in order of their groups, and where each group begins; every number occurs."""
    order = np.argsort(numbers, kind="stable")
    return order, np.searchsorted(numbers[order], np.arange(int(numbers.max(initial=-1)) + 1))


def combined(name: str, values: Array, order: Array, starts: Array) -> Array:
    """Whole numbers added up by groups, or the least or greatest of each."""
    reduce = {MINIMA: np.minimum, MAXIMA: np.maximum}.get(name, np.add)
    return reduce.reduceat(values[order], starts) if len(starts) else values[:0]


def collapsed(table: pa.Table, told_apart: Sequence[str]) -> pa.Table:
    """A detail with one row for each group and what is told apart; the other columns are added up."""
    if not table.num_rows:
        return table
    table = table.combine_chunks()
    numbers, first = numbered([_one(table.column(name)) for name in (GROUP, *told_apart)])
    order, starts = in_groups(numbers)
    rows = pa.array(first)
    columns = {
        name: table.column(name).take(rows)
        if name in (GROUP, *told_apart)
        else pa.array(combined(name, table.column(name).to_numpy(), order, starts))
        for name in table.column_names
    }
    return pa.table(columns, schema=table.schema)


def merge(partials: Sequence[Partial], told_apart: dict[str, tuple[str, ...]]) -> Partial:
    """Several partial results as one.

    Args:
        partials: At least one.
        told_apart: Detail -> the columns that are told apart in it, beside the group.
    """
    keys = pa.concat_tables([each.keys for each in partials]).combine_chunks()
    numbers, first = numbered([_one(column) for column in keys.columns])
    order, starts = in_groups(numbers)
    sums = {
        name: combined(name, np.concatenate([each.sums[name] for each in partials]), order, starts)
        for name in partials[0].sums
    }
    offsets = np.concatenate([[0], np.cumsum([each.keys.num_rows for each in partials])])
    details = {}
    for name, columns in told_apart.items():
        moved = [
            _regrouped(each.details[name], numbers[offset + each.details[name].column(GROUP).to_numpy()])
            for each, offset in zip(partials, offsets, strict=False)
        ]
        details[name] = collapsed(pa.concat_tables(moved), columns)
    return Partial(keys.take(pa.array(first)), sums, details)


def split(partial: Partial, level: int) -> Iterator[tuple[int, Partial]]:
    """A partial result in pieces of groups, by a hash of what they hold.

    Args:
        partial: It.
        level: How often its groups have been split before.

    Returns:
        The number of a bucket, below `BUCKETS`, and its piece; none that is empty.
    """
    bucket = _hashes(partial.keys) >> np.uint64(_BITS * level) & np.uint64(BUCKETS - 1)
    bucket = bucket.astype(np.int64)
    order = np.argsort(bucket, kind="stable")
    edges = np.searchsorted(bucket[order], np.arange(BUCKETS + 1))
    within = np.empty(len(bucket), np.int32)
    within[order] = np.arange(len(bucket)) - edges[bucket[order]]
    placed = {name: _placed(table, bucket, within) for name, table in partial.details.items()}
    for number in range(BUCKETS):
        rows = order[edges[number] : edges[number + 1]]
        if len(rows):
            yield (
                number,
                Partial(
                    partial.keys.take(pa.array(rows)),
                    {name: values[rows] for name, values in partial.sums.items()},
                    {
                        name: table.slice(at[number], at[number + 1] - at[number])
                        for name, (table, at) in placed.items()
                    },
                ),
            )


def _placed(table: pa.Table, bucket: Array, within: Array) -> tuple[pa.Table, Array]:
    """A detail's rows in order of their buckets, with the groups' new numbers, and where each bucket begins."""
    groups = table.column(GROUP).to_numpy()
    order = np.argsort(bucket[groups], kind="stable")
    edges = np.searchsorted(bucket[groups][order], np.arange(BUCKETS + 1))
    return _regrouped(table.take(pa.array(order)), within[groups[order]]), edges


def _regrouped(table: pa.Table, groups: Array) -> pa.Table:
    return table.set_column(0, GROUP, pa.array(groups.astype(np.int32)))


def _one(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _hashes(keys: pa.Table) -> Array:
    """A hash of each row that is the same in every process."""
    mixed = np.zeros(keys.num_rows, np.uint64)
    for column in keys.columns:
        encoded = _one(column).dictionary_encode()
        values = [zlib.crc32(repr(value).encode()) for value in _plain(encoded.dictionary).to_pylist()]
        codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
        mixed = (mixed ^ np.array([*values, 1], np.uint64)[codes]) * _MIX[0]
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX[1]
    hashes: Array = mixed ^ (mixed >> np.uint64(32))
    return hashes


def _plain(values: pa.Array) -> pa.Array:
    return values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values


def write(partial: Partial, sink: BinaryIO) -> None:
    """Append a partial result to a file."""
    options = ipc.IpcWriteOptions(compression="lz4")
    groups = partial.keys
    for name, values in partial.sums.items():
        groups = groups.append_column(f"sum {name}", pa.array(values))
    for table in (groups, *partial.details.values()):
        with ipc.new_stream(sink, table.schema, options=options) as writer:
            writer.write_table(table)


def read(source: BinaryIO, keys: Sequence[str], details: Iterable[str]) -> Partial | None:
    """The next partial result of a file; None at its end.

    Args:
        source: What `write` has written, from the beginning of one.
        keys: Names of the columns that rows are grouped by.
        details: Names of the details.
    """
    if not source.read(1):
        return None
    source.seek(-1, 1)
    groups = ipc.open_stream(source).read_all()
    sums = {name.removeprefix("sum "): groups.column(name).to_numpy() for name in groups.column_names[len(keys) :]}
    return Partial(
        groups.select(list(range(len(keys)))), sums, {name: ipc.open_stream(source).read_all() for name in details}
    )
