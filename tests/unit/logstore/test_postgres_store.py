"""The PostgreSQL log store: read beside a live writer, in order, whatever its table is like."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bifrost_export.datasets import schema_of
from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.postgres import chunks
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.sample.postgres_tables import add_rows
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests import independent, independent_postgres
from tests.servers.postgres import config_of
from tests.support.odd_rows import BASE
from tests.support.odd_times import space_form
from tests.support.postgres_rows import plant, rows_of

SCHEMA = schema_of("request_logs")
DAY = Window.parse("2026-03-01", "2026-03-02")
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)


def opened(url: str, **over: Any) -> PostgresLogStore:
    """The log store at an address."""
    return PostgresLogStore(config_of(url, **over))


def row(name: str, timestamp: str, **over: Any) -> dict[str, Any]:
    """A plain row at a time."""
    return {**BASE, "id": name, "timestamp": timestamp, "created_at": timestamp, **over}


def read(url: str, window: Window, **over: Any) -> pa.Table:
    """All records of a window."""
    with closing(opened(url, **over)) as store:
        return pa.Table.from_batches(list(store.read(window, SCHEMA).batches), SCHEMA)


@pytest.fixture
def psql(postgres: PostgresServer, postgres_store: str) -> Callable[[str], str]:
    """Runs SQL in the test's own log store."""
    return lambda sql: postgres.psql(sql, postgres_store.rpartition("/")[2])


@pytest.fixture(scope="module")
def odd_store(postgres: PostgresServer, postgres_template: str, sample_store: Path) -> Iterator[str]:
    """Plausible rows over two days, with every odd row in and around them; nobody writes to it."""
    url = postgres.create_database("odd", postgres_template)
    add_rows(url, rows_of(sample_store))
    plant(url, Window.parse("2026-03-01", "2026-03-03"))
    yield url
    postgres.drop_database("odd")


