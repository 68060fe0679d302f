"""Put rows into their order: `timestamp` as exported, then `request_id` by bytes (contract, section 4)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.errors import LogStoreError

_ORDER = [("timestamp", "ascending"), ("request_id", "ascending")]
_CHUNK = 32_768


def in_order(batches: Iterable[pa.RecordBatch], others: pa.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Merge a stream that is in order but for ties with rows that stand in memory.

    Rows of one instant are held back until a later one is seen: their texts can have stood in another order (nine
    digits are cut to six), also over the edge of two batches.

    Args:
        batches: The stream.
        others: Rows in any order, of the same schema.
        schema: Of both.

    Raises:
        LogStoreError: The stream is out of order by more than ties.
    """
    waiting = _sorted(others)
    held = schema.empty_table()
    for batch in batches:
        if not batch.num_rows:
            continue
        last = batch.column("timestamp")[-1]
        due = _count_until(waiting, last)
        rows = _sorted(pa.concat_tables([held, waiting.slice(0, due), pa.Table.from_batches([batch])]))
        waiting = waiting.slice(due)
        if not held.num_rows or held.column("timestamp")[0].as_py() <= rows.column("timestamp")[0].as_py():
            ready = pc.sum(pc.less(rows.column("timestamp"), last)).as_py() or 0
        else:
            ready = -1
        if ready < 0 or rows.column("timestamp")[-1] != last:
            raise LogStoreError("the log store gave rows out of the order of their times", hint="Report this.")
        yield from _chunks(rows.slice(0, ready))
        held = rows.slice(ready)
    yield from _chunks(_sorted(pa.concat_tables([held, waiting])))


def merged(
    left: Iterator[pa.RecordBatch], right: Iterator[pa.RecordBatch], order: tuple[str, str]
) -> Iterator[pa.RecordBatch]:
    """Merge two streams that are in order; a few batches of each are in memory.

    Args:
        left: Rows in order of a time, then of a text by bytes.
        right: The same; of two rows that are alike in both the left one comes first.
        order: The names of these columns.
    """
    one, other = _next(left), _next(right)
    keys = [(name, "ascending") for name in order]
    while one is not None and other is not None:
        until = min(_place(batch, len(batch) - 1, order) for batch in (one, other))
        counts = [_count_up_to(batch, until, order) for batch in (one, other)]
        due = pa.Table.from_batches([one.slice(0, counts[0]), other.slice(0, counts[1])])
        yield from _chunks(due.take(pc.sort_indices(due, sort_keys=keys)))
        one = one.slice(counts[0]) if counts[0] < len(one) else _next(left)
        other = other.slice(counts[1]) if counts[1] < len(other) else _next(right)
    for batch, rest in ((one, left), (other, right)):
        if batch is not None:
            yield batch
            yield from rest


def _next(stream: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    return next((batch for batch in stream if batch.num_rows), None)


def _place(batch: pa.RecordBatch, row: int, order: tuple[str, str]) -> tuple[int, bytes]:
    moment, text = (batch.column(name)[row] for name in order)
    return moment.value, text.as_py().encode()


def _count_up_to(batch: pa.RecordBatch, place: tuple[int, bytes], order: tuple[str, str]) -> int:
    return bisect_right(range(len(batch)), place, key=lambda row: _place(batch, row, order))


def _count_until(table: pa.Table, last: pa.Scalar) -> int:
    if not table.num_rows:
        return 0
    return pc.sum(pc.less_equal(table.column("timestamp"), last)).as_py() or 0


def _sorted(table: pa.Table) -> pa.Table:
    return table if _is_sorted(table) else table.take(pc.sort_indices(table, sort_keys=_ORDER))


def _is_sorted(table: pa.Table) -> bool:
    if table.num_rows < 2:
        return True
    instants = table.column("timestamp").combine_chunks().cast(pa.int64())
    before, after = instants.slice(0, len(instants) - 1), instants.slice(1)
    if not pc.all(pc.less_equal(before, after)).as_py():
        return False
    ties = pc.indices_nonzero(pc.equal(before, after))
    if not len(ties):
        return True
    ids = table.column("request_id")
    return bool(pc.all(pc.less_equal(ids.take(ties), ids.take(pc.add(ties, 1)))).as_py())


def _chunks(table: pa.Table) -> Iterator[pa.RecordBatch]:
    if not table.num_rows:
        return
    yield from table.combine_chunks().to_batches(max_chunksize=_CHUNK)
