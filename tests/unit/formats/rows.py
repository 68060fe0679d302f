"""Rows to write, odd ones among them, and ways to write them."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from bifrost_export.datasets import schema_of
from bifrost_export.registry import FORMATS

UTC = dt.timezone.utc
START = dt.datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
RECORD = schema_of("request_logs")
WIDE = pa.schema(
    [
        pa.field("timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("request_id", pa.string(), nullable=False),
        pa.field("note", pa.string()),
        pa.field("attributes", pa.large_string()),
        pa.field("status_code", pa.int32(), nullable=False),
        pa.field("count", pa.int64()),
        pa.field("cost_usd", pa.float64()),
        pa.field("stream", pa.bool_()),
        pa.field("day", pa.date32()),
        pa.field("seen", pa.timestamp("us", tz="UTC")),
    ]
)
"""A column of every type that a dataset has, nullable ones among them."""

ODD_TEXTS = [
    *("", " ", " a", "a ", '"', '""', ",", "a,b", "a\rb", "\r\n", '","', "\\", "\\n", '\\"', "'", "x" * 300),
    *map(chr, range(32)),
    *("\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\uffff", "Ä", "😀", "👩\u200d👧", "שלום", "\u202eabc"),
    *("=cmd()", "+1", "-1", "@x", "null", "NULL", "NaN", "{}", '{"a":"b\\n"}', "[1, 2]", "</script>", "\\N", "\\."),
]
TEXT = st.sampled_from(ODD_TEXTS) | st.text(max_size=8) | st.text("\",\\\r\n aÄ😀\0'", max_size=6)
INSTANT = st.datetimes(timezones=st.just(UTC)) | st.integers(0, 999).map(
    lambda number: START + dt.timedelta(milliseconds=number)
)
DOUBLE = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18), 10**18).map(float)
INT32, INT64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
WIDE_ROW = st.fixed_dictionaries(
    {
        "timestamp": INSTANT,
        "request_id": TEXT,
        **dict.fromkeys(("note", "attributes"), st.none() | TEXT),
        "status_code": INT32,
        "count": st.none() | INT64,
        "cost_usd": st.none() | DOUBLE,
        "stream": st.none() | st.booleans(),
        "day": st.none() | st.dates(),
        "seen": st.none() | INSTANT,
    }
)
CUTS = st.lists(st.integers(0, 12), max_size=6)


def wide_rows(max_size: int = 12) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of rows of `WIDE`."""
    return st.lists(WIDE_ROW, max_size=max_size)


def odd_table() -> pa.Table:
    """A row of `WIDE` for each odd text, with nulls here and there."""
    edges: list[dict[str, Any]] = [
        {"status_code": 2**31 - 1, "count": 2**63 - 1, "cost_usd": 5e-324, "seen": dt.datetime.max.replace(tzinfo=UTC)},
        {"status_code": -(2**31), "count": -(2**63), "cost_usd": -0.0, "seen": dt.datetime.min.replace(tzinfo=UTC)},
        {"status_code": 0, "count": None, "cost_usd": 1.7976931348623157e308, "seen": None, "day": dt.date.max},
        {"status_code": 200, "count": 0, "cost_usd": 0.1 + 0.2, "stream": True, "day": dt.date.min},
        {"status_code": 200, "count": 1, "cost_usd": 1e16, "stream": False},
    ]
    rows = [
        {
            "timestamp": START + dt.timedelta(microseconds=number * 10_007),
            "request_id": text,
            "note": None if number % 3 == 0 else text,
            "attributes": None if number % 4 == 0 else text[::-1],
            **edges[number % len(edges)],
        }
        for number, text in enumerate(ODD_TEXTS)
    ]
    return pa.Table.from_pylist(rows, WIDE)


def described() -> pa.Table:
    """The one row of the published description."""
    row = {
        "timestamp": START,
        "request_id": "req_123456789",
        "customer_id": "cust_abc123",
        "provider": "openai",
        "model": "gpt-4",
        "endpoint": "/v1/chat/completions",
        "method": "POST",
        "status_code": 200,
        "latency_ms": 1250,
        "input_tokens": 100,
        "output_tokens": 150,
        "cost_usd": 0.0045,
    }
    return pa.Table.from_pylist([row], RECORD)


def plausible(count: int) -> pa.Table:
    """So many different rows, with nulls in the optional columns."""
    return pa.Table.from_pylist(
        [
            {
                "timestamp": START + dt.timedelta(milliseconds=number),
                "request_id": f"req-{number:09d}",
                "customer_id": "" if number % 5 else f"cust-{number % 7}",
                "provider": ("openai", "anthropic")[number % 2],
                "model": f"model-{number % 3}",
                "endpoint": "/v1/chat/completions",
                "method": "POST",
                "status_code": 200 + number % 300,
                "latency_ms": number,
                "input_tokens": None if number % 11 == 0 else number,
                "output_tokens": None if number % 13 == 0 else number,
                "cost_usd": None if number % 3 == 0 else number / 1000,
            }
            for number in range(count)
        ],
        RECORD,
    )


def written(batches: Iterable[pa.RecordBatch], schema: pa.Schema, name: str, compression: str = "none") -> bytes:
    """The bytes of a file."""
    sink = io.BytesIO()
    given = list(batches)
    rows = FORMATS.load(name)().write(given, schema, sink, compression)
    assert rows == sum(batch.num_rows for batch in given)
    return sink.getvalue()


def unpacked(body: bytes, compression: str) -> bytes:
    """The bytes below the compression of a text file."""
    if compression == "gzip":
        return gzip.decompress(body)
    if compression == "zstd":
        return pa.CompressedInputStream(pa.BufferReader(body), "zstd").read()
    return body


def cut(whole: pa.Table, cuts: list[int]) -> list[pa.RecordBatch]:
    """The rows in batches that end at these places: slices of one longer array, empty ones among them."""
    batch = pa.RecordBatch.from_pylist(whole.to_pylist(), whole.schema)
    edges = [0, *sorted(min(place, whole.num_rows) for place in cuts), whole.num_rows]
    return [batch.slice(start, end - start) for start, end in pairwise(edges)]


def told(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with times as RFC 3339, by the standard library alone."""
    return [{key: told_time(value) for key, value in row.items()} for row in table.to_pylist()]


def told_time(value: Any) -> Any:
    """A time as RFC 3339, with no more fraction than it has."""
    if isinstance(value, dt.datetime):
        text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
        return re.sub(r"(\.\d*?)0*$", r"\1", text) + "Z"
    return value.isoformat() if isinstance(value, dt.date) else value
