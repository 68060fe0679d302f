"""Every log store keeps the contract that `bifrost_export.testing` publishes."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
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
from bifrost_export.testing.log_store_rows import TABLE
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


class TestParquetLogs(LogStoreContract):
    """The example of a log store of one's own."""

    @pytest.fixture
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
        """A folder with a file that has columns and no row."""
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


def test_every_built_in_log_store_is_here() -> None:
    """A new one is held to the contract as well."""
    tested = {"sqlite": TestSQLite, "postgres": TestPostgres}
    assert set(tested) == set(LOG_STORES.built_in)


@pytest.mark.parametrize("name", LOG_STORES.built_in)
def test_the_light_config_model_is_the_one_of_the_class(name: str) -> None:
    """The registry names both, so that parsing loads no driver."""
    assert LOG_STORES.config_model(name) is LOG_STORES.load(name).Config
