"""Rows of `logs` as Arrow data become records, whatever types their columns have."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from bifrost_export.datasets import schema_of
from bifrost_export.errors import LogStoreError
from bifrost_export.logstore import arrow_rows
from bifrost_export.logstore.port import Totals
from bifrost_export.window import UTC

SCHEMA = schema_of("request_logs")
NOON = dt.datetime(2026, 3, 1, 12, microsecond=5, tzinfo=UTC)
MICROS = int(NOON.timestamp()) * 1_000_000 + 5


def rows(**columns: Any) -> pa.Table:
    """One row, or as many as a column has values, with these columns beside the least ones."""
    count = max((len(each) for each in columns.values()), default=1)
    least = {
        "id": pa.array([f"r{number}" for number in range(count)]),
        "timestamp": pa.array([NOON] * count, pa.timestamp("us", tz="UTC")),
        "status": pa.array(["success"] * count),
        "object_type": pa.array(["chat_completion"] * count),
    }
    return pa.table({**least, **columns})


def records(table: pa.Table, schema: pa.Schema = SCHEMA) -> list[dict[str, Any]]:
    """The records of a table."""
    return list(pa.Table.from_batches(list(arrow_rows.reading(table, schema).batches), schema).to_pylist())


def test_columns_that_are_lacking_count_as_null() -> None:
    """Only id, time and status are needed."""
    [record] = records(rows())
    assert (record["request_id"], record["timestamp"], record["provider"]) == ("r0", NOON, "")
    assert (record["input_tokens"], record["cost_usd"], record["latency_ms"]) == (None, None, 0)


@pytest.mark.parametrize(
    "time",
    [
        pa.array([MICROS * 1_000 + 999], pa.timestamp("ns", tz="UTC")),
        pa.array([MICROS], pa.timestamp("us")),
        pa.array([MICROS], pa.timestamp("us", tz="Europe/Berlin")),
    ],
    ids=str,
)
def test_times_are_cut_to_microseconds_whatever_their_unit_and_zone(time: pa.Array) -> None:
    """A time without a zone is one in UTC."""
    assert records(rows(timestamp=time))[0]["timestamp"] == NOON


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("prompt_tokens", pa.array([7], pa.int32())),
        ("prompt_tokens", pa.array([7.0])),
        ("cost", pa.array([0.5], pa.float32())),
        ("model", pa.array(["m"], pa.large_string())),
        ("model", pa.array(["m"]).dictionary_encode()),
        ("latency", pa.array([3], pa.int64())),
    ],
    ids=str,
)
def test_values_of_other_types_that_fit_are_taken(column: str, values: pa.Array) -> None:
    """As pandas, DuckDB and Spark write them."""
    names = {"prompt_tokens": "input_tokens", "cost": "cost_usd", "model": "model", "latency": "latency_ms"}
    assert records(rows(**{column: values}))[0][names[column]] == values[0].as_py()


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("prompt_tokens", pa.array([7.5])),
        ("prompt_tokens", pa.array(["7"])),
        ("cost", pa.array(["0.5"])),
        ("timestamp", pa.array(["2026-03-01"])),
        ("provider", pa.array([["openai"]])),
    ],
    ids=str,
)
def test_values_that_do_not_fit_are_an_error_and_never_another_value(column: str, values: pa.Array) -> None:
    """It names the column and its type, and not the value."""
    with pytest.raises(LogStoreError, match=f"the column {column} of the log store is of type") as caught:
        records(rows(**{column: values}))
    assert "7.5" not in str(caught.value)


def test_totals_leave_out_what_can_not_be_added_up() -> None:
    """Numbers beyond the bounds of `Totals`, infinite ones, and rows that are still processing."""
    table = rows(
        status=pa.array(["success", "error", "processing", None]),
        cost=pa.array([0.5, float("nan"), 9.0, 1e301]),
        prompt_tokens=pa.array([10, 10**16, 9, None]),
    )
    assert arrow_rows.totals(table) == Totals(3, 1, 10, 0, 0.5, 0.5)
    assert arrow_rows.totals(table.slice(0, 0)) == Totals()


def test_hidden_contents_are_not_read() -> None:
    """Any value but false hides."""
    schema = pa.schema([*SCHEMA, pa.field("response_content", pa.string())])
    table = rows(
        output_message=pa.array(['{"a":1}'] * 3),
        content_hidden=pa.array([True, False, None]),
    )
    assert [each["response_content"] for each in records(table, schema)] == [
        None,
        '{"output_message":{"a":1}}',
        '{"output_message":{"a":1}}',
    ]


def test_moments_count_rows_in_order() -> None:
    """By whole seconds."""
    times = rows(timestamp=pa.array([61_000_000, 500_000, 999_999], pa.timestamp("us", tz="UTC"))).column("timestamp")
    assert arrow_rows.moments(times, 1) == [(0, 2), (61_000_000, 1)]
    assert arrow_rows.moments(times, 60) == [(0, 2), (60_000_000, 1)]
