"""The command line on an export into a warehouse: run, status, verify and check, by the tables of its books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.commands import Desk

SCHEMAS = {"redshift": "public", "snowflake": "PUBLIC"}
Query = Callable[[str], list[list[str]]]


@pytest.fixture(
    params=[
        pytest.param("redshift"),
        pytest.param("snowflake", marks=pytest.mark.long),
        pytest.param("bigquery", marks=pytest.mark.long),
    ]
)
def query(request: pytest.FixtureRequest, desk: Desk) -> Query:
    """Asks the warehouse that the desk's export goes into."""
    server: Any = request.getfixturevalue(request.param)
    desk.destination = {"type": request.param, "config": server.config()}
    schema = SCHEMAS.get(request.param, "{}")
    return lambda sql: list(server.sql(sql.replace("{}", schema)))


def test_windows_and_gaps_are_told_and_an_overlapping_window_is_refused(desk: Desk, query: Query) -> None:
    """Before and after `plan` has anything to look at."""
    assert desk.told("status")[1]["exports"][0]["windows"] == 0
    desk.run("2026-02-28", "2026-03-01")
    desk.run("2026-03-01", "2026-03-02")
    desk.run("2026-03-04", "2026-03-05")

    code, found = desk.told("status")

    assert code == 0
    [export] = found["exports"]
    assert (export["exported_through"], export["windows"]) == ("2026-03-02T00:00:00Z", 3)
    assert export["gaps"] == [{"start": "2026-03-02T00:00:00Z", "end": "2026-03-04T00:00:00Z"}]
    half = ("--window-start", "2026-03-01T12:00:00Z", "--window-end", "2026-03-02T12:00:00Z")
    code, _, told = desk.shown("run", "--export", "nightly", *half)
    assert code == 1
    assert "overlaps the published window" in told
    desk.run("2026-02-28", "2026-03-03", "--replace-overlapping")
    assert desk.told("status")[1]["exports"][0]["windows"] == 2


def test_a_window_agrees_with_its_books_until_a_person_changes_a_row(desk: Desk, query: Query) -> None:
    """By the address that `run` tells."""
    found = desk.run("2026-03-01", "2026-03-02")
    entry = found["datasets"]["request_logs"]
    assert [each["rows"] for each in entry["tables"]] == [entry["exported"]]
    whose = ("--config", desk.document, "--export", "nightly")
    assert desk.verify(found["manifest"], *whose) == {"ok": True, "problems": []}

    query("UPDATE {}.request_logs SET input_tokens = 1 + COALESCE(input_tokens, 0)")

    told = desk.verify(found["manifest"], *whose)
    assert told["ok"] is False
    assert any("input_tokens" in problem for problem in told["problems"])


def test_every_step_of_a_check_passes(desk: Desk, query: Query) -> None:
    """And leaves no table."""
    desk.run("2026-03-01", "2026-03-02")
    before = query("SELECT table_name FROM information_schema.tables ORDER BY 1")

    code, found = desk.told("check")

    assert [each for each in found["checks"] if not each["ok"]] == []
    assert code == 0
    assert query("SELECT table_name FROM information_schema.tables ORDER BY 1") == before
