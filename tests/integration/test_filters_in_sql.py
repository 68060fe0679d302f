"""Filters in the log store's SQL change how much is read, and nothing of what is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bifrost_export.logstore.port import Reading
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample.sqlite_tables import add_rows, create
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.integration.published import comparable
from tests.support.odd_rows import odd_rows
from tests.support.postgres_rows import both_can_hold, rows_of

DAY = Window.parse("2026-03-01", "2026-03-02")
INCLUDE = ["request_logs", "response_logs", "error_logs", "metrics", "traces"]
FILTERS: dict[str, dict[str, Any]] = {
    "all": {
        "providers": ["openai", "anthropic"],
        "status_codes": [200, 429, 500],
        "min_latency_ms": 200,
        "max_latency_ms": 20_000,
    },
    "errors": {"has_errors": True},
    "nobody": {"customers": ["a customer that is not there"]},
}
STORES = {"sqlite": SQLiteLogStore, "postgres": PostgresLogStore}


@pytest.fixture
def rows(sample_store: Path) -> list[dict[str, Any]]:
    """Plausible rows and odd ones that both log stores can hold."""
    return [*rows_of(sample_store), *both_can_hold(odd_rows(DAY))]


@pytest.fixture(params=STORES)
def source(
    request: pytest.FixtureRequest, tmp_path: Path, rows: list[dict[str, Any]]
) -> tuple[type[SQLiteLogStore | PostgresLogStore], dict[str, Any]]:
    """A log store with these rows: its class, and `source` of a document."""
    if request.param == "sqlite":
        create(tmp_path / "logs.db")
        add_rows(tmp_path / "logs.db", rows)
        return SQLiteLogStore, {"type": "sqlite", "config": {"path": str(tmp_path / "logs.db")}}
    url = request.getfixturevalue("postgres_store")
    with in_postgres.writing(url) as write:
        in_postgres.insert(write, rows)
    return PostgresLogStore, {"type": "postgres", "config": from_address(url, "the test")}


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_what_is_published_is_the_same_with_and_without(
    tmp_path: Path,
    source: tuple[type[SQLiteLogStore | PostgresLogStore], dict[str, Any]],
    filters: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parts byte for byte, rejected rows, and every figure of the manifest; what is read is less."""
    log_store, document = source
    data = {"include": INCLUDE, "format": "json", "compression": "none", "filters": filters}
    given = log_store.read
    readings: dict[str, list[Reading]] = {"with": [], "without": []}

    def recorded(self: Any, window: Window, schema: Any, filters: Any = None) -> Reading:
        reading: Reading = given(self, window, schema, filters if way == "with" else None)
        readings[way].append(reading)
        return reading

    monkeypatch.setattr(log_store, "read", recorded)
    published = {}
    for way in readings:
        slices = {"rows_per_slice": 300}
        export = Export(tmp_path / way, tmp_path / "none", data, runtime=slices, source=document)
        export.run(DAY)
        published[way] = comparable(export.contents())

    assert published["with"] == published["without"]
    read = {
        way: sum(each.totals.rows - sum(each.removed.rows.values()) for each in several)
        for way, several in readings.items()
    }
    assert 0 < read["with"] < read["without"]
