"""`bifrost-export run --from --to`: the schedule's windows, but for those that are published."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from bifrost_export.window import UTC
from tests.integration.commands import Desk

KEYS = {"export", "window", "manifest", "revision", "unchanged", "datasets"}


def walk(desk: Desk, since: str, until: str, *arguments: str) -> tuple[int, Any]:
    """Walk, and give what is told."""
    return desk.told("run", "--export", "nightly", "--from", since, "--to", until, *arguments)


def starts(found: Any) -> list[str]:
    """The days on which the windows start that were exported."""
    return [run["window"]["start"][:10] for run in found["runs"]]


def test_every_window_between_is_exported(desk: Desk) -> None:
    """Each told as a single run is; their rows are those of the log store, once."""
    code, found = walk(desk, "2026-02-28", "2026-03-04")

    assert (code, found["skipped"]) == (0, 0)
    assert starts(found) == ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"]
    assert all(set(run) >= KEYS for run in found["runs"])
    whole = desk.run("2026-02-28", "2026-03-04", "--dry-run", "--replace-overlapping")
    sources = [run["datasets"]["request_logs"]["source"] for run in found["runs"]]
    assert sum(sources) == whole["datasets"]["request_logs"]["source"] > 1_000


def test_published_windows_are_skipped(desk: Desk) -> None:
    """They are not even read again."""
    desk.run("2026-03-01", "2026-03-02")
    code, found = walk(desk, "2026-02-28", "2026-03-03")

    assert (code, found["skipped"]) == (0, 1)
    assert starts(found) == ["2026-02-28", "2026-03-02"]
    assert walk(desk, "2026-02-28", "2026-03-03") == (0, {"runs": [], "skipped": 3})


def test_windows_that_a_longer_one_covers_are_skipped(desk: Desk) -> None:
    """Their rows are published."""
    desk.run("2026-03-01", "2026-03-03")
    _, found = walk(desk, "2026-02-28", "2026-03-04")
    assert (starts(found), found["skipped"]) == (["2026-02-28", "2026-03-03"], 2)


def test_it_begins_with_the_first_window_that_ends_later(desk: Desk) -> None:
    """And ends with the last that starts earlier, by the schedule's own times."""
    desk.schedule = {"frequency": "daily", "time": "02:00", "timezone": "Europe/Berlin"}
    _, found = walk(desk, "2026-03-01T02:00", "2026-03-03T02:00", "--dry-run")
    assert [run["window"] for run in found["runs"]] == [
        {"start": "2026-03-01T01:00:00Z", "end": "2026-03-02T01:00:00Z"},
        {"start": "2026-03-02T01:00:00Z", "end": "2026-03-03T01:00:00Z"},
    ]
    _, found = walk(desk, "2026-03-01T01:59", "2026-03-01T02:01", "--dry-run")
    assert starts(found) == ["2026-02-28", "2026-03-01"]


def test_a_window_that_fails_ends_the_walk(desk: Desk) -> None:
    """What was done before is told beside the error, to machines and to people."""
    desk.run("2026-03-01T06:00", "2026-03-02T06:00")

    code, found = walk(desk, "2026-02-27", "2026-03-04")

    assert code == 1
    assert starts(found) == ["2026-02-27", "2026-02-28"]
    assert found["error"]["type"] == "OverlapError"

    code, shown, told = desk.shown("run", "--export", "nightly", "--from", "2026-02-26", "--to", "2026-03-04")
    assert code == 1
    assert "1 window exported, 2 published already, 3 left" in shown
    assert told.count("error:") == 1


def test_a_window_that_has_not_settled_is_told_before_any_is_exported(desk: Desk) -> None:
    """With the time that can be walked to; `--force` takes it all the same."""
    today = dt.datetime.now(UTC).date()
    since, until = str(today - dt.timedelta(days=2)), str(today + dt.timedelta(days=1))
    code, found = walk(desk, since, until)

    assert (code, set(found)) == (2, {"error"})
    assert "has not settled" in found["error"]["message"]
    assert desk.files() == []
    code, found = walk(desk, since, until, "--force")
    assert (code, len(found["runs"])) == (0, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--from", "2026-03-01"),
        ("--to", "2026-03-01"),
        ("--window-start", "2026-03-01"),
        ("--from", "2026-03-01", "--window-end", "2026-03-02"),
        ("--from", "2026-03-01", "--to", "2026-03-02", "--window-start", "2026-03-01"),
    ],
    ids=" ".join,
)
def test_half_given_times_are_wrong_input(desk: Desk, arguments: tuple[str, ...]) -> None:
    """Nothing is guessed."""
    code, found = desk.told("run", "--export", "nightly", *arguments)
    assert code == 2
    assert "two that belong together" in found["error"]["message"]


def test_times_that_are_turned_round_are_wrong_input(desk: Desk) -> None:
    """As those of a window."""
    code, found = walk(desk, "2026-03-02", "2026-03-01")
    assert (code, found["error"]["type"]) == (2, "WindowError")


def test_a_single_run_tells_exactly_what_is_published(desk: Desk) -> None:
    """The keys of the contract, and parts with four keys each."""
    found = desk.run("2026-03-01", "2026-03-02")
    assert set(found) >= KEYS
    entry = found["datasets"]["request_logs"]
    assert set(entry) >= {"source", "filtered", "rejected", "exported", "parts"}
    assert entry["source"] == entry["filtered"] + entry["rejected"] + entry["exported"]
    assert [set(part) for part in entry["parts"]] == [{"key", "rows", "bytes", "sha256"}]
