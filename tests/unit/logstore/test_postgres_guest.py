"""A good guest: Bifrost gets its lock at any moment of an export, however slow its consumer is, and no row is lost.

Bifrost adds a column when it starts, waits at most 5 s for the lock, and fails to start without it; so does `alter`.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pyarrow as pa
import pytest

from bifrost_export.datasets import schema_of
from bifrost_export.errors import LogStoreBusyError
from bifrost_export.logstore.postgres import chunks, connection
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.sample.postgres_tables import add_rows, create, writing
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer, postgres_server
from tests.servers.postgres import config_of
from tests.support.odd_rows import BASE
from tests.support.odd_times import space_form

SCHEMA = schema_of("request_logs")
DAY = Window.parse("2026-03-01", "2026-03-02")
ROWS = 400
Psql = Callable[[str], str]


@pytest.fixture
def psql(postgres: PostgresServer, postgres_store: str) -> Psql:
    """Runs SQL in the test's own log store."""
    return lambda sql: postgres.psql(sql, postgres_store.rpartition("/")[2])


@pytest.fixture
def filled(postgres_store: str) -> str:
    """A log store with rows over a day."""
    step = (DAY.end - DAY.start) / ROWS
    add_rows(postgres_store, [row(number, DAY.start + number * step) for number in range(ROWS)])
    return postgres_store


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of some 20 rows."""
    monkeypatch.setattr(chunks, "ROWS", 20)


def row(number: int, instant: dt.datetime) -> dict[str, Any]:
    """A plain row."""
    time = space_form(instant)
    return {**BASE, "id": f"{number:06}", "timestamp": time, "created_at": time}


def opened(url: str) -> PostgresLogStore:
    """The log store at an address."""
    return PostgresLogStore(config_of(url))


def ids(url: str) -> list[str]:
    """The ids of all rows of the day, read from the beginning."""
    with closing(opened(url)) as store:
        return [name for batch in store.read(DAY, SCHEMA).batches for name in batch.column("request_id").to_pylist()]


def alter(psql: Psql, number: int) -> None:
    """Add a column as Bifrost does; it fails when the lock is not had in time."""
    psql(f"SET lock_timeout = '5s'; ALTER TABLE logs ADD COLUMN added_{number} text")


def backends(psql: Psql) -> list[str]:
    """What each connection of the exporter does."""
    return psql(
        "SELECT state FROM pg_stat_activity WHERE application_name = 'bifrost-export' AND datname = current_database()"
    ).splitlines()


def wait_until(so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_lock_is_free_at_every_moment_of_a_slow_reading(filled: str, psql: Psql, small_chunks: None) -> None:
    """A column is added before, after and between any two batches, while the consumer stands still."""
    with closing(opened(filled)) as store:
        alter(psql, 0)
        assert len(store.slices([DAY], 100, 10)) == 4
        alter(psql, 1)
        assert store.unplaced() == 0
        reading = store.read(DAY, SCHEMA)
        alter(psql, 2)
        found = []
        for number, batch in enumerate(reading.batches, start=3):
            found += batch.column("request_id").to_pylist()
            alter(psql, number)

    assert number > 12
    assert found == [f"{number:06}" for number in range(ROWS)]
    assert reading.totals.rows == ROWS


def test_nothing_waits_in_a_transaction_for_a_consumer(filled: str, psql: Psql, small_chunks: None) -> None:
    """Its rows wait in our memory, and the connection is idle."""
    with closing(opened(filled)) as store:
        batches = store.read(DAY, SCHEMA).batches
        next(batches)
        wait_until(lambda: backends(psql) == ["idle"])
        time.sleep(0.2)
        assert backends(psql) == ["idle"]
        assert psql("SELECT count(*) FROM pg_locks WHERE relation = 'logs'::regclass") == "0"
    wait_until(lambda: backends(psql) == [])


def test_a_server_that_is_slow_is_asked_for_less(filled: str, psql: Psql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that take longer than a statement may are read in smaller chunks; the lock is free in time all the while."""
    monkeypatch.setattr(connection, "STATEMENT_SECONDS", 0.5)
    psql("ALTER TABLE logs RENAME TO inner_logs")
    slow = "CASE WHEN pg_sleep(0.004) IS NULL THEN NULL ELSE error_details END"
    psql(f"CREATE VIEW logs AS SELECT id, timestamp, status, model, {slow} AS error_details FROM inner_logs")
    psql("UPDATE inner_logs SET status = 'error', error_details = ''")
    added: list[int] = []
    done = threading.Event()

    def add_columns() -> None:
        while not done.is_set():
            psql(f"SET lock_timeout = '5s'; ALTER TABLE inner_logs ADD COLUMN added_{len(added)} text")
            added.append(1)

    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add_columns)
        try:
            found = ids(filled)
        finally:
            done.set()
        adding.result()

    assert found == [f"{number:06}" for number in range(ROWS)]
    assert len(added) > 3


