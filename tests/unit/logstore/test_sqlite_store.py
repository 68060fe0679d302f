"""The SQLite log store: read beside a live writer, in one snapshot, in order; its faults in clear words."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from bifrost_export.datasets import schema_of
from bifrost_export.errors import LogStoreBusyError, LogStoreError
from bifrost_export.logstore.sqlite import connection
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.sample.sqlite_tables import add_rows, connect, create, insert
from bifrost_export.window import Window, rfc3339
from tests import independent
from tests.support.odd_rows import BASE, plant
from tests.support.odd_times import space_form, t_form

SCHEMA = schema_of("request_logs")
DAY = Window.parse("2026-03-01", "2026-03-02")
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)
LOCK = """
import sqlite3, sys
writer = sqlite3.connect(sys.argv[1], isolation_level=None)
writer.execute("PRAGMA journal_mode = DELETE").fetchall()
writer.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def opened(path: Path) -> SQLiteLogStore:
    """The log store of a file."""
    return SQLiteLogStore(SQLiteConfig(path=str(path)))


def row(name: str, timestamp: str) -> dict[str, object]:
    """A plain row at a time."""
    return {**BASE, "id": name, "timestamp": timestamp, "created_at": timestamp}


def read(path: Path, window: Window) -> pa.Table:
    """All records of a window."""
    with closing(opened(path)) as store:
        return pa.Table.from_batches(list(store.read(window, SCHEMA).batches), SCHEMA)


def test_every_row_and_value_agrees_with_the_independent_reading(log_store: Path, sample_window: Window) -> None:
    """Plausible rows and odd ones, over several slices."""
    plant(log_store, sample_window)
    expected, rejected, unsettled = independent.rows(log_store, sample_window.start, sample_window.end)

    with closing(opened(log_store)) as store:
        slices = store.slices([sample_window], 500, 100)
        readings = []
        for each in slices:
            reading = store.read(each, SCHEMA)
            readings.append((reading, pa.Table.from_batches(list(reading.batches), SCHEMA)))
        unplaced = store.unplaced()

    records = pa.concat_tables([table for _, table in readings])
    columns = {field.name: records.column(field.name).to_pylist() for field in SCHEMA if field.name != "timestamp"}
    columns["timestamp"] = records.column("timestamp").cast(pa.int64()).to_pylist()
    found = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert len(slices) > 3
    assert found == expected
    assert [(told.request_id, told.column) for reading, _ in readings for told in reading.rejected] == rejected
    assert sum(reading.totals.unsettled for reading, _ in readings) == unsettled
    assert sum(reading.totals.rows for reading, _ in readings) == len(expected) + len(rejected)
    assert unplaced == independent.unplaced(log_store) > 0


def test_rows_of_one_microsecond_stand_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """Nine digits are cut to six, so that the order of the texts is not that of the records."""
    path = tmp_path / "logs.db"
    create(path)
    names = ["d", "b", "ä", "a", "Z"]
    add_rows(path, [row(name, space_form(NOON, nanoseconds=number)) for number, name in enumerate(names)])
    add_rows(path, [row("c", t_form(NOON)), row("e", t_form(NOON + dt.timedelta(hours=1)))])

    assert read(path, DAY).column("request_id").to_pylist() == ["Z", "a", "b", "c", "d", "ä", "e"]


def test_totals_and_rows_are_of_one_moment_beside_a_live_writer(tmp_path: Path) -> None:
    """A row that a writer commits after the snapshot is in neither, and is there for the next reading."""
    path = tmp_path / "logs.db"
    create(path)
    with closing(connect(path)) as writer, closing(opened(path)) as store:
        insert(writer, [row("first", space_form(NOON))])
        reading = store.read(DAY, SCHEMA)
        insert(writer, [row("second", space_form(NOON))])
        rows = [name for batch in reading.batches for name in batch.column("request_id").to_pylist()]

        assert reading.totals.rows == 1
        assert rows == ["first"]
        assert store.count(DAY).rows == 2


def test_rows_still_in_the_write_ahead_log_are_read(tmp_path: Path) -> None:
    """They are not in the file itself yet."""
    path = tmp_path / "logs.db"
    create(path)
    with closing(connect(path)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        insert(writer, [row("fresh", space_form(NOON))])

        assert path.with_name("logs.db-wal").stat().st_size > 0
        assert read(path, DAY).num_rows == 1


def test_the_rows_of_a_window_are_found_by_an_index(tmp_path: Path) -> None:
    """None of the questions about a slice walks through the whole table."""
    path = tmp_path / "logs.db"
    create(path)
    with closing(opened(path)) as store:
        statements = store.statements
        questions = [
            statements.space_rows(DAY),
            statements.migrated_rows(DAY),
            statements.candidates(DAY),
            statements.held(DAY),
            statements.rows_about(DAY),
            statements.by_time(DAY, 19),
            *statements.totals(DAY, {7}),
        ]
        plans = [step["detail"] for sql in questions for step in store.connection.execute(f"EXPLAIN QUERY PLAN {sql}")]

    of_logs = [detail for detail in plans if " logs" in detail]
    assert len(of_logs) >= 9
    assert [detail for detail in of_logs if not detail.startswith("SEARCH logs")] == []


def test_slices_tile_the_window_and_hold_about_as_many_rows_as_asked(log_store: Path, sample_window: Window) -> None:
    """Cut at counts of its own rows."""
    with closing(opened(log_store)) as store:
        slices = store.slices([sample_window], 300, 100)
        counts = [store.count(each).rows for each in slices]
        few = store.slices([sample_window], 1, 3)

    assert slices[0].start == sample_window.start
    assert slices[-1].end == sample_window.end
    assert all(before.end == after.start for before, after in pairwise(slices))
    assert max(counts) <= 300
    assert len(slices) <= 10
    assert 1 <= len(few) <= 3


def test_an_empty_window_is_one_slice_without_rows(log_store: Path) -> None:
    """It is read all the same."""
    empty = Window.parse("2031-01-01", "2031-01-02")
    with closing(opened(log_store)) as store:
        assert store.slices([empty], 10, 10) == [empty]
    assert read(log_store, empty).num_rows == 0


def test_an_old_table_without_most_columns_is_read(tmp_path: Path) -> None:
    """What it lacks is empty, 0 or null."""
    path = tmp_path / "logs.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE logs (id text, timestamp datetime, status text)")
        database.execute("INSERT INTO logs VALUES ('r', '2026-03-01 12:00:00+00:00', 'error')")
        database.commit()

    [record] = read(path, DAY).drop_columns("timestamp").to_pylist()

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


