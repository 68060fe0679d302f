"""Filters in the log store's SQL keep the rows, count by rule and add up as the filter on the record does."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bifrost_export.config.models import Data, Filters
from bifrost_export.config.sources import SQLiteConfig
from bifrost_export.datasets import schema_of
from bifrost_export.filters import RULES, RowFilter, counted_together
from bifrost_export.logstore import removal
from bifrost_export.logstore.port import LogStore, Rejected, Totals
from bifrost_export.logstore.postgres import PostgresLogStore
from bifrost_export.logstore.sqlite import SQLiteLogStore
from bifrost_export.pipeline.sums import Sums
from bifrost_export.testing import postgres_store as in_postgres
from bifrost_export.testing import sqlite_store as in_sqlite
from bifrost_export.testing.odd_rows import BASE, odd_rows
from bifrost_export.testing.odd_times import space_form
from bifrost_export.testing.postgres_rows import both_can_hold, own_rows, rows_of
from bifrost_export.testing.postgres_server import PostgresServer
from bifrost_export.testing.sqlite_store import RawText
from bifrost_export.window import Window
from tests.servers.postgres import config_of
from tests.unit.logstore.log_rows import DAY, ROWS

SCHEMA = schema_of("request_logs")
WINDOW = Window.parse("2026-03-01", "2026-03-02")
NOON = space_form(DAY.replace(hour=12))
ROW = {**BASE, "timestamp": NOON, "created_at": NOON}
LIMITS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def test_the_rules_are_those_of_the_filter_on_the_record() -> None:
    """In the same order, in which a row that several remove is counted."""
    assert removal.RULES == RULES


@dataclass
class Filtered:
    """What is left of a window, and what became of the rest."""

    rows: pa.Table
    counts: dict[str, int]
    sums: Sums
    rejected: list[Rejected]
    totals: Totals
    by_sql: int

    def agrees_with(self, other: Filtered) -> None:
        """The same rows, counts, sums and rejected rows."""
        assert self.counts == other.counts
        assert self.rejected == other.rejected
        assert self.totals == other.totals
        assert self.sums.differences(other.sums) == []
        assert self.rows.equals(other.rows)


def read(opened: LogStore, filters: Filters, in_sql: bool, schema: pa.Schema = SCHEMA) -> Filtered:
    """Read a window and filter its records; what SQL has removed before is counted in."""
    reading = opened.read(WINDOW, schema, filters if in_sql else None)
    row_filter, kept, removed, sums = RowFilter(filters), [], {}, Sums()
    for batch in reading.batches:
        passed, counts = row_filter.apply(batch)
        kept.append(passed)
        removed = counted_together(removed, counts)
        sums += Sums.of_batch(batch) - Sums.of_batch(passed)
    by_sql = Sums.of_removed(reading.removed)
    rows, counts = pa.Table.from_batches(kept, schema), counted_together(reading.removed.rows, removed)
    assert sum(counts.values()) + rows.num_rows + len(reading.rejected) == reading.totals.rows
    return Filtered(rows, counts, sums + by_sql, reading.rejected, reading.totals, by_sql.rows)


@pytest.fixture(scope="module")
def sqlite_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite log store."""
    path = tmp_path_factory.mktemp("removal") / "logs.db"
    in_sqlite.create(path)
    return path


def fill_sqlite(path: Path, rows: list[dict[str, Any]]) -> None:
    """Put rows in the place of what was there."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM logs")
        connection.commit()
    in_sqlite.add_rows(path, rows)


def both_ways(path: Path, filters: Filters, schema: pa.Schema = SCHEMA) -> Filtered:
    """What SQLite's SQL and the filter on the record do together, compared with the latter alone."""
    with closing(SQLiteLogStore(SQLiteConfig(path=str(path)))) as opened:
        alone, together = read(opened, filters, False, schema), read(opened, filters, True, schema)
    together.agrees_with(alone)
    assert alone.by_sql == 0
    return together