def test_a_moment_with_many_rows_is_read_in_one_chunk(postgres_store: str, small_chunks: None) -> None:
    """It can't be cut by time."""
    noon = DAY.start + dt.timedelta(hours=12)
    add_rows(postgres_store, [row(number, noon) for number in range(300)])
    assert len(ids(postgres_store)) == 300


def test_long_texts_make_chunks_small(filled: str, psql: Psql, monkeypatch: pytest.MonkeyPatch) -> None:
    """No chunk holds more of them than memory should."""
    psql("UPDATE logs SET status = 'error', error_details = repeat('x', 10000)")
    monkeypatch.setattr(chunks, "BYTES", 200_000)
    with closing(opened(filled)) as store:
        found = list(chunks.chunks(store.connection, store.statements, DAY))

    assert sum(chunk.sums.rows for chunk in found) == ROWS
    assert max(batch.nbytes for chunk in found for batch in chunk.batches) < 1_000_000


def test_rows_that_another_rewrites_meanwhile_are_not_lost(filled: str, psql: Psql) -> None:
    """A snapshot that is older than the rewriting would find the table empty."""
    psql("ALTER TABLE logs DROP COLUMN created_at")  # so that one question alone is asked
    with closing(opened(filled)) as store, writing(filled) as execute, ThreadPoolExecutor(1) as pool:
        execute("BEGIN; ALTER TABLE logs ALTER fallback_index TYPE numeric")
        counting = pool.submit(store.count, DAY)
        wait_until(lambda: psql("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1")
        execute("COMMIT")
        assert counting.result().rows == ROWS


def test_rows_of_a_live_writer_are_counted_as_they_are_read(filled: str, small_chunks: None) -> None:
    """The totals are those of the very rows that were read, whatever is written and deleted between two chunks."""
    step = (DAY.end - DAY.start) / 50
    with closing(opened(filled)) as store, writing(filled) as execute:
        reading = store.read(DAY, SCHEMA)
        found = []
        for number, batch in enumerate(reading.batches):
            found += batch.column("request_id").to_pylist()
            execute(f"DELETE FROM logs WHERE id = '{number * 7:06}'")
            add_rows(filled, [row(10_000 + number, DAY.start + (number % 50) * step)])

    assert len(found) == len(set(found)) == reading.totals.rows
    assert reading.totals.input_tokens == 100 * len(found)


def test_a_connection_that_is_cut_in_the_middle_is_worth_another_try(
    filled: str, psql: Psql, small_chunks: None
) -> None:
    """An administrator ends it; the next try reads everything."""
    with closing(opened(filled)) as store:
        batches = store.read(DAY, SCHEMA).batches
        next(batches)
        wait_until(lambda: backends(psql) == ["idle"])
        psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bifrost-export'")
        with pytest.raises(LogStoreBusyError, match="went away or is busy"):
            list(batches)
    assert len(ids(filled)) == ROWS


def test_a_statement_that_is_cut_in_the_middle_is_worth_another_try(filled: str, psql: Psql) -> None:
    """While rows are on their way."""
    psql("ALTER TABLE logs RENAME TO inner_logs")
    psql(
        "CREATE VIEW logs AS SELECT id, timestamp, status, CASE WHEN id > '000200' AND pg_terminate_backend(pid)"
        " THEN 'gone' END AS model FROM inner_logs LEFT JOIN LATERAL (SELECT pg_backend_pid() AS pid) AS own ON true"
    )
    with pytest.raises(LogStoreBusyError, match="went away or is busy: terminating connection"):
        ids(filled)


def test_a_server_that_restarts_in_the_middle_is_worth_another_try(small_chunks: None) -> None:
    """While it is away as well; afterwards everything is read."""
    with postgres_server() as server:
        create(server.create_database("logs"))
        url = server.url("logs")
        add_rows(url, [row(number, DAY.start + number * dt.timedelta(minutes=1)) for number in range(ROWS)])
        with closing(opened(url)) as store:
            batches = store.read(DAY, SCHEMA).batches
            first = next(batches)
            server.stop()
            with pytest.raises(LogStoreBusyError):
                pa.Table.from_batches([first, *batches])
            with pytest.raises(LogStoreBusyError, match="can't be reached"):
                opened(url)
            server.start()
        assert len(ids(url)) == ROWS
