"""Memory of a whole run with contents: bounded, however long they are."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bifrost_export.sample.logs import write
from bifrost_export.window import Window

DAY = Window.parse("2026-03-01", "2026-03-02")
MOST = 300
"""MiB of memory that the process of the run may take."""

SCRIPT = """
import sys
from pathlib import Path
from bifrost_export.cli.group import execute
code = execute(sys.argv[1:])
print(Path("/proc/self/status").read_text())
raise SystemExit(code)
"""


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("rows", "width"), [(200_000, 10_240), (4_000, 400_000)])
def test_a_run_takes_the_same_memory_for_few_long_rows_as_for_many_short_ones(
    tmp_path: Path, rows: int, width: int
) -> None:
    """From the log store to one uncompressed part of about 2 GiB, staging included."""
    log_store = tmp_path / "logs.db"
    write(log_store, rows=rows, seed=3, days=1, end=DAY.end)
    with closing(sqlite3.connect(log_store, isolation_level=None)) as connection:
        chance = random.Random(3)  # noqa: S311 (no secret)
        connection.create_function("content", 0, lambda: json.dumps(chance.randbytes(width // 2).hex()))
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("UPDATE logs SET output_message = content()")
    export = {
        "name": "nightly",
        "schedule": {"frequency": "daily"},
        "destination": {"type": "local", "config": {"path": str(tmp_path / "out")}},
        "data": {"format": "json", "compression": "none", "include_content": True},
    }
    source = {"type": "sqlite", "config": {"path": str(log_store)}}
    staging = {"url": (tmp_path / "staging").as_uri()}
    document = tmp_path / "log_exports.json"
    document.write_text(json.dumps({"log_exports": {"exports": [export], "source": source, "staging": staging}}))
    arguments = ["run", str(document), "--export", "nightly", "--window-start", "2026-03-01"]

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments, "--window-end", "2026-03-02"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    [part] = (tmp_path / "out").rglob("*.jsonl")
    size = part.stat().st_size
    part.unlink()
    log_store.unlink()
    assert size > rows * width * 0.95  # of rows that have not ended there are none
    found = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
    assert found is not None
    assert int(found[1]) / 1024 < MOST
