"""The digest of a part's rows knows their values and order, and nothing of how they are packed."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_export.pipeline.content_digest import ContentDigest

KINDS = {
    "timestamp": (pa.timestamp("us", tz="UTC"), st.integers(0, 10**15)),
    "request_id": (pa.string(), st.text(max_size=6)),
    "tokens": (pa.int32(), st.none() | st.integers(-(2**31), 2**31 - 1)),
    "cost_usd": (pa.float64(), st.none() | st.floats(allow_nan=False)),
    "stream": (pa.bool_(), st.none() | st.booleans()),
    "note": (pa.string(), st.none() | st.text(max_size=6)),
    "date": (pa.date32(), st.none() | st.integers(0, 30_000)),
}
SCHEMA = pa.schema([(name, kind) for name, (kind, _) in KINDS.items()])
ROWS = st.lists(st.fixed_dictionaries({name: values for name, (_, values) in KINDS.items()}), max_size=20)


def batch_of(rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> pa.RecordBatch:
    """The rows as one batch."""
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def digest(*batches: pa.RecordBatch, schema: pa.Schema = SCHEMA) -> str:
    """The digest of batches."""
    content = ContentDigest(schema)
    for batch in batches:
        content.add(batch)
    return content.hex()


@given(ROWS, st.lists(st.integers(0, 20), max_size=5))
@settings(deadline=None)
def test_batches_and_slices_never_change_it(rows: list[dict[str, Any]], cuts: list[int]) -> None:
    """Cut anywhere, with rows before and behind that belong to no slice, it is the same."""
    whole = batch_of(rows)
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    slices = [whole.slice(start, end - start) for start, end in pairwise(edges)]
    padded = batch_of([*rows, *rows, *rows]).slice(len(rows), len(rows))

    assert digest(*slices) == digest(whole)
    assert digest(padded) == digest(whole)


@given(ROWS.filter(bool), st.data())
@settings(deadline=None)
def test_any_other_value_changes_it(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """One value, one null, one row more or less, two rows the other way round."""
    at = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(sorted(KINDS)))
    other = data.draw(KINDS[name][1].filter(lambda value: value != rows[at][name]))
    changed = [*rows[:at], {**rows[at], name: other}, *rows[at + 1 :]]
    turned = [*rows[:at], *reversed(rows[at : at + 2]), *rows[at + 2 :]]

    assert digest(batch_of(changed)) != digest(batch_of(rows))
    assert digest(batch_of([*rows, rows[at]])) != digest(batch_of(rows))
    assert (digest(batch_of(turned)) == digest(batch_of(rows))) == (turned == rows)


def test_a_columns_name_type_and_place_count() -> None:
    """So does which of two columns a value stands in."""
    values = pa.array([1, 2], pa.int64())
    tables = [
        pa.table({"a": values, "b": values.cast(pa.int32())}),
        pa.table({"a": values, "c": values.cast(pa.int32())}),
        pa.table({"a": values, "b": values}),
        pa.table({"b": values.cast(pa.int32()), "a": values}),
    ]
    assert len({digest(*each.to_batches(), schema=each.schema) for each in tables}) == len(tables)


def test_where_one_text_ends_and_the_next_begins_counts() -> None:
    """The same letters in other rows are other rows; null is no empty text."""
    schema = pa.schema([("a", pa.string())])
    columns = [["ab", "c"], ["a", "bc"], ["abc", ""], ["abc", None], [None, "abc"], ["", "abc"]]
    batches = [batch_of([{"a": each} for each in column], schema) for column in columns]

    assert len({digest(each, schema=schema) for each in batches}) == len(columns)


@pytest.mark.parametrize(
    "packed",
    [
        lambda array: array.dictionary_encode(),
        lambda array: array.cast(pa.large_string()),
        lambda array: array.cast(pa.string_view()),
    ],
    ids=["dictionary", "large", "view"],
)
def test_how_texts_are_packed_does_not_count(packed: Any) -> None:
    """They are the same values."""
    plain = pa.array(["a", None, "", "a", "ö"])
    other = packed(plain)
    tables = [pa.table({"a": plain}), pa.table({"a": other})]

    one, two = (digest(*each.to_batches(), schema=each.schema) for each in tables)
    assert one == two


def test_what_lies_under_a_null_does_not_count() -> None:
    """Whatever a library has left in its slot."""
    validity = pa.py_buffer(b"\x05")
    columns = [
        pa.Array.from_buffers(pa.int32(), 3, [validity, pa.py_buffer(bytes([1, 0, 0, 0, junk, 0, 0, 0, 3, 0, 0, 0]))])
        for junk in (0, 7)
    ]
    texts = [
        pa.Array.from_buffers(
            pa.string(),
            3,
            [validity, pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0, end, 0, 0, 0, end + 1, 0, 0, 0])), data],
        )
        for end, data in ((1, pa.py_buffer(b"ab")), (3, pa.py_buffer(b"a??b")))
    ]
    for one, two in (columns, texts):
        assert one.to_pylist() == two.to_pylist()
        schema = pa.schema([("a", one.type)])
        left, right = (pa.RecordBatch.from_arrays([each], schema=schema) for each in (one, two))
        assert digest(left, schema=schema) == digest(right, schema=schema)


def test_numbers_that_are_equal_are_the_same() -> None:
    """-0.0 is 0.0, and every NaN is NaN."""
    schema = pa.schema([("a", pa.float64())])
    odd = pa.array([math.nan], pa.float64()).view(pa.int64()).to_pylist()[0] | 1
    nans = [pa.array([each], pa.int64()).view(pa.float64()) for each in (odd, odd & ~1)]
    zeros = [pa.array([each], pa.float64()) for each in (0.0, -0.0)]
    for one, two in (nans, zeros):
        batches = [pa.RecordBatch.from_arrays([each], schema=schema) for each in (one, two)]
        assert digest(batches[0], schema=schema) == digest(batches[1], schema=schema)


def test_lists_and_structs_are_told_by_what_is_in_them() -> None:
    """A transformation of one's own may give them."""
    kind = pa.list_(pa.struct([("a", pa.int32()), ("b", pa.string())]))
    schema = pa.schema([("x", kind)])
    rows = [[{"a": 1, "b": "x"}], None, [], [{"a": 2, "b": None}, None]]
    whole = pa.RecordBatch.from_arrays([pa.array(rows, kind)], schema=schema)
    other = pa.RecordBatch.from_arrays([pa.array([*rows[:3], [None, {"a": 2, "b": None}]], kind)], schema=schema)

    assert digest(whole.slice(0, 1), whole.slice(1), schema=schema) == digest(whole, schema=schema)
    assert digest(other, schema=schema) != digest(whole, schema=schema)
