"""Parquet parts: the same bytes however the rows were batched, with the contract's types and flags."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_export.datasets import schema_of
from bifrost_export.formats import parquet
from bifrost_export.formats.parquet import ParquetFormat

SCHEMA = schema_of("request_logs")
START = dt.datetime(2024, 1, 15, 10, 30, tzinfo=dt.timezone.utc)
TEXT = st.text("aÄ😀'\",\n", max_size=4)
COUNT = st.integers(0, 2**31 - 1)
ROW = st.fixed_dictionaries(
    {
        "timestamp": st.integers(0, 10**9).map(lambda after: START + dt.timedelta(microseconds=after)),
        **dict.fromkeys(("request_id", "customer_id", "provider", "model", "endpoint", "method"), TEXT),
        **dict.fromkeys(("status_code", "latency_ms"), COUNT),
        **dict.fromkeys(("input_tokens", "output_tokens"), st.none() | COUNT),
        "cost_usd": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    }
)
ROWS = st.lists(ROW, max_size=12)
CUTS = st.lists(st.integers(0, 12), max_size=6)


def table(count: int) -> pa.Table:
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
        SCHEMA,
    )


def written(batches: list[pa.RecordBatch], compression: str = "zstd") -> bytes:
    """The bytes of a file of these batches."""
    sink = io.BytesIO()
    rows = ParquetFormat().write(batches, SCHEMA, sink, compression)
    assert rows == sum(batch.num_rows for batch in batches)
    return sink.getvalue()


def cut(whole: pa.Table, cuts: list[int]) -> list[pa.RecordBatch]:
    """The rows in batches that end at these places: slices of one longer array, empty ones among them."""
    batch = pa.RecordBatch.from_pylist(whole.to_pylist(), SCHEMA)
    edges = [0, *sorted(min(place, whole.num_rows) for place in cuts), whole.num_rows]
    return [batch.slice(start, end - start) for start, end in pairwise(edges)]


@pytest.fixture
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of five rows, so that a few rows fill several."""
    monkeypatch.setattr(parquet, "ROW_GROUP_ROWS", 5)


@given(rows=ROWS, cuts=CUTS)
def test_how_rows_are_batched_changes_no_byte(rows: list[dict[str, object]], cuts: list[int]) -> None:
    """Slices of a longer array, arrays of their own and one whole batch give the same file."""
    whole = pa.Table.from_pylist(rows, SCHEMA)
    batches = cut(whole, cuts)
    copies = [pa.RecordBatch.from_pylist(batch.to_pylist(), SCHEMA) for batch in batches]

    assert written(batches) == written(copies) == written(whole.to_batches())


@pytest.mark.usefixtures("small_row_groups")
@pytest.mark.parametrize("cuts", [[], [4], [5], [6], [5, 10], [1, 2, 3, 4, 5, 6], [11], [0, 0, 12]], ids=str)
def test_row_groups_are_filled_whatever_the_batches_are(cuts: list[int]) -> None:
    """Each but the last holds the fixed number of rows, and no byte tells the batches."""
    body = written(cut(table(12), cuts))

    metadata = pq.read_metadata(io.BytesIO(body))
    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == [5, 5, 2]
    assert body == written(table(12).to_batches())


def test_full_row_groups_hold_the_same_bytes_too() -> None:
    """Pages and dictionaries of real row groups don't depend on the batches either."""
    whole = table(1_000).take(pa.array([number % 1_000 for number in range(140_000)])).combine_chunks()

    bodies = {
        hashlib.sha256(written(batches)).hexdigest()
        for batches in (whole.to_batches(), whole.to_batches(max_chunksize=9_973), cut(whole, [3, 131_071, 131_073]))
    }
    assert len(bodies) == 1
    metadata = pq.read_metadata(io.BytesIO(written(whole.to_batches())))
    assert metadata.row_group(0).num_rows == 131_072


@settings(max_examples=30)
@given(rows=ROWS, compression=st.sampled_from(ParquetFormat.compressions))
def test_what_is_written_is_read_back(rows: list[dict[str, object]], compression: str) -> None:
    """Every value, null and text comes back as it was."""
    whole = pa.Table.from_pylist(rows, SCHEMA)

    assert pq.read_table(io.BytesIO(written(whole.to_batches(), compression))).to_pylist() == whole.to_pylist()


