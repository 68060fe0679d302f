"""Parquet parts: the same bytes however the rows were batched, with the contract's types and flags."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bifrost_export.formats import groups
from bifrost_export.formats.parquet import ParquetFormat
from tests.unit.formats.rows import RECORD, START, cut, plausible, written


def parquet(batches: list[pa.RecordBatch], compression: str = "zstd") -> bytes:
    """The bytes of a file of these batches."""
    return written(batches, RECORD, "parquet", compression)


@pytest.fixture
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of five rows, so that a few rows fill several."""
    monkeypatch.setattr(groups, "GROUP_ROWS", 5)


@pytest.mark.usefixtures("small_row_groups")
@pytest.mark.parametrize("cuts", [[], [4], [5], [6], [5, 10], [1, 2, 3, 4, 5, 6], [11], [0, 0, 12]], ids=str)
def test_row_groups_are_filled_whatever_the_batches_are(cuts: list[int]) -> None:
    """Each but the last holds the fixed number of rows, and no byte tells the batches."""
    body = parquet(cut(plausible(12), cuts))

    metadata = pq.read_metadata(io.BytesIO(body))
    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == [5, 5, 2]
    assert body == parquet(plausible(12).to_batches())


def test_full_row_groups_hold_the_same_bytes_too() -> None:
    """Pages and dictionaries of real row groups don't depend on the batches either."""
    whole = plausible(1_000).take(pa.array([number % 1_000 for number in range(140_000)])).combine_chunks()

    bodies = {
        hashlib.sha256(parquet(batches)).hexdigest()
        for batches in (whole.to_batches(), whole.to_batches(max_chunksize=9_973), cut(whole, [3, 131_071, 131_073]))
    }
    assert len(bodies) == 1
    metadata = pq.read_metadata(io.BytesIO(parquet(whole.to_batches())))
    assert metadata.row_group(0).num_rows == 131_072


@pytest.mark.parametrize("compression", ParquetFormat.compressions)
def test_every_compression_is_read_by_another_reader(compression: str, tmp_path: Path) -> None:
    """DuckDB reads the rows, and the file says the codec that was asked for."""
    path = tmp_path / "part.parquet"
    path.write_bytes(parquet(plausible(300).to_batches(), compression))

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
    schema = pq.read_metadata(io.BytesIO(parquet(plausible(3).to_batches()))).schema
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
    assert list(told) == RECORD.names
    time = str(columns[0].logical_type)
    assert "isAdjustedToUTC=true" in time
    assert "timeUnit=microseconds" in time


def test_a_file_holds_statistics_and_no_arrow_schema() -> None:
    """Readers can skip row groups by time, and no library's own schema stands in the file."""
    metadata = pq.read_metadata(io.BytesIO(parquet(plausible(3).to_batches())))

    assert b"ARROW:schema" not in (metadata.metadata or {})
    statistics = metadata.row_group(0).column(0).statistics
    assert (statistics.min, statistics.max) == (START, START + dt.timedelta(milliseconds=2))


def test_ids_have_no_dictionary_and_other_texts_do() -> None:
    """Ids are all different; the others repeat."""
    group = pq.read_metadata(io.BytesIO(parquet(plausible(50).to_batches()))).row_group(0)

    columns = [group.column(number) for number in range(group.num_columns)]
    with_dictionary = {column.path_in_schema for column in columns if column.has_dictionary_page}
    assert with_dictionary == {"customer_id", "provider", "model", "endpoint", "method"}
