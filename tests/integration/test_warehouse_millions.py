"""A million rows through a whole run into each warehouse: the table equals the source, and memory stays bounded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.testing.sample_logs import write
from bifrost_export.window import Window

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

DAY = Window.parse("2026-03-01", "2026-03-02")
ROWS = 1_000_000
LARGEST_MIB = 1500
"""Of the process; the rows' files alone are smaller, and all rows as objects would be much larger."""
SCHEMAS = {"redshift": "public", "snowflake": "PUBLIC"}


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of rows."""
    path = tmp_path_factory.mktemp("million") / "logs.db"
    write(path, rows=ROWS, seed=11, days=1, end=DAY.end)
    return path


@pytest.mark.parametrize("kind", ["redshift", "snowflake", "bigquery"])
def test_a_million_rows_arrive_all_and_once(
    kind: str, million: Path, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the bulk path, as the command line takes it."""
    server: Any = request.getfixturevalue(kind)
    schema = SCHEMAS.get(kind, "{}")
    export = {
        "name": "nightly",
        "schedule": {"frequency": "daily"},
        "destination": {"type": kind, "config": server.config()},
        "data": {"max_rows_per_file": 250_000},
    }
    source = {"type": "sqlite", "config": {"path": str(million)}}
    staging = {"url": (tmp_path / "staging").as_uri()}
    path = tmp_path / "log_exports.json"
    path.write_text(json.dumps({"log_exports": {"exports": [export], "source": source, "staging": staging}}))
    command = [str(Path(sys.executable).with_name("bifrost-export")), "run", str(path), "--export", "nightly"]
    command += ["--window-start", "2026-03-01T00:00:00Z", "--window-end", "2026-03-02T00:00:00Z", "--format", "json"]
    began = time.monotonic()
    with (tmp_path / "told").open("w") as told, subprocess.Popen(command, stdout=told) as process:
        peaks: list[int] = [0]
        watcher = threading.Thread(target=_watch, args=(process, peaks))
        watcher.start()
        assert process.wait() == 0
        watcher.join()
    seconds, mib = time.monotonic() - began, peaks[0] / 1024
    with capsys.disabled():
        print(f"\n{kind}: {ROWS:,} rows in {seconds:.0f} s, {mib:,.0f} MiB at most")  # noqa: T201 (the figure)
    exported = json.loads((tmp_path / "told").read_text())["datasets"]["request_logs"]["exported"]
    assert exported > 0.99 * ROWS
    counted = server.sql(f"SELECT COUNT(*), COUNT(DISTINCT request_id) FROM {schema}.request_logs")
    assert counted == [[str(exported), str(exported)]]
    assert server.staged() == []
    assert mib < LARGEST_MIB


def _watch(process: subprocess.Popen[bytes], peaks: list[int]) -> None:
    """Note the most memory that the process has had, in KiB."""
    while process.poll() is None:
        try:
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        except OSError:
            break
        peaks[0] = max(peaks[0], int(found[1]) if found else 0)
        time.sleep(0.1)
