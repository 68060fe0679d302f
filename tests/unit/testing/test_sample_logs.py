"""The sample log store: plausible, the same for the same seed, and never in place of something that exists."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import adbc_driver_manager
import pytest

from bifrost_export.errors import ConfigError
from bifrost_export.sample.logs import last_midnight, write
from bifrost_export.window import UTC, Window
from tests import independent

END = dt.datetime(2026, 3, 8, tzinfo=UTC)


def contents(path: Path) -> list[tuple[Any, ...]]:
    """Every row of the store, in insertion order."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM logs ORDER BY rowid").fetchall()


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 20,000 rows over a week."""
    path = tmp_path_factory.mktemp("week") / "logs.db"
    write(path, rows=20_000, seed=3, days=7, end=END)
    return path


def test_the_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    """Two stores of one seed and window are equal, and another seed's differs."""
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write(tmp_path / name, rows=300, seed=seed, days=2, end=END)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_all_rows_lie_in_the_window_and_can_be_read(week: Path) -> None:
    """Every row becomes a record of the window, but for a few at its end that are still processing."""
    window = Window(END - dt.timedelta(days=7), END)
    records, rejected, unsettled = independent.rows(week, window.start, window.end)
    assert rejected == []
    assert 0 < unsettled < 10
    assert len(records) == 20_000 - unsettled
    assert len({record["request_id"] for record in records}) == len(records)


def test_rows_that_no_record_can_hold_are_there_on_demand(tmp_path: Path) -> None:
    """A latency beyond INT32 shows what a blanked field looks like: its row is exported."""
    write(tmp_path / "logs.db", rows=2_000, days=1, end=END, broken=3)
    records, rejected, unsettled = independent.rows(tmp_path / "logs.db", END - dt.timedelta(days=1), END)
    with closing(sqlite3.connect(tmp_path / "logs.db")) as connection:
        broken = {name for (name,) in connection.execute("SELECT id FROM logs WHERE latency >= 2147483647.5")}
    assert len(broken) == 3
    assert (len(records) + unsettled, rejected) == (2_000, [])
    assert {record["latency_ms"] for record in records if record["request_id"] in broken} == {0}


def test_traffic_is_busy_by_day_and_quiet_at_night_and_on_weekends(week: Path) -> None:
    """The afternoon sees at least twice the rows of the night, and a Tuesday more than a Sunday."""
    records, _, _ = independent.rows(week, END - dt.timedelta(days=7), END)
    moments = [dt.datetime.fromtimestamp(record["timestamp"] / 1e6, UTC) for record in records]
    hours = [moment.hour for moment in moments]
    days = [moment.date() for moment in moments]
    assert hours.count(14) > 2 * hours.count(2)
    assert days.count(dt.date(2026, 3, 3)) > 1.5 * days.count(dt.date(2026, 3, 1))


def test_outcomes_and_customers_are_plausible(week: Path) -> None:
    """About 4 % are errors, some rows are cancelled, unpriced or without a customer, and few customers send most."""
    records, _, _ = independent.rows(week, END - dt.timedelta(days=7), END)
    codes = [record["status_code"] for record in records]
    customers = [record["customer_id"] for record in records]
    largest = sorted((customers.count(each) for each in set(customers) - {""}), reverse=True)
    assert 0.03 < sum(code >= 400 and code != 499 for code in codes) / len(codes) < 0.05
    assert 0 < codes.count(499) < 300
    assert {200, 201, 204, 400, 401, 403, 429, 500, 503} <= set(codes)
    assert 0 < customers.count("") < 0.2 * len(customers)
    assert sum(largest[:10]) > 0.3 * sum(largest)
    assert len(largest) > 200
    assert any(record["cost_usd"] is None for record in records)
    assert any(record["endpoint"] == "/v1/files" for record in records)


def test_the_store_looks_like_one_that_bifrost_has_written(week: Path) -> None:
    """It has the write-ahead log, the indexes, nine-digit times in the space form, and content in 1 % of its rows."""
    with closing(sqlite3.connect(week)) as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        indexes = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        nine = connection.execute("SELECT count(*) FROM logs WHERE length(timestamp) = 35").fetchone()[0]
        columns = connection.execute("SELECT count(*) FROM pragma_table_info('logs')").fetchone()[0]
        contents = connection.execute("SELECT count(*) FROM logs WHERE input_history <> ''").fetchone()[0]
    assert mode == "wal"
    assert {"idx_logs_timestamp", "idx_logs_status_created_at"} <= indexes
    assert nine > 17_000
    assert columns == 118
    assert 50 < contents < 200


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    """Whatever stands there stays as it is."""
    path = tmp_path / "logs.db"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        write(path, rows=1)
    assert path.read_text() == "mine"


@pytest.mark.parametrize(("name", "value"), [("rows", 0), ("days", 0), ("days", 9_999_999)])
def test_impossible_sizes_are_refused(tmp_path: Path, name: str, value: int) -> None:
    """Nothing is written for a number that makes no sense."""
    with pytest.raises(ConfigError, match=str(value)):
        write(tmp_path / "logs.db", **{name: value})
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_no_half_made_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stops the writing in its middle leaves the folder as it was."""

    def broken() -> tuple[list[str], list[str]]:
        return ["CREATE TABLE logs (id TEXT)"], []

    monkeypatch.setattr("bifrost_export.sample.sqlite_tables.statements", broken)
    with pytest.raises(adbc_driver_manager.Error, match="no column named"):
        write(tmp_path / "logs.db", rows=1)
    assert list(tmp_path.iterdir()) == []


def test_the_default_end_is_the_last_midnight_utc() -> None:
    """A zone's own midnight doesn't count."""
    moment = dt.datetime(2026, 3, 8, 1, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert last_midnight(moment) == dt.datetime(2026, 3, 7, tzinfo=UTC)
