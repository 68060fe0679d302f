"""A ninth filter is one entry in the list of rules, its SQL and its key: everything else follows from the list."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample.sqlite_tables import add_rows, create
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.integration.ninth_filter import NAME
from tests.integration.published import comparable
from tests.support.odd_rows import BASE
from tests.support.odd_times import space_form

ROOT = Path(__file__).parents[2]
DAY = Window.parse("2026-03-01", "2026-03-02")
NOON = space_form(DAY.start.replace(hour=12))
ROW = {**BASE, "timestamp": NOON, "created_at": NOON, "provider": "openai"}
ROWS: list[dict[str, Any]] = [
    {**ROW, "id": "kept", "prompt_tokens": 100},
    {**ROW, "id": "few-1", "prompt_tokens": 99},
    {**ROW, "id": "few-2", "prompt_tokens": 0, "completion_tokens": 7},
    {**ROW, "id": "unknown", "prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
    {**ROW, "id": "both", "prompt_tokens": 1, "provider": "other"},
]
FILTERS = {"providers": ["openai"], NAME: 100}
INCLUDE = ["request_logs", "metrics"]


@pytest.fixture(params=["sqlite", "postgres"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """`source` of a document, with these rows."""
    if request.param == "sqlite":
        create(tmp_path / "logs.db")
        add_rows(tmp_path / "logs.db", ROWS)
        return {"type": "sqlite", "config": {"path": str(tmp_path / "logs.db")}}
    url = request.getfixturevalue("postgres_store")
    with in_postgres.writing(url) as write:
        in_postgres.insert(write, ROWS)
    return {"type": "postgres", "config": from_address(url, "the test")}


def told(sql: str, command: str, document: Path, *arguments: str) -> Any:
    """What a command prints of the document, with the ninth filter."""
    program = [sys.executable, "-m", "tests.integration.ninth_filter", sql, command, str(document), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_it_filters_and_is_counted_shown_and_run_in_sql(tmp_path: Path, source: dict[str, Any]) -> None:
    """The same rows and figures whether the log store has SQL for it or leaves it to the record."""
    published = {}
    for sql in ("with-sql", "without-sql"):
        export = Export(tmp_path / sql, tmp_path / "none", {"include": INCLUDE, "filters": FILTERS}, source=source)
        window = (
            "--export",
            "nightly",
            "--window-start",
            "2026-03-01",
            "--window-end",
            "2026-03-02",
            "--format",
            "json",
        )
        told(sql, "run", export.document(), *window)

        for name in INCLUDE:
            entry = export.manifest(DAY)["datasets"][name]
            assert entry["filtered_by"] == {"providers": 1, NAME: 3}, name
            assert entry["source"] == len(ROWS)
        published[sql] = comparable(export.contents())

        [planned] = told(sql, "plan", export.document(), "--format", "json")["exports"]
        assert any(f"'{NAME}'" in statement for statement in planned["statements"]) is (sql == "with-sql")
        page = told(sql, "page", export.document())["page"]
        assert "The provider is one of `openai`; the input has at least 100 tokens." in page
    assert published["with-sql"] == published["without-sql"]
