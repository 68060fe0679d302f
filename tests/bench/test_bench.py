"""The benchmark runs, and says what it measured in the shape that readers of its results expect."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.steps import REPORTED
from bench.table import rendered

ROOT = Path(__file__).parents[2]
FORMATS = ("parquet-zstd", "parquet-gzip", "csv.gz", "jsonl.gz")
WHAT = ("bifrost-export, 1 slice", "bifrost-export, 2 slices", "pandas")


@pytest.mark.long
def test_the_benchmark_writes_its_results(tmp_path: Path) -> None:
    """Every log store, format and program is in them once, beside the floors; the table has a line for each."""
    out = tmp_path / "results.json"
    command = [sys.executable, "-m", "bench", "--rows", "2000", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(out.read_text())
    assert list(told) == ["machine", "date", "rows", "results"]
    assert told["rows"] == 2_000
    steps = [each["what"] for each in told["results"] if each["what"] not in (*WHAT, "floor")]
    assert steps == [
        f"{name} of {rows} rows: {step}"
        for rows in ("2,000", "20,000")
        for name, each in REPORTED.items()
        for step in each
    ]
    found = [(each["source"], each["what"], each["format"]) for each in told["results"] if each["what"] not in steps]
    expected = [(source, what, kind) for source in ("sqlite", "postgres") for kind in FORMATS for what in WHAT]
    assert sorted(found) == sorted([*expected, ("sqlite", "floor", "binary"), ("postgres", "floor", "binary")])
    for each in told["results"]:
        assert list(each) == ["what", "format", "source", "seconds", "cpu_seconds", "peak_mb", "bytes"]
        assert min(each["seconds"], each["cpu_seconds"], each["peak_mb"]) > 0
        assert each["bytes"] == 0 if each["what"] == "floor" else each["bytes"] > 0 or each["what"] in steps
    assert len(done.stdout.splitlines()) == 2 + len(told["results"])
    assert "floor of sqlite:" in done.stderr


def test_the_documentation_shows_the_results_that_are_kept() -> None:
    """Its table is made from `bench/results.json`."""
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert page == rendered(page, json.loads((ROOT / "bench" / "results.json").read_text("utf-8")))
    assert "bifrost-export, 2 slices" in page
