"""Every log store keeps the contract that `bifrost_export.testing` publishes."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.registry import LOG_STORES
from bifrost_export.sample import postgres_tables, sqlite_tables
from bifrost_export.testing.log_store_contract import LogStoreContract, Place
from bifrost_export.testing.log_store_rows import MICROSECOND, TABLE
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests.integration.built_examples import EXAMPLES
from tests.servers.postgres import config_of
from tests.support.odd_times import space_form

TIMES = ("timestamp", "created_at")


def in_text(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their times as Bifrost writes them."""
    return [{name: space_form(value) if name in TIMES else value for name, value in row.items()} for row in rows]


class TestSQLite(LogStoreContract):
    """A file, written beside the readings."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        """Tables without a row."""
        path = tmp_path / "logs.db"
        sqlite_tables.create(path)

        def fill(rows: Sequence[dict[str, Any]]) -> None:
            sqlite_tables.add_rows(path, in_text(rows))

        def state() -> Any:
            with closing(sqlite3.connect(path)) as connection:
                return list(connection.iterdump())

        return Place(
            open=lambda: SQLiteLogStore(SQLiteConfig(path=str(path))),
            fill=fill,
            state=state,
            open_elsewhere=lambda: SQLiteLogStore(SQLiteConfig(path=str(tmp_path / "absent.db"))),
        )


class TestPostgres(LogStoreContract):
    """A server of the test's own."""

    @pytest.fixture
    def place(self, postgres: PostgresServer, postgres_store: str) -> Place:
        """Tables without a row."""
        name = postgres_store.rpartition("/")[2].partition("?")[0]

        def fill(rows: Sequence[dict[str, Any]]) -> None:
            with postgres_tables.writing(postgres_store) as execute:
                postgres_tables.insert(execute, in_text(rows))

        return Place(
            open=lambda: PostgresLogStore(config_of(postgres_store)),
            fill=fill,
            state=lambda: postgres.psql("SELECT ctid, xmin, xmax, logs FROM logs ORDER BY id", name),
            open_elsewhere=lambda: PostgresLogStore(config_of(postgres_store, db_name="absent")),
        )


def parquet_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder with a file that has columns and no row, which the example reads."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "custom_log_store"))
    from bifrost_parquet_logs import ParquetLogs, ParquetLogsConfig

    folder = tmp_path / "archive"
    folder.mkdir()

    def fill(rows: Sequence[dict[str, Any]]) -> None:
        half = len(rows) // 2
        for number, some in enumerate((rows[:half], rows[half:])):
            pq.write_table(pa.Table.from_pylist(some, TABLE), folder / f"{number}.parquet")

    fill([])
    return Place(
        open=lambda: ParquetLogs(ParquetLogsConfig(path=str(folder))),
        fill=fill,
        state=lambda: {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()},
        open_elsewhere=lambda: ParquetLogs(ParquetLogsConfig(path=str(tmp_path / "absent"))),
    )


class TestParquetLogs(LogStoreContract):
    """The example of a log store of one's own."""

    @pytest.fixture
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
        """A folder without a row."""
        return parquet_place(tmp_path, monkeypatch)


def test_every_built_in_log_store_is_here() -> None:
    """A new one is held to the contract as well."""
    tested = {"sqlite": TestSQLite, "postgres": TestPostgres}
    assert set(tested) == set(LOG_STORES.built_in)


@pytest.mark.parametrize("name", LOG_STORES.built_in)
def test_the_light_config_model_is_the_one_of_the_class(name: str) -> None:
    """The registry names both, so that parsing loads no driver."""
    assert LOG_STORES.config_model(name) is LOG_STORES.load(name).Config


def _with_its_end(store: Any, window: Window, *rest: Any) -> Any:
    return type(store).__base__.read(store, Window(window.start, window.end + MICROSECOND), *rest)


def _in_another_order(store: Any, *given: Any) -> Any:
    reading = type(store).__base__.read(store, *given)
    turned = [batch.take(pa.array(range(len(batch)))[::-1]) for batch in reading.batches]
    return replace(reading, batches=iter(turned))


def _without_rejected(store: Any, *given: Any) -> Any:
    reading = type(store).__base__.read(store, *given)
    return replace(reading, batches=iter(list(reading.batches)), rejected=[])


def _filtered_without_a_count(store: Any, window: Window, schema: pa.Schema, filters: Any = None) -> Any:
    reading = type(store).__base__.read(store, window, schema)
    batches = list(reading.batches)
    return replace(reading, batches=iter(batches[:0] if filters and filters.providers else batches))


def _with_processing(store: Any, window: Window) -> Any:
    totals = type(store).__base__.count(store, window)
    return replace(totals, rows=totals.rows + totals.unsettled + 1)


def _one_slice_too_few(store: Any, *given: Any) -> Any:
    return type(store).__base__.slices(store, *given)[:-1]


def _with_what_is_absent(store: Any, ids: Sequence[str], schema: pa.Schema) -> Any:
    found = type(store).__base__.lookup(store, ids, schema)
    return replace(found, others=found.others | set(ids))


def _that_writes(store: Any, window: Window) -> Any:
    (store.path / "read").touch()
    return type(store).__base__.count(store, window)


BROKEN = {
    "window_has_its_start": ("read", _with_its_end),
    "rows_are_in_order": ("read", _in_another_order),
    "no_record_is_rejected": ("read", _without_rejected),
    "filters_change_nothing": ("read", _filtered_without_a_count),
    "count_and_read_tell": ("count", _with_processing),
    "slices_tile": ("slices", _one_slice_too_few),
    "looked_up": ("lookup", _with_what_is_absent),
    "reading_changes_nothing": ("count", _that_writes),
}
"""Words of a test's name -> the method that is broken, and how."""


@pytest.mark.parametrize("words", BROKEN)
def test_the_contract_notices_a_log_store_that_is_broken(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fault fails the test that is about it, which passes without."""
    suite, whole = LogStoreContract(), parquet_place(tmp_path, monkeypatch)
    [name] = [each for each in dir(suite) if each.startswith("test_") and words in each]
    given = {"given": {"providers": ("openai",)}} if "filters" in words else {}
    getattr(suite, name)(whole, **given)

    method, fault = BROKEN[words]

    def open_() -> Any:
        store = whole.open()
        store.__class__ = type("Broken", (type(store),), {method: fault})
        return store

    with pytest.raises(AssertionError):
        getattr(suite, name)(replace(whole, open=open_), **given)
