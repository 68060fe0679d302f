"""Both log stores read the same rows as the same records, and as a reading does that shares no code with them."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from bifrost_export.datasets import schema_of
from bifrost_export.logstore.port import LogStore, Totals
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample import sqlite_tables as in_sqlite
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests import independent, independent_postgres
from tests.servers.postgres import config_of
from tests.support.odd_rows import odd_rows
from tests.support.postgres_rows import both_can_hold, rows_of
from tests.unit.logstore.log_rows import DAY, ROWS

SCHEMA = schema_of("request_logs")
WINDOW = Window(DAY, DAY + dt.timedelta(days=1))

Read: TypeAlias = tuple[pa.Table, list[tuple[str, str]], Totals]


@dataclass
class Stores:
    """A log store of each kind, which a test fills with the same rows.

    Args:
        path: The SQLite file.
        postgres: Reads the other.
        execute: Writes to the other.
        psql: Looks into the other.
    """

    path: Path
    postgres: LogStore
    execute: Callable[[str], int]
    psql: Callable[[str], str]

    def read_sqlite(self, window: Window) -> Read:
        """Read the SQLite file by a connection of its own.

        The driver brings its own SQLite: with Python's in one process they would not see each other's locks.
        """
        with closing(SQLiteLogStore(SQLiteConfig(path=str(self.path)))) as opened:
            return read(opened, window)

    def fill(self, rows: list[dict[str, Any]]) -> None:
        """Put rows in the place of what was there: all into SQLite, those that it can hold into PostgreSQL."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("DELETE FROM logs")
            connection.commit()
        in_sqlite.add_rows(self.path, rows)
        self.execute("TRUNCATE logs")
        in_postgres.insert(self.execute, both_can_hold(rows))


@pytest.fixture(scope="module")
def stores(
    postgres: PostgresServer, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stores]:
    """Both, empty."""
    path = tmp_path_factory.mktemp("both") / "logs.db"
    in_sqlite.create(path)
    url = postgres.create_database("both", postgres_template)
    with (
        in_postgres.writing(url) as execute,
        closing(PostgresLogStore(config_of(url))) as of_postgres,
    ):
        yield Stores(path, of_postgres, execute, lambda sql: postgres.psql(sql, "both"))
    postgres.drop_database("both")


def read(opened: LogStore, window: Window) -> Read:
    """Records, rejected rows as (id, column), totals."""
    reading = opened.read(window, SCHEMA)
    records = pa.Table.from_batches(list(reading.batches), SCHEMA)
    return records, [(told.request_id, told.column) for told in reading.rejected], reading.totals


def plain(records: pa.Table) -> list[dict[str, Any]]:
    """Records as the independent reading tells them."""
    instants = records.column("timestamp").cast(pa.int64()).to_pylist()
    return [{**row, "timestamp": at} for row, at in zip(records.to_pylist(), instants, strict=True)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS)
def test_any_row_becomes_the_same_record_in_both(stores: Stores, rows: list[dict[str, Any]]) -> None:
    """Or is rejected by all three, with the same column."""
    stores.fill(rows)
    in_both = {row["id"] for row in both_can_hold(rows)}

    of_sqlite, sqlite_rejected, sqlite_totals = stores.read_sqlite(WINDOW)
    of_postgres, postgres_rejected, postgres_totals = read(stores.postgres, WINDOW)

    records, rejected, unsettled = independent.rows(stores.path, WINDOW.start, WINDOW.end)
    assert plain(of_sqlite) == records
    assert sqlite_rejected == rejected
    assert (sqlite_totals.rows, sqlite_totals.unsettled) == (len(records) + len(rejected), unsettled)
    records, rejected, unsettled = independent.rows(
        independent_postgres.log_rows(stores.psql), WINDOW.start, WINDOW.end
    )
    assert plain(of_postgres) == records
    assert postgres_rejected == rejected
    assert (postgres_totals.rows, postgres_totals.unsettled) == (len(records) + len(rejected), unsettled)
    assert plain(of_postgres) == [row for row in plain(of_sqlite) if row["request_id"] in in_both]
    if len(in_both) == len(rows):
        assert of_postgres.equals(of_sqlite)
        assert (postgres_totals.input_tokens, postgres_totals.output_tokens) == (
            sqlite_totals.input_tokens,
            sqlite_totals.output_tokens,
        )
        assert postgres_totals.cost_usd == pytest.approx(sqlite_totals.cost_usd, abs=1e-9 * sqlite_totals.cost_scale)


def test_plausible_and_odd_rows_are_the_same_to_the_bit(
    stores: Stores, sample_store: Path, sample_window: Window
) -> None:
    """Whatever both can hold; rejected rows are told alike too."""
    stores.fill([*rows_of(sample_store), *both_can_hold(odd_rows(sample_window))])

    of_sqlite, of_postgres = stores.read_sqlite(sample_window), read(stores.postgres, sample_window)

    assert of_sqlite[0].num_rows > 2_100
    assert of_postgres[0].equals(of_sqlite[0])
    assert of_postgres[1] == of_sqlite[1] != []
