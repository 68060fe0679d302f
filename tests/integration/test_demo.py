"""`make demo`: the description's two complete exports, unchanged, in a real Airflow, in one go."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from demo.workspace import Workspace

DESCRIBED = Path(__file__).parents[1] / "data" / "valid" / "description_complete.json"


def test_its_document_is_the_descriptions(tmp_path: Path) -> None:
    """Word by word."""
    workspace = Workspace(tmp_path / "demo")
    workspace.make()
    workspace.write_complete_document()
    assert json.loads(workspace.document.read_text("utf-8")) == json.loads(DESCRIBED.read_text("utf-8"))


@pytest.mark.airflow
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_it_ends_with_what_was_exported_to_s3_and_to_bigquery(tmp_path: Path) -> None:
    """Rows in objects and in tables, from servers that only variables name."""
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "demo", "--rows", "5000", "--folder", str(folder)]
    environment = {**os.environ, "COLUMNS": "200"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told = ended.stdout
    assert ended.returncode == 0, ended.stderr
    assert "run scheduled__" in told
    assert "of bifrost_export__daily_s3_export" in told
    assert "of bifrost_export__weekly_bigquery_export" in told
    assert "The books balance." in told
    rows = {name: int(count.replace(",", "")) for name, count in re.findall(r"(weekly_logs\w*) +│ +([\d,]+)", told)}
    assert set(rows) == {"weekly_logs", "weekly_logs_metrics", "weekly_logs_traces"}
    with closing(sqlite3.connect(folder / "logs.db")) as logs:
        finished = logs.execute("SELECT COUNT(*) FROM logs WHERE status != 'processing'").fetchone()[0]
    assert 0 < rows["weekly_logs"] < finished
    assert rows["weekly_logs_traces"] > 0
    assert rows["weekly_logs_metrics"] > 0
