"""What rows take in Arrow."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given

from bifrost_export.formats.sizes import row_ends, value_bytes
from tests.unit.formats.rows import CUTS, WIDE, cut, wide_rows


@given(rows=wide_rows(), cuts=CUTS)
def test_how_rows_are_batched_changes_no_size(rows: list[dict[str, Any]], cuts: list[int]) -> None:
    """Slices of a longer array and arrays of their own add up to the same."""
    batches = cut(pa.Table.from_pylist(rows, WIDE), cuts)
    copies = [pa.RecordBatch.from_pylist(batch.to_pylist(), WIDE) for batch in batches]
    whole = sum(map(value_bytes, pa.Table.from_pylist(rows, WIDE).to_batches()))

    assert sum(map(value_bytes, batches)) == sum(map(value_bytes, copies)) == whole


@given(rows=wide_rows())
def test_values_are_counted_one_by_one(rows: list[dict[str, Any]]) -> None:
    """Numbers and times by their width, also where they are null; texts in UTF-8, with 4 bytes for the end of each."""
    widths = {"timestamp": 8, "status_code": 4, "count": 8, "cost_usd": 8, "stream": 1, "day": 4, "seen": 8}
    batch = pa.RecordBatch.from_pylist(rows, WIDE)
    texts = [row[name] or "" for row in rows for name in ("request_id", "note", "attributes")]
    expected = len(rows) * sum(widths.values()) + sum(len(text.encode()) for text in texts)

    assert value_bytes(batch) == expected + 4 * len(texts)
    assert (list(row_ends(batch)) or [0])[-1] == expected


def test_what_lies_below_a_null_takes_nothing() -> None:
    """Arrow may leave any bytes there."""
    bits = pa.array([True, False]).buffers()[1]
    messy = pa.Array.from_buffers(pa.string(), 2, [bits, *pa.array(["ab", "left behind"]).buffers()[1:]])

    assert value_bytes(pa.record_batch([messy], ["text"])) == 2 + 2 * 4