@dataclass
class Postgres:
    """A PostgreSQL log store that a test fills."""

    store: LogStore
    execute: Callable[[str], int]

    def fill(self, rows: list[dict[str, Any]]) -> None:
        """Put rows in the place of what was there."""
        self.execute("TRUNCATE logs")
        in_postgres.insert(self.execute, rows)

    def both_ways(self, filters: Filters, schema: pa.Schema = SCHEMA) -> Filtered:
        """As of SQLite."""
        alone, together = read(self.store, filters, False, schema), read(self.store, filters, True, schema)
        together.agrees_with(alone)
        return together


@pytest.fixture(scope="module")
def in_server(postgres: PostgresServer, postgres_template: str) -> Iterator[Postgres]:
    """An empty one."""
    url = postgres.create_database("removal", postgres_template)
    with in_postgres.writing(url) as execute, closing(PostgresLogStore(config_of(url))) as store:
        yield Postgres(store, execute)
    postgres.drop_database("removal")


TEXTS = ("openai", "anthropic", "gpt-4o", "cust_abc123", "", "é😀", "'", '"', "\\", "a\tb\r\nc", "cust_a", "nul\0in")
CODES = (200, 204, 400, 404, 429, 499, 500, 503, 2**31 - 1)
LATENCIES = (0, 1, 2, 3, 4, 87, 88, 1250, 1251, 2**31 - 2, 2**31 - 1)


def one_of(values: list[Any]) -> st.SearchStrategy[Any]:
    """Nothing, or some values."""
    return st.none() | st.lists(st.sampled_from(values), min_size=1, max_size=4).map(tuple)


@st.composite
def filters_for(draw: st.DrawFn, rows: list[dict[str, Any]]) -> Filters:
    """Filters whose words stand in rows, or nearly."""

    def words(*columns: str) -> st.SearchStrategy[Any]:
        found = {row[name] for row in rows for name in columns if isinstance(row.get(name), str)}
        return one_of(sorted({*found, *TEXTS}))

    low, high = draw(st.none() | st.sampled_from(LATENCIES)), draw(st.none() | st.sampled_from(LATENCIES))
    if low is not None and high is not None and low > high:
        low, high = high, low
    return Filters(
        providers=draw(words("provider")),
        models=draw(words("model")),
        customers=draw(words("customer_id")),
        min_latency_ms=low,
        max_latency_ms=high,
        status_codes=draw(one_of(list(CODES))),
        has_errors=draw(st.none() | st.booleans()),
    )


@st.composite
def rows_and_filters(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Filters]:
    """Any rows, and filters for them; some of their texts are alike, and some latencies end in a half."""
    rows = draw(ROWS)
    for row in rows:
        for name in ("provider", "model", "customer_id"):
            row[name] = draw(st.just(row[name]) | st.sampled_from(TEXTS))
        halves = st.sampled_from([None, 0.5, 1.5, 2.5, 3.5, 87.5, 1250.5, 2147483646.5, 2147483647.4])
        row["latency"] = draw(st.just(row["latency"]) | halves)
        row["has_object"] = draw(st.sampled_from([0, 0, 1, None]))
    return rows, draw(filters_for(rows))


def without_payloads(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same where no payload is needed: nobody has it here."""
    return [{**row, "has_object": 0} for row in rows]


@LIMITS
@given(given_=rows_and_filters())
def test_sqlite_and_arrow_agree_on_any_row(sqlite_path: Path, given_: tuple[list[dict[str, Any]], Filters]) -> None:
    """On the rows, on the counts by rule, on the sums, on what is rejected."""
    rows, filters = given_
    fill_sqlite(sqlite_path, without_payloads(rows))
    both_ways(sqlite_path, filters)


@LIMITS
@given(given_=rows_and_filters())
def test_postgres_and_arrow_agree_on_any_row(in_server: Postgres, given_: tuple[list[dict[str, Any]], Filters]) -> None:
    """The same."""
    rows, filters = given_
    in_server.fill(list(both_can_hold(without_payloads(rows))))
    in_server.both_ways(filters)
