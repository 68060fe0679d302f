"""Cut a stream of batches into groups that depend on the rows alone, however the batches were cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.errors import FormatError
from bifrost_export.formats.sizes import row_ends

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

GROUP_ROWS = 131_072
GROUP_BYTES = 32 * 1024 * 1024
"""Bytes of a group's values in Arrow: rows with contents are so wide that fewer of them make a group."""


def grouped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches of `GROUP_ROWS` rows, or of as many as fit into `GROUP_BYTES` (one at least).

    Args:
        batches: The rows, in order.
        schema: Of every batch.

    Raises:
        FormatError: A required column holds a null.
    """
    held: list[pa.RecordBatch] = []
    rows, room = 0, GROUP_BYTES
    for batch in batches:
        check_required(batch)
        ends = row_ends(batch)
        start = used = 0
        while start < batch.num_rows:
            stop = min(int(ends.searchsorted(used + room, "right")), start + GROUP_ROWS - rows)
            stop = max(stop, start if held else start + 1)
            if stop > start:
                held.append(batch.slice(start, stop - start))
                rows, room, used = rows + stop - start, room - (ends[stop - 1] - used), ends[stop - 1]
            if stop < batch.num_rows:
                yield _merged(held, schema)
                rows, room = 0, GROUP_BYTES
            start = stop
    if held:
        yield _merged(held, schema)


def check_required(batch: pa.RecordBatch) -> None:
    """Refuse a null in a column that is not nullable.

    Raises:
        FormatError: There is one.
    """
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if column.null_count and not field.nullable:
            raise FormatError(
                f"the required column {field.name!r} holds {column.null_count:,} nulls",
                hint="Mend the transformation that has emptied it.",
            )


def _merged(held: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """One batch of those held, which are let go before it is written: wide rows take much memory.

    Its columns are copies, so that a slice of a longer array writes the same bytes as one of its own.
    """
    import pyarrow as pa

    columns = [pa.concat_arrays([batch.column(index) for batch in held]) for index in range(len(schema))]
    held.clear()
    return pa.RecordBatch.from_arrays(columns, schema=schema)