@pytest.mark.parametrize("compression", ParquetFormat.compressions)
def test_every_compression_is_read_by_another_reader(compression: str, tmp_path: Path) -> None:
    """DuckDB reads the rows, and the file says the codec that was asked for."""
    path = tmp_path / "part.parquet"
    path.write_bytes(written(table(300).to_batches(), compression))

    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT request_id), sum(latency_ms), count(cost_usd) FROM read_parquet(?)",
            [str(path)],
        ).fetchall()
    assert found == [(300, 300, sum(range(300)), 200)]
    codec = pq.read_metadata(path).row_group(0).column(0).compression
    assert codec == {"none": "UNCOMPRESSED"}.get(compression, compression.upper())


def test_types_and_flags_are_those_of_the_record() -> None:
    """Required and optional, physical and logical type of each column stand as in the contract."""
    schema = pq.read_metadata(io.BytesIO(written(table(3).to_batches()))).schema
    columns = [schema.column(number) for number in range(len(schema))]

    told = {
        column.name: (
            "optional" if column.max_definition_level else "required",
            column.physical_type,
            str(column.logical_type.type),
        )
        for column in columns
    }
    text, number = ("required", "BYTE_ARRAY", "STRING"), ("required", "INT32", "NONE")
    assert told == {
        "timestamp": ("required", "INT64", "TIMESTAMP"),
        "request_id": text,
        "customer_id": text,
        "provider": text,
        "model": text,
        "endpoint": text,
        "method": text,
        "status_code": number,
        "latency_ms": number,
        "input_tokens": ("optional", "INT32", "NONE"),
        "output_tokens": ("optional", "INT32", "NONE"),
        "cost_usd": ("optional", "DOUBLE", "NONE"),
    }
    assert list(told) == SCHEMA.names
    time = str(columns[0].logical_type)
    assert "isAdjustedToUTC=true" in time
    assert "timeUnit=microseconds" in time


def test_a_file_holds_statistics_and_no_arrow_schema() -> None:
    """Readers can skip row groups by time, and no library's own schema stands in the file."""
    metadata = pq.read_metadata(io.BytesIO(written(table(3).to_batches())))

    assert b"ARROW:schema" not in (metadata.metadata or {})
    statistics = metadata.row_group(0).column(0).statistics
    assert (statistics.min, statistics.max) == (START, START + dt.timedelta(milliseconds=2))


def test_ids_have_no_dictionary_and_other_texts_do() -> None:
    """Ids are all different; the others repeat."""
    group = pq.read_metadata(io.BytesIO(written(table(50).to_batches()))).row_group(0)

    columns = [group.column(number) for number in range(group.num_columns)]
    with_dictionary = {column.path_in_schema for column in columns if column.has_dictionary_page}
    assert with_dictionary == {"customer_id", "provider", "model", "endpoint", "method"}


@pytest.mark.parametrize("batches", [[], SCHEMA.empty_table().to_batches(), table(2).slice(0, 0).to_batches()])
def test_no_rows_make_a_valid_empty_file(batches: list[pa.RecordBatch]) -> None:
    """The file has the schema and no row group."""
    found = pq.read_table(io.BytesIO(written(batches)))

    assert (found.num_rows, found.schema.names) == (0, SCHEMA.names)


def test_a_null_in_a_required_column_is_refused() -> None:
    """It is never written as an empty value."""
    fields = [SCHEMA.field(number).with_nullable(True) for number in range(len(SCHEMA))]
    broken = pa.Table.from_pylist([{"request_id": "a"}], pa.schema(fields))

    with pytest.raises(pa.ArrowInvalid, match="non-nullable but contains nulls"):
        written(broken.to_batches())


@pytest.mark.parametrize("compression", ParquetFormat.compressions)
def test_the_extension_tells_no_codec(compression: str) -> None:
    """The codec is inside the file."""
    assert ParquetFormat().extension(compression) == ".parquet"
