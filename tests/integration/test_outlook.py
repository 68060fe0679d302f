"""`bifrost-export plan`: the next windows, where they go and the SQL, with no network and no secret."""

from __future__ import annotations

import datetime as dt
import socket
import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest

from bifrost_export.logstore.sqlite.connection import Connection
from bifrost_export.window import UTC, parse_instant
from tests.integration.commands import Desk

BERLIN = {"frequency": "daily", "time": "02:30", "timezone": "Europe/Berlin"}
S3 = {
    "type": "s3",
    "config": {
        "bucket": "bifrost-logs",
        "prefix": "daily/{year}/{month}/{day}/",
        "credentials": {"access_key_id": "${NOT_SET}", "secret_access_key": "a-literal-secret"},
    },
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails."""

    def refuse(*_: Any) -> None:
        raise AssertionError("plan uses the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_windows_names_and_sql_are_told(desk: Desk) -> None:
    """In the published keys; the log store need not be there, and no secret needs a value."""
    desk.destination, desk.schedule = S3, BERLIN
    desk.log_store = desk.folder / "nowhere.db"

    code, found = desk.told("plan", "--from", "2026-03-28", "--count", "2")

    [export] = found["exports"]
    assert code == 0
    assert set(export) == {"name", "dag_id", "windows", "targets", "statements"}
    assert (export["name"], export["dag_id"]) == ("nightly", "bifrost_export__nightly")
    assert export["windows"] == [
        {"start": "2026-03-27T01:30:00Z", "end": "2026-03-28T01:30:00Z"},
        {"start": "2026-03-28T01:30:00Z", "end": "2026-03-29T01:00:00Z"},
    ]
    name = "nightly__request_logs__20260328T013000Z_20260329T010000Z__<token>__part-<number>-of-<parts>.parquet"
    assert export["targets"][2:] == [
        f"s3://bifrost-logs/daily/2026/03/28/request_logs/{name}",
        "s3://bifrost-logs/daily/_manifests/nightly/20260328T013000Z_20260329T010000Z.json",
    ]
    assert not desk.log_store.exists()


def test_a_time_without_a_zone_is_the_exports_own(desk: Desk) -> None:
    """The first window is the first that ends after it: one that ends just then is over."""
    desk.schedule = BERLIN
    for since, first in (("2026-03-01T02:30", "2026-03-01"), ("2026-03-01T02:29:59", "2026-02-28")):
        _, found = desk.told("plan", "--from", since, "--count", "1")
        assert found["exports"][0]["windows"][0]["start"] == f"{first}T01:30:00Z"


def test_five_windows_from_now_are_told_without_options(desk: Desk) -> None:
    """The first is the one that is open."""
    before = dt.datetime.now(UTC)
    _, found = desk.told("plan")

    windows = found["exports"][0]["windows"]
    assert len(windows) == 5
    assert parse_instant(windows[0]["start"]) <= dt.datetime.now(UTC)
    assert parse_instant(windows[0]["end"]) > before
    assert all(one["end"] == other["start"] for one, other in pairwise(windows))


def test_the_sql_is_what_the_log_store_takes(desk: Desk) -> None:
    """Each statement runs on it as it stands; one of them gives the rows, behind one that tells their types."""
    _, found = desk.told("plan", "--from", "2026-03-01", "--count", "1")

    with closing(Connection(desk.log_store)) as connection:
        counts = [len(connection.execute(each)) for each in found["exports"][0]["statements"]]
    with closing(sqlite3.connect(desk.log_store)) as connection:
        [(rows,)] = connection.execute(
            "SELECT count(*) FROM logs WHERE timestamp >= '2026-03-01' AND timestamp < '2026-03-02'"
            " AND status <> 'processing'"
        )
    assert rows + 1 in counts


def test_people_see_local_time_utc_and_the_hours(desk: Desk) -> None:
    """A day with a clock change has 23."""
    desk.schedule = BERLIN
    code, shown, _ = desk.shown("plan", "--from", "2026-03-29", "--count", "1")

    assert code == 0
    assert "daily at 02:30 Europe/Berlin" in shown
    assert "2026-03-28 02:30:00+01:00" in shown
    assert "2026-03-29T01:00:00Z" in shown
    assert "23.5" in shown
    assert "SELECT" in shown
    assert max(len(line) for line in shown.splitlines()) <= 200


def test_without_a_log_store_the_rest_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no SQL then; a variable that names one brings it back."""
    path = desk.folder / "unnamed.json"
    path.write_text(
        '{"log_exports": {"exports": [{"name": "a", "schedule": {"frequency": "daily"},'
        ' "destination": {"type": "local", "config": {"path": "out"}}}]}}'
    )
    monkeypatch.setattr(Desk, "document", str(path))
    assert desk.told("plan")[1]["exports"][0]["statements"] == []
    assert "No log store is named" in desk.shown("plan")[1]

    monkeypatch.setenv("BIFROST_LOG_STORE", "sqlite:////somewhere/logs.db")
    assert desk.told("plan")[1]["exports"][0]["statements"] != []

    monkeypatch.delenv("BIFROST_LOG_STORE")
    monkeypatch.setenv("AIRFLOW_CONN_BIFROST_LOGS", '{"conn_type": "sqlite", "host": "/somewhere/logs.db"}')
    assert desk.told("plan")[1]["exports"][0]["statements"] != []


def test_what_only_a_run_knows_stands_as_its_name(desk: Desk) -> None:
    """The run's id and its moment, where a prefix has them."""
    desk.destination = {"type": "local", "config": {"path": "out", "prefix": "a/${EXPORT_TIMESTAMP}/${RUN_ID}/"}}
    _, found = desk.told("plan", "--count", "1")
    assert "/out/a/<EXPORT_TIMESTAMP>/<RUN_ID>/request_logs/" in found["exports"][0]["targets"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "soon"), "is no time"),
        (("--count", "0"), "0 is not in the range"),
        (("--export", "nightl"), "has no export 'nightl'"),
        (("--from", "9999-12-31"), "ends of the calendar"),
    ],
    ids=" ".join,
)
def test_wrong_input_is_told(desk: Desk, arguments: tuple[str, ...], message: str) -> None:
    """With exit code 2 and one message."""
    code, found = desk.told("plan", *arguments)
    assert code == 2
    assert message in found["error"]["message"]


def test_a_reference_that_a_name_needs_must_have_a_value(desk: Desk) -> None:
    """It is told with its place."""
    desk.destination = {"type": "s3", "config": {"bucket": "${NOT_SET}"}}
    code, found = desk.told("plan")
    assert (code, found["error"]["type"]) == (2, "MissingReferenceError")
    assert "/destination/config/bucket" in found["error"]["message"]


def test_an_export_that_is_off_is_left_out_unless_it_is_named(desk: Desk) -> None:
    """By its own switch."""
    off = {
        "name": "off",
        "enabled": False,
        "schedule": BERLIN,
        "destination": {"type": "local", "config": {"path": "x"}},
    }
    desk.others = [off]
    assert [each["name"] for each in desk.told("plan")[1]["exports"]] == ["nightly"]
    assert [each["name"] for each in desk.told("plan", "--export", "off")[1]["exports"]] == ["off"]