@pytest.mark.parametrize("rows", [40, chunks.ROWS], ids=["in chunks of 40 rows", "in chunks as usual"])
def test_every_row_and_value_agrees_with_the_independent_reading(
    rows: int, odd_store: str, postgres: PostgresServer, sample_window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plausible rows and odd ones, over several slices, however they are chunked."""
    monkeypatch.setattr(chunks, "ROWS", rows)
    log_rows = independent_postgres.log_rows(lambda sql: postgres.psql(sql, "odd"))
    expected, rejected, unsettled = independent.rows(log_rows, sample_window.start, sample_window.end)

    with closing(opened(odd_store)) as store:
        slices = store.slices([sample_window], 500, 100)
        counts = [store.count(each) for each in slices]
        readings = []
        for each in slices:
            reading = store.read(each, SCHEMA)
            readings.append((pa.Table.from_batches(list(reading.batches), SCHEMA), reading))
        unplaced = store.unplaced()

    records = pa.concat_tables([table for table, _ in readings])
    columns = {field.name: records.column(field.name).to_pylist() for field in SCHEMA if field.name != "timestamp"}
    columns["timestamp"] = records.column("timestamp").cast(pa.int64()).to_pylist()
    found = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert len(slices) > 3
    assert found == expected
    assert [(told.request_id, told.column) for _, reading in readings for told in reading.rejected] == rejected
    assert sum(reading.totals.unsettled for _, reading in readings) == unsettled > 0
    assert sum(reading.totals.rows for _, reading in readings) == len(expected) + len(rejected)
    assert [reading.totals for _, reading in readings] == counts
    assert unplaced == independent.unplaced(log_rows) > 0


def test_rows_of_one_microsecond_stand_in_the_order_of_their_ids(postgres_store: str) -> None:
    """By their bytes, whatever the database's locale; a chunk never cuts a microsecond."""
    names = ["d", "b", "ä", "a", "Z", "\U0001f600", "\uffee"]
    add_rows(postgres_store, [row(name, space_form(NOON)) for name in names])

    assert read(postgres_store, DAY).column("request_id").to_pylist() == sorted(names, key=str.encode)


def test_totals_and_rows_are_of_one_moment_beside_a_live_writer(
    postgres_store: str, psql: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that a writer commits between the two questions of a chunk is in neither."""
    add_rows(postgres_store, [row("first", space_form(NOON))])
    late = f"'{space_form(NOON)}', '{space_form(NOON)}', '', '', '', 'success' FROM logs"
    with closing(opened(postgres_store)) as store:
        execute = store.connection.execute

        def counted_before_another_is_written(sql: str) -> list[dict[str, Any]]:
            answer = execute(sql)
            columns = "id, timestamp, created_at, object_type, provider, model, status"
            psql(f"INSERT INTO logs ({columns}) SELECT 'late-' || count(*), {late}")
            return answer

        monkeypatch.setattr(store.connection, "execute", counted_before_another_is_written)
        reading = store.read(DAY, SCHEMA)
        rows = [name for batch in reading.batches for name in batch.column("request_id").to_pylist()]
        monkeypatch.undo()

        assert reading.totals.rows == len(rows)
        assert store.count(DAY).rows == int(psql("SELECT count(*) FROM logs")) > len(rows)


def test_slices_tile_the_window_and_hold_about_as_many_rows_as_asked(odd_store: str, sample_window: Window) -> None:
    """Cut at counts of its own rows."""
    with closing(opened(odd_store)) as store:
        slices = store.slices([sample_window], 300, 100)
        few = store.slices([sample_window], 1, 3)
        placed = [store.count(each).rows for each in slices]

    assert slices[0].start == sample_window.start
    assert slices[-1].end == sample_window.end
    assert all(before.end == after.start for before, after in pairwise(slices))
    assert max(placed) <= 300 + 50  # the odd rows of one moment, which is never cut
    assert len(slices) <= 12
    assert 1 <= len(few) <= 3


def test_an_empty_table_is_one_slice_without_rows(postgres_store: str) -> None:
    """It is read all the same, and nothing in it is unplaced."""
    with closing(opened(postgres_store)) as store:
        assert store.slices([DAY], 10, 10) == [DAY]
        assert store.count(DAY).rows == 0
        assert store.unplaced() == 0
    assert read(postgres_store, DAY).num_rows == 0


def test_the_oldest_table_is_read(postgres: PostgresServer, postgres_database: str) -> None:
    """What it lacks is empty, 0 or null."""
    columns = "id varchar(255), timestamp timestamptz, object_type varchar(255), provider text, model text, status text"
    postgres.psql(f"CREATE TABLE logs ({columns})", postgres_database)
    postgres.psql(
        "INSERT INTO logs VALUES ('r', '2026-03-01 12:00:00+00', NULL, NULL, '', 'error'),"
        " ('lost', 'infinity', NULL, NULL, '', 'error')",
        postgres_database,
    )
    url = postgres.url(postgres_database)

    [record] = read(url, DAY).drop_columns("timestamp").to_pylist()

    assert record == {
        "request_id": "r",
        "customer_id": "",
        "provider": "",
        "model": "",
        "endpoint": "/v1/",
        "method": "POST",
        "status_code": 500,
        "latency_ms": 0,
        "input_tokens": None,
        "output_tokens": None,
        "cost_usd": None,
    }
    with closing(opened(url)) as store:
        assert store.unplaced() == 1
        assert "customer_id" not in store.columns()


TABLES = {
    "a view": "ALTER TABLE logs RENAME TO inner_logs; CREATE VIEW logs AS SELECT * FROM inner_logs",
    "partitions": "ALTER TABLE logs RENAME TO was; CREATE TABLE logs (LIKE was) PARTITION BY RANGE (timestamp);"
    " CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (MINVALUE) TO ('2026-03-01 12:00Z');"
    " CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2026-03-01 12:00Z') TO (MAXVALUE);"
    " INSERT INTO logs SELECT * FROM was",
    "a materialized view": "ALTER TABLE logs RENAME TO was; CREATE MATERIALIZED VIEW logs AS SELECT * FROM was",
    "no index": "DROP INDEX idx_logs_timestamp, idx_logs_ts_provider_status",
    "other types": "ALTER TABLE logs ALTER latency TYPE float4, ALTER cost TYPE float8,"
    " ALTER prompt_tokens TYPE integer, ALTER completion_tokens TYPE numeric, ALTER total_tokens TYPE float8,"
    " ALTER error_details TYPE jsonb USING NULL,"
    " ALTER timestamp TYPE timestamp, ALTER created_at TYPE timestamp, ALTER id TYPE char(40)",
}


@pytest.mark.parametrize("change", TABLES.values(), ids=TABLES)
def test_tables_of_any_kind_give_the_same_records(change: str, postgres_store: str, psql: Callable[[str], str]) -> None:
    """A view, partitions, columns of other types: what counts is what they hold."""
    psql("ALTER DATABASE " + postgres_store.rpartition("/")[2] + " SET TimeZone = 'Asia/Kolkata'")
    times = [NOON - dt.timedelta(hours=1), NOON, NOON + dt.timedelta(microseconds=1), NOON + dt.timedelta(hours=1)]
    add_rows(postgres_store, [row(f"{number:040}", space_form(time)) for number, time in enumerate(times)])
    before = read(postgres_store, DAY)
    psql(f"SET TimeZone = 'UTC'; {change}")

    with closing(opened(postgres_store)) as store:
        assert store.count(DAY).input_tokens == 400
        assert store.unplaced() == 0
        assert len(store.slices([DAY], 1, 10)) == 3
    assert before.num_rows == 4
    assert read(postgres_store, DAY).equals(before)


def test_a_token_count_with_a_fraction_is_blanked(postgres_store: str, psql: Callable[[str], str]) -> None:
    """A column of another type can hold one; it is not rounded."""
    add_rows(postgres_store, [row(name, space_form(NOON)) for name in "abc"])
    psql("ALTER TABLE logs ALTER prompt_tokens TYPE numeric; UPDATE logs SET prompt_tokens = 12.5 WHERE id = 'b'")
    psql("UPDATE logs SET prompt_tokens = 1e30 WHERE id = 'c'")

    with closing(opened(postgres_store)) as store:
        reading = store.read(DAY, SCHEMA)
        rows = [row for batch in reading.batches for row in batch.to_pylist()]

    assert [(row["request_id"], row["input_tokens"]) for row in rows] == [("a", 100), ("b", None), ("c", None)]
    assert reading.rejected == []
    assert reading.totals.input_tokens == 100


def test_a_schema_is_read_by_the_search_path_or_by_its_name(
    postgres: PostgresServer, postgres_store: str, psql: Callable[[str], str]
) -> None:
    """And the manifest tells which; a table elsewhere is pointed at."""
    psql('CREATE SCHEMA "Odd ""one"; ALTER TABLE logs SET SCHEMA "Odd ""one"')
    with pytest.raises(LogStoreError, match=r'has no table logs on the search path.* in the schema Odd "one'):
        opened(postgres_store)

    with closing(opened(postgres_store, schema='Odd "one')) as store:
        assert store.describe() == {
            "type": "postgres",
            "host": "127.0.0.1",
            "port": postgres.port,
            "database": postgres_store.rpartition("/")[2],
            "schema": 'Odd "one',
        }
        assert store.count(DAY).rows == 0


def test_the_rows_of_a_window_are_found_by_an_index(postgres_store: str, psql: Callable[[str], str]) -> None:
    """None of the questions about a slice walks through the whole table."""
    times = "SELECT i, '2026-01-01Z'::timestamptz + i * '10 min'::interval AS t FROM generate_series(1, 20000) AS i"
    psql(
        "INSERT INTO logs (id, timestamp, created_at, object_type, provider, model, status)"
        f" SELECT i, t, t, '', '', '', 'success' FROM ({times}) AS times; ANALYZE logs"
    )
    with closing(opened(postgres_store)) as store:
        statements = store.statements
        questions = [
            *(statements.rows(DAY), statements.totals(DAY), statements.by_time(DAY, dt.timedelta(seconds=1))),
            *(statements.unread_rows(DAY), statements.unread_totals(DAY), statements.unplaced()),
        ]
    plans = [psql(f"EXPLAIN {question}") for question in questions]

    assert [plan for plan in plans if "Seq Scan" in plan or "Index" not in plan] == []
