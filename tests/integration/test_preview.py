"""`bifrost-export preview`: what a run would export, read no further than needed, and nothing written."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.cells import cell_len

from bifrost_export.datasets import named
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.window import Window, merge, rfc3339
from tests import independent
from tests.integration.commands import Desk, bucket_of
from tests.servers.buckets import Buckets
from tests.support.odd_rows import plant

DAY = ("--window-start", "2026-03-01", "--window-end", "2026-03-02")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files, to see what is left there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_rows_are_those_of_a_run(desk: Desk, temporary: Path) -> None:
    """The same values in the same order, as the JSON format writes them; files and folders are as before."""
    plant(desk.log_store, Window.parse("2026-03-01", "2026-03-02"))
    code, found = desk.told("preview", "--export", "nightly", *DAY, "--limit", "10000")
    assert code == 0
    assert desk.files() == []
    assert list(temporary.iterdir()) == []

    desk.data = {"max_rejected": "50%"}
    [part] = desk.run("2026-03-01", "2026-03-02")["datasets"]["request_logs"]["parts"]
    rows = pq.read_table(desk.out / part["key"]).to_pylist()
    expected = [{**row, "timestamp": rfc3339(row["timestamp"])} for row in rows]
    assert found == {"datasets": {"request_logs": expected}}
    assert len(expected) > 800


def test_ten_rows_are_shown_without_a_limit(desk: Desk) -> None:
    """In the order of the export."""
    code, found = desk.told("preview", "--export", "nightly", *DAY)

    rows = found["datasets"]["request_logs"]
    assert (code, len(rows)) == (0, 10)
    assert tuple(rows[0]) == independent.COLUMNS
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)


def test_filters_hold(desk: Desk) -> None:
    """Only rows that pass are shown, as many as asked for where there are so many."""
    desk.data = {"filters": {"has_errors": True}}
    code, found = desk.told("preview", "--export", "nightly", *DAY, "--limit", "5")

    rows = found["datasets"]["request_logs"]
    assert (code, len(rows)) == (0, 5)
    assert all(row["status_code"] >= 400 for row in rows)


def test_a_date_range_narrows_the_window(desk: Desk) -> None:
    """As it does in a run."""
    desk.data = {"filters": {"date_range": {"start": "2026-03-01T18:00:00Z", "end": "2026-03-01T20:59:59Z"}}}
    _, found = desk.told("preview", "--export", "nightly", *DAY, "--limit", "10000")

    hours = {row["timestamp"][11:13] for row in found["datasets"]["request_logs"]}
    assert hours == {"18", "19", "20"}


def test_a_big_window_is_not_read_to_its_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a few rows one small slice is read; for a row that is not there all are, each bigger than the one before."""
    seen: list[Window] = []
    read = SQLiteLogStore.read

    def watched(store: SQLiteLogStore, window: Window, *rest: Any) -> Any:
        seen.append(window)
        return read(store, window, *rest)

    monkeypatch.setattr(SQLiteLogStore, "read", watched)
    monkeypatch.setattr("bifrost_export.pipeline.preview.ROWS_OF_FIRST", 20)

    code, found = desk.told("preview", "--export", "nightly", *DAY, "--limit", "3")
    assert (code, len(found["datasets"]["request_logs"]), len(seen)) == (0, 3, 1)
    assert seen[0].end < Window.parse("2026-03-01", "2026-03-01T06:00:00Z").end

    seen.clear()
    desk.data = {"filters": {"customers": ["nobody"]}}
    assert desk.told("preview", "--export", "nightly", *DAY) == (0, {"datasets": {"request_logs": []}})
    assert merge(seen) == [Window.parse("2026-03-01", "2026-03-02")]
    assert 2 < len(seen) < 6


def test_the_latest_settled_window_is_shown_when_none_is_named(desk: Desk) -> None:
    """It holds no row here, and people are told so."""
    assert desk.told("preview", "--export", "nightly") == (0, {"datasets": {"request_logs": []}})
    code, shown, _ = desk.shown("preview", "--export", "nightly")
    assert code == 0
    assert "No row of this window would be exported." in shown


def test_people_see_every_column_within_the_width(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that find no room stand in a further table."""
    monkeypatch.setattr("bifrost_export.cli.output._WIDTH_OF_A_FILE", 70)
    code, shown, _ = desk.shown("preview", "--export", "nightly", *DAY, "--limit", "4")

    assert code == 0
    assert all(name in shown for name in independent.COLUMNS)
    assert max(len(line) for line in shown.splitlines()) <= 70


@pytest.mark.parametrize("width", [70, 100])
def test_several_datasets_are_shown_masked_and_cut(desk: Desk, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its columns; neither a masked value nor the end of a long content is on the screen."""
    monkeypatch.setattr("bifrost_export.cli.output._WIDTH_OF_A_FILE", width)
    with closing(sqlite3.connect(desk.log_store)) as log_store, log_store:
        content = json.dumps(["漢字" * 500, "canary-end"], ensure_ascii=False)
        log_store.execute("UPDATE logs SET input_history = ?, content_hidden = 0", [content])
        log_store.execute("UPDATE logs SET customer_id = 'canary-customer'")
    mask = {"type": "anonymize", "fields": ["customer_id", "request_id"], "method": "redact"}
    include = ["request_logs", "response_logs", "error_logs", "metrics"]
    desk.data = {"include": include, "include_content": True, "transformations": [mask]}

    code, shown, _ = desk.shown("preview", "--export", "nightly", *DAY, "--limit", "5")

    assert code == 0
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    assert [line.split()[0] for line in shown.splitlines() if " of [2026" in line] == include
    assert "canary" not in shown
    assert "漢字" in shown
    for dataset in include:
        assert all(column.name in shown for column in named(dataset).columns), dataset

    code, told = desk.told("preview", "--export", "nightly", *DAY, "--limit", "5")
    assert {row["customer_id"] for row in told["datasets"]["error_logs"]} == {"[REDACTED]"}
    assert "canary-customer" not in json.dumps(told)


def test_no_destination_is_needed(desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its secrets may be missing here."""
    monkeypatch.delenv("TEST_SECRET")
    desk.destination = bucket_of(buckets)

    assert desk.told("preview", "--export", "nightly", *DAY)[0] == 0
    assert buckets.contents(desk.destination["config"]["bucket"]) == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (DAY[:2], "--window-start is given without the other"),
        (DAY[2:], "--window-end is given without the other"),
        (("--window-start", "2026-03-02", "--window-end", "2026-03-01"), "is not before its end"),
        (("--window-start", "soon", "--window-end", "2026-03-01"), "is no time"),
        (("--limit", "0"), "0 is not in the range"),
    ],
    ids=["no end", "no start", "turned round", "no time", "no row"],
)
def test_wrong_input_is_told(desk: Desk, arguments: tuple[str, ...], message: str) -> None:
    """With exit code 2 and one message."""
    code, found = desk.told("preview", "--export", "nightly", *arguments)
    assert code == 2
    assert message in found["error"]["message"]


def test_a_log_store_that_is_missing_is_one_message(desk: Desk, temporary: Path) -> None:
    """With exit code 1, and no folder left."""
    desk.log_store = desk.folder / "nowhere.db"
    code, found = desk.told("preview", "--export", "nightly", *DAY)
    assert (code, found["error"]["type"]) == (1, "LogStoreError")
    assert list(temporary.iterdir()) == []
    assert json.dumps(found)
