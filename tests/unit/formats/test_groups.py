"""Where groups of rows end: by rows and by bytes, never by how batches were cut."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.formats import groups
from bifrost_export.formats.groups import grouped

SCHEMA = pa.schema([("text", pa.string()), ("number", pa.int32())])


def sizes(lengths: list[int], *, rows: int, size: int, step: int = 1_000) -> list[int]:
    """How many rows each group gets, for rows whose text is so long, in batches of `step` rows."""
    table = pa.Table.from_pylist([{"text": "x" * each, "number": 0} for each in lengths], SCHEMA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "GROUP_ROWS", rows)
        patch.setattr(groups, "GROUP_BYTES", size)
        made = list(grouped(table.to_batches(max_chunksize=step), SCHEMA))
    assert pa.Table.from_batches(made, SCHEMA).equals(table)
    return [group.num_rows for group in made]


@pytest.mark.parametrize("step", [1, 2, 3, 1_000])
@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], []),
        ([0] * 4, [4]),
        ([0] * 9, [4, 4, 1]),
        ([16, 16, 16, 16, 16], [3, 2]),  # 20 bytes each, and 60 fit
        ([56, 56, 0, 0], [1, 1, 2]),
        ([57], [1]),
        ([57, 0, 0, 100, 500, 0], [1, 2, 1, 1, 1]),  # a row that is too large stands alone
    ],
)
def test_a_group_takes_what_fits(lengths: list[int], expected: list[int], step: int) -> None:
    """Four rows, and 60 bytes with four for the number of each."""
    assert sizes(lengths, rows=4, size=60, step=step) == expected


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(1, 6), st.integers(1, 60), st.integers(1, 31))
def test_batches_leave_no_trace(lengths: list[int], rows: int, size: int, step: int) -> None:
    """Any limits, any batches."""
    expected = sizes(lengths, rows=rows, size=size)

    assert sizes(lengths, rows=rows, size=size, step=step) == expected
    assert all(0 < each <= rows for each in expected)


def test_rows_with_contents_make_groups_of_some_megabytes() -> None:
    """With the real limits: 20,000 rows of 4 KB are not one group."""
    text = "x" * 4_096
    batch = pa.RecordBatch.from_pydict({"text": [text] * 20_000, "number": range(20_000)}, SCHEMA)

    made = [group.num_rows for group in grouped([batch], SCHEMA)]

    assert made == [8_184, 8_184, 3_632]
    assert 8_184 * 4_100 <= 32 * 1024 * 1024 < 8_185 * 4_100
