"""Request rows for transformations, and transformations as a document writes them."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import strategies as st

from bifrost_export.columns import Column, arrow_schema
from bifrost_export.config.transformations import make_step
from bifrost_export.datasets import columns_of
from bifrost_export.transforms.port import Setting
from bifrost_export.window import UTC

RECORD = columns_of("request_logs")
SCHEMA = arrow_schema(RECORD)
BERLIN = ZoneInfo("Europe/Berlin")
CUSTOMERS = ("cust_1", "cust_2", "", "Ünïcode 🎈", "cust_10")
FIRST = dt.datetime(2026, 3, 28, 20, tzinfo=UTC)
"""Some hours before the clock is put forward in Berlin, where the month changes three days later."""


def row(**changes: Any) -> dict[str, Any]:
    """A request."""
    return {
        "timestamp": FIRST,
        "request_id": "req_1",
        "customer_id": "cust_1",
        "provider": "openai",
        "model": "gpt-4",
        "endpoint": "/v1/chat/completions",
        "method": "POST",
        "status_code": 200,
        "latency_ms": 100,
        "input_tokens": 10,
        "output_tokens": 5,
        "cost_usd": 0.5,
    } | changes


TOKENS = st.none() | st.integers(0, 2**31 - 1)
MOMENTS = st.datetimes(dt.datetime(2026, 3, 28, 20), dt.datetime(2026, 4, 1, 3), timezones=st.just(UTC))  # noqa: DTZ001
ROWS = st.lists(
    st.builds(
        row,
        timestamp=MOMENTS,
        request_id=st.text(st.characters(codec="utf-8"), max_size=12),
        customer_id=st.sampled_from(CUSTOMERS),
        provider=st.sampled_from(["openai", "anthropic"]),
        model=st.sampled_from(["gpt-4", "GPT-4", "é", ""]),
        status_code=st.sampled_from([200, 399, 400, 499, 500]),
        latency_ms=st.integers(0, 2**31 - 1) | st.integers(0, 5),
        input_tokens=TOKENS,
        output_tokens=TOKENS,
        cost_usd=st.none() | st.floats(-1e6, 1e6) | st.sampled_from([0.1, 0.2, 1e-300, 5e-324]),
    ),
    max_size=60,
)


def batches(rows: Sequence[dict[str, Any]], size: int = 7, schema: pa.Schema = SCHEMA) -> Iterator[pa.RecordBatch]:
    """Rows in batches."""
    for start in range(0, len(rows), size):
        yield pa.RecordBatch.from_pylist(list(rows[start : start + size]), schema)


def setting(memory: int = 1 << 26, timezone: ZoneInfo = BERLIN) -> Setting:
    """Where a transformation runs."""
    return Setting("request_logs", timezone, tempfile.TemporaryFile, memory)


def transformation(**config: Any) -> Any:
    """A transformation, references filled in."""
    return make_step(1, config).transform


def applied(
    rows: Sequence[dict[str, Any]],
    size: int = 7,
    given: tuple[Column, ...] = RECORD,
    where: Setting | None = None,
    **config: Any,
) -> list[dict[str, Any]]:
    """What a transformation makes of rows; the batches have the columns that it says."""
    made = transformation(**config)
    wanted = arrow_schema(made.columns(given))
    found = []
    for batch in made.apply(batches(rows, size, arrow_schema(given)), given, where or setting()):
        assert batch.schema == wanted
        batch.validate(full=True)
        found += batch.to_pylist()
    return found
