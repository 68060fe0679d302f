"""A run into a warehouse, killed (-9) in `load` or in `publish` and run again, leaves each window loaded once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.testing.sample_logs import write
from bifrost_export.window import Window
from tests.integration.killing import run_cli

DAY = Window.parse("2026-03-01", "2026-03-02")
ROWS = 20_000
IN_LOAD = {"redshift": r"^put request_logs.*00002", "snowflake": r"^PUT .*00002", "bigquery": r"^wait .*_load_.*00002"}
IN_PUBLISH = {"redshift": "^COMMIT", "snowflake": "^COMMIT", "bigquery": r"^wait .*_publish_"}


@pytest.fixture(scope="module")
def log_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of rows."""
    path = tmp_path_factory.mktemp("logs") / "logs.db"
    write(path, rows=ROWS, seed=5, days=1, end=DAY.end)
    return path


@dataclass
class Warehouse:
    """One warehouse with its document.

    Args:
        kind: Its name.
        document: The document's path.
        environ: What a process needs to sign in.
        query: The rows that SQL gives, `{}.` before a table.
        staged: What is staged.
        rows: How many rows of the log store have ended.
    """

    kind: str
    document: Path
    environ: dict[str, str]
    query: Callable[[str], list[list[str]]]
    staged: Callable[[], list[str]]
    rows: int

    def run(self, **how: Any) -> tuple[int, int]:
        """Export the day from the command line."""
        arguments = ["run", str(self.document), "--export", "nightly", "--window-start", "2026-03-01T00:00:00Z"]
        return run_cli([*arguments, "--window-end", "2026-03-02T00:00:00Z", "--format", "json"], self.environ, **how)

    def check(self) -> None:
        """Each row is there once, the books say the same, and nothing is staged."""
        counted = self.query("SELECT COUNT(*), COUNT(DISTINCT request_id) FROM {}.request_logs")
        assert counted == [[str(self.rows), str(self.rows)]]
        live = "FROM {}.bifrost_export_loads WHERE kind = 'load' AND superseded_at IS NULL"
        [[loads, exported]] = self.query(f"SELECT COUNT(*), SUM(exported) {live}")
        assert (loads, float(exported)) == ("1", self.rows)  # one stand-in sums whole numbers as doubles
        assert self.staged() == []


@pytest.fixture(params=list(IN_LOAD))
def warehouse(request: pytest.FixtureRequest, tmp_path: Path, log_store: Path) -> Warehouse:
    """An empty schema, and a document that exports into it by three files."""
    server: Any = request.getfixturevalue(request.param)
    if request.param == "snowflake":
        server.server.tell(idle_seconds=1.0)  # a killed run leaves its transaction open: the service waits five minutes
    schema = {"redshift": "public", "snowflake": "PUBLIC"}.get(request.param)
    query = server.sql if schema is None else lambda sql: server.sql(sql.replace("{}", schema))
    environ = server.environment if hasattr(server, "environment") else server.connections()
    export = {
        "name": "nightly",
        "schedule": {"frequency": "daily"},
        "destination": {"type": request.param, "config": server.config()},
        "data": {"max_rows_per_file": 8_000},
    }
    source = {"type": "sqlite", "config": {"path": str(log_store)}}
    staging = {"url": (tmp_path / "staging").as_uri()}
    path = tmp_path / "log_exports.json"
    path.write_text(json.dumps({"log_exports": {"exports": [export], "source": source, "staging": staging}}))
    with closing(sqlite3.connect(log_store)) as connection:
        [rows] = connection.execute("SELECT count(*) FROM logs WHERE status <> 'processing'").fetchone()
    return Warehouse(request.param, path, environ, query, server.staged, rows)


@pytest.mark.parametrize("steps", [IN_LOAD, IN_PUBLISH], ids=["load", "publish"])
def test_a_kill_is_mended_by_a_rerun(warehouse: Warehouse, steps: dict[str, str]) -> None:
    """Killed in the middle of the step."""
    assert warehouse.run(kill_when=steps[warehouse.kind])[0] == -9

    assert warehouse.run()[0] == 0

    warehouse.check()


@pytest.mark.long
def test_a_kill_before_any_request_is_mended_by_a_rerun(warehouse: Warehouse) -> None:
    """Each request of a run over a former revision."""
    code, moments = warehouse.run()
    assert code == 0
    assert moments > 20
    for moment in range(1, moments + 10):
        code, _ = warehouse.run(kill_at=moment)
        if code == 0:  # it has had fewer
            break
        assert code == -9, moment
        assert warehouse.run()[0] == 0, moment
        warehouse.check()