def test_a_status_that_nobody_knows_is_rejected(tmp_path: Path) -> None:
    """It is told by its shape, not by its value."""
    path = tmp_path / "logs.db"
    create(path)
    add_rows(path, [{**row("r", space_form(NOON)), "status": "half-done"}])
    with closing(opened(path)) as store:
        reading = store.read(DAY, SCHEMA)
        assert [batch.num_rows for batch in reading.batches if batch.num_rows] == []

    [told] = reading.rejected
    assert (told.column, told.value_type, told.value_length) == ("status_code", "text", 9)
    assert "half-done" not in str(told)


def test_a_log_store_that_is_not_there_is_not_created(tmp_path: Path) -> None:
    """SQLite would make an empty one."""
    with pytest.raises(LogStoreError, match="does not exist; it was not created"):
        opened(tmp_path / "logs.db")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_log_store(tmp_path: Path) -> None:
    """The message says that it is a folder."""
    with pytest.raises(LogStoreError, match="is a folder"):
        opened(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """It is named."""
    path = tmp_path / "logs.db"
    path.write_text("no database at all, but long enough to be read as the header of one, or nearly" * 20)
    with pytest.raises(LogStoreError, match=r"logs\.db is no SQLite database"):
        opened(path)


@pytest.mark.parametrize("content", ["", "CREATE TABLE other (id text)"], ids=["an empty file", "another database"])
def test_a_database_without_the_table_is_refused(tmp_path: Path, content: str) -> None:
    """It is no log store of Bifrost."""
    path = tmp_path / "logs.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(content)
    path.touch()
    with pytest.raises(LogStoreError, match="has no table `logs`"):
        opened(path)


def test_a_table_without_a_required_column_is_refused(tmp_path: Path) -> None:
    """The message names the column."""
    path = tmp_path / "logs.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE logs (id text, timestamp datetime)")
    with pytest.raises(LogStoreError, match="lacks the columns status"):
        opened(path)


def test_a_locked_log_store_is_worth_another_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for; after that the fault is one that passes."""
    monkeypatch.setattr(connection, "BUSY_MILLISECONDS", 50)
    path = tmp_path / "logs.db"
    create(path)
    # Locks are a process's own, so that another one has to hold it.
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "locked\n"
        with pytest.raises(LogStoreBusyError, match="was locked"):
            opened(path)
        writer.communicate("")


def test_nothing_can_be_written_through_the_connection(log_store: Path) -> None:
    """The file is opened read-only."""
    with closing(opened(log_store)) as store, pytest.raises(LogStoreError, match="readonly"):
        store.connection.execute("DELETE FROM logs")


def test_a_reading_that_is_given_up_lets_go_of_the_file(log_store: Path, sample_window: Window) -> None:
    """Its thread has ended and its snapshot is closed, so that the next one can begin."""
    with closing(opened(log_store)) as store:
        batches = store.read(sample_window, SCHEMA).batches
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        assert store.count(sample_window).rows > 0


@pytest.mark.parametrize(
    ("times", "newest"),
    [
        ([], None),
        (["nonsense", ""], None),
        (["2026-03-01 23:00:00.123456789+00:00", "2026-03-01T08:00:00.7Z"], "2026-03-01T23:00:00.123456Z"),
        (["2026-03-01 07:00:00+00:00", "2026-03-01T08:00:00.7Z"], "2026-03-01T08:00:00.007Z"),
        (["2026-02-01 07:00:00+00:00", "2026-03-01T08:00:00Z", "zzz"], "2026-03-01T08:00:00Z"),
    ],
    ids=["no row", "no time", "own form", "migrated form", "among odd ones"],
)
def test_the_newest_row_is_found_in_either_form(tmp_path: Path, times: list[str], newest: str | None) -> None:
    """The two forms of one day don't sort among each other; what is no time is passed by."""
    path = tmp_path / "logs.db"
    create(path)
    with closing(connect(path)) as writer:
        insert(writer, [row(f"r{number}", text) for number, text in enumerate(times)])
        writer.commit()
    with closing(opened(path)) as store:
        found = store.newest()
    assert (None if found is None else rfc3339(found)) == newest


def test_an_index_on_the_times_is_looked_for(log_store: Path) -> None:
    """A partial one, or one that begins with another column, is of no use."""
    with closing(opened(log_store)) as store:
        assert store.is_indexed()
    with closing(sqlite3.connect(log_store)) as writer:
        indexes = [name for _, name, *_ in writer.execute("PRAGMA index_list('logs')") if "autoindex" not in name]
        for name in indexes:
            writer.execute(f"DROP INDEX {name}")
        writer.execute("CREATE INDEX partial ON logs (timestamp) WHERE status = 'success'")
        writer.execute("CREATE INDEX other ON logs (status, timestamp)")
        writer.commit()
    with closing(opened(log_store)) as store:
        assert not store.is_indexed()
