"""The odd rows: every kind is there, and the independent reading knows what becomes of each."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from bifrost_export.sample import sqlite_tables
from bifrost_export.window import Window
from tests import independent
from tests.support import odd_rows

WINDOW = Window.parse("2026-03-01", "2026-03-02")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log store that holds the odd rows of `WINDOW`, and nothing else."""
    path = tmp_path_factory.mktemp("odd") / "logs.db"
    sqlite_tables.create(path)
    odd_rows.plant(path, WINDOW)
    return path


def test_every_column_that_can_reject_a_row_does(planted: Path) -> None:
    """There is a rejected row by its time, and by its status."""
    _, rejected, _ = independent.rows(planted, WINDOW.start, WINDOW.end)
    assert {column for _, column in rejected} == {"timestamp", "status_code"}


def test_rows_lie_in_before_and_after_the_window(planted: Path) -> None:
    """Each row is in exactly one of three windows, or can't be placed at all."""
    day = dt.timedelta(days=1)
    found = [
        sum(len(each) for each in independent.rows(planted, start, end)[:2])
        for start, end in (
            (WINDOW.start - 10_000 * day, WINDOW.start),
            (WINDOW.start, WINDOW.end),
            (WINDOW.end, WINDOW.end + 10_000 * day),
        )
    ]
    unsettled = independent.rows(planted, WINDOW.start, WINDOW.end)[2]
    assert all(found)
    assert unsettled == 3
    assert sum(found) + unsettled + independent.unplaced(planted) == len(odd_rows.odd_rows(WINDOW))


def test_every_known_kind_of_request_is_there(planted: Path) -> None:
    """Each `object_type` of the table, its former names, and unknown ones."""
    kinds: Counter[str] = independent.object_types(planted)
    assert set(independent.KNOWN) | set(independent.LEGACY) | {"", "something_new"} <= set(kinds)


def test_odd_rows_fit_a_short_window() -> None:
    """In a window of a second the ordinary ones still lie inside, each at a moment of its own."""
    short = Window(WINDOW.start, WINDOW.start + dt.timedelta(seconds=1))
    rows = [row for row in odd_rows.odd_rows(short) if str(row["id"]).startswith("odd-0")]
    assert len({row["timestamp"] for row in rows}) == len(rows)
