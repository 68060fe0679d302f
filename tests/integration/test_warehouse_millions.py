"""A million rows through a whole run into each warehouse: the table equals the source, and memory stays bounded.

Every row and every value is compared with a reading of the log store that shares no code with the package.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.sample.logs import write
from bifrost_export.window import Window
from tests import independent_buckets
from tests.independent import COLUMNS, micros
from tests.independent_buckets import ID, Buckets, Row

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

DAY = Window.parse("2026-03-01", "2026-03-02")
ROWS = 1_000_000
LARGEST_MIB = 1500
"""Of the process; the rows' files alone are smaller, and all rows as objects would be much larger."""
SCHEMAS = {"redshift": "public", "snowflake": "PUBLIC"}
WHOLE = {"status_code", "latency_ms", "input_tokens", "output_tokens"}


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of rows."""
    path = tmp_path_factory.mktemp("million") / "logs.db"
    write(path, rows=ROWS, seed=11, days=1, end=DAY.end)
    return path


@pytest.fixture(scope="module")
def expected(million: Path, tmp_path_factory: pytest.TempPathFactory) -> Buckets:
    """What the independent reading finds in it."""
    return independent_buckets.read(million, DAY, tmp_path_factory.mktemp("expected"))


@pytest.mark.parametrize("kind", ["redshift", "snowflake", "bigquery"])
def test_a_million_rows_arrive_all_and_once(
    kind: str,
    million: Path,
    expected: Buckets,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
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
    assert exported == expected.rows > 0.99 * ROWS
    counted = server.sql(f"SELECT COUNT(*), COUNT(DISTINCT request_id) FROM {schema}.request_logs")
    assert counted == [[str(exported), str(exported)]]
    for name in expected.names():
        condition = f"WHERE request_id LIKE '%{name}' ORDER BY request_id"
        told = server.sql(f"SELECT {', '.join(COLUMNS)} FROM {schema}.request_logs {condition}")
        found = sorted((_row(each) for each in told), key=lambda row: row[ID])
        wanted = expected.of(name)
        # Two lists of this size, when they differ, take pytest an hour to tell apart.
        assert [each for each in zip(found, wanted, strict=True) if each[0] != each[1]][:3] == []
    own = f"SELECT DISTINCT _export_name, _window_start, _window_end FROM {schema}.request_logs"
    assert [(row[0], row[1][:19], row[2][:19]) for row in server.sql(own)] == [
        ("nightly", "2026-03-01 00:00:00", "2026-03-02 00:00:00")
    ]
    assert server.staged() == []
    assert mib < LARGEST_MIB


def _row(told: list[str]) -> Row:
    """A row of the table from its texts, in which null is empty."""
    return tuple(_value(name, text) for name, text in zip(COLUMNS, told, strict=True))


def _value(name: str, text: str) -> Any:
    if name == "timestamp":
        found = dt.datetime.fromisoformat(text)
        return micros(found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc))
    if name in WHOLE:
        return int(text) if text else None
    if name == "cost_usd":
        return float(text) if text else None
    return text


def _watch(process: subprocess.Popen[bytes], peaks: list[int]) -> None:
    """Note the most memory that the process has had, in KiB."""
    while process.poll() is None:
        try:
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        except OSError:
            break
        peaks[0] = max(peaks[0], int(found[1]) if found else 0)
        time.sleep(0.1)
