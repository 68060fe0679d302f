"""Rows from several searches are put into one order, however they were batched."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.merging import in_order, merged

SCHEMA = pa.schema([("timestamp", pa.timestamp("us", tz="UTC")), ("request_id", pa.string())])
ROWS = st.lists(st.tuples(st.integers(0, 6), st.text("abÄz", max_size=2)), max_size=25)


def table(rows: list[tuple[int, str]]) -> pa.Table:
    """Rows of (instant, id)."""
    return pa.table({"timestamp": [row[0] for row in rows], "request_id": [row[1] for row in rows]}).cast(SCHEMA)


def key(row: tuple[int, str]) -> tuple[int, bytes]:
    """The order of the contract: instant, then id by bytes."""
    return row[0], row[1].encode()


@given(stream=ROWS, others=ROWS, cuts=st.lists(st.integers(0, 25), max_size=6))
def test_the_rows_come_out_in_order_and_none_is_lost(
    stream: list[tuple[int, str]], others: list[tuple[int, str]], cuts: list[int]
) -> None:
    """The stream is in the order of its instants; their ties, and the other rows, are in any."""
    stream = sorted(stream, key=lambda row: row[0])
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    batches = [
        batch for start, end in pairwise(edges) for batch in table(stream[start:end]).combine_chunks().to_batches()
    ]

    ordered = pa.Table.from_batches(list(in_order(batches, table(others), SCHEMA)), SCHEMA)

    instants = ordered.column("timestamp").cast(pa.int64()).to_pylist()
    assert list(zip(instants, ordered.column("request_id").to_pylist(), strict=True)) == sorted(
        stream + others, key=key
    )


def cut(rows: list[tuple[int, str]], cuts: list[int]) -> Iterator[pa.RecordBatch]:
    """Rows as batches, some of them empty."""
    edges = [0, *sorted(min(each, len(rows)) for each in cuts), len(rows)]
    for start, end in pairwise(edges):
        yield pa.RecordBatch.from_arrays(
            [column.combine_chunks() for column in table(rows[start:end]).columns], schema=SCHEMA
        )


@given(left=ROWS, right=ROWS, cuts=st.lists(st.integers(0, 25), max_size=6), others=st.lists(st.integers(0, 25)))
def test_two_streams_in_order_become_one(
    left: list[tuple[int, str]], right: list[tuple[int, str]], cuts: list[int], others: list[int]
) -> None:
    """However both were cut into batches."""
    batches = merged(cut(sorted(left, key=key), cuts), cut(sorted(right, key=key), others), ("timestamp", "request_id"))

    found = pa.Table.from_batches(list(batches), SCHEMA)

    instants = found.column("timestamp").cast(pa.int64()).to_pylist()
    assert list(zip(instants, found.column("request_id").to_pylist(), strict=True)) == sorted(left + right, key=key)


def test_a_stream_that_goes_back_in_time_is_refused() -> None:
    """It would be published in a wrong order."""
    batches = [batch for rows in ([(5, "a")], [(3, "b")]) for batch in table(rows).to_batches()]
    with pytest.raises(LogStoreError, match="out of the order of their times"):
        list(in_order(batches, SCHEMA.empty_table(), SCHEMA))
