"""The section `steps`: each step of a run in a process of its own, for as many rows and for ten times as many.

Memory has to stay where it is. The log store has only the columns that are read; it is one slice and one part, which is
more than any task of a real run gets.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.lean_store import START, STOP, fill
from bench.measuring import Measured, measure
from bench.results import Result

TIMES = 10
STEPS = ("plan", "extract", "filter", "transform", "aggregate", "reconcile", "load", "publish")
_PERCENTILES = ["count", "total_cost", "p50_latency", "p95_latency", "p99_latency"]
EXPORTS: dict[str, list[dict[str, Any]]] = {
    "rows": [
        {"type": "anonymize", "fields": ["customer_id"], "method": "hash", "key": "${BENCH_KEY}"},
        {"type": "enrich", "add_fields": {"environment": "production", "shard": 3}},
    ],
    "few groups": [{"type": "aggregate", "group_by": ["provider", "model"], "metrics": _PERCENTILES}],
    "many groups": [{"type": "aggregate", "group_by": ["customer_id"], "metrics": _PERCENTILES}],
}
"""What is done with the rows: masked and enriched, or aggregated into 85 groups or into a tenth as many as rows."""

REPORTED = {
    "rows": ("extract", "filter", "transform", "load"),
    "few groups": ("transform", "aggregate"),
    "many groups": ("transform", "aggregate"),
}
"""The steps whose figures say something; the others only count."""


def run(rows: int, rounds: int, say: Callable[[str], None]) -> list[Result]:
    """Measure each step of each export for `rows` rows and for `TIMES` as many.

    Args:
        rows: How many rows the smaller log store has.
        rounds: How often; the median counts.
        say: Told what is being done.
    """
    results = []
    for size in (rows, rows * TIMES):
        folder = Path(tempfile.mkdtemp(prefix="bifrost-bench-"))
        try:
            say(f"making a log store of {size:,} rows with the columns that are read")
            fill(folder / "logs.db", size)
            for name in EXPORTS:
                taken = [_run(folder / f"{name}-{number}", name, size) for number in range(rounds)]
                found = list(_results(name, size, taken))
                results += found
                told = ", ".join(f"{each.what.rpartition(' ')[2]} {each.peak_mb:.0f} MB" for each in found)
                say(f"{size:,} rows, {name}: {told}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return results


def _run(folder: Path, name: str, rows: int) -> dict[str, tuple[Measured, int]]:
    folder.mkdir()
    try:
        (folder / "log_exports.json").write_text(json.dumps({"log_exports": _document(folder, name, rows)}))
        return {step: _step(folder, step, rows) for step in STEPS}
    finally:
        shutil.rmtree(folder)


def _document(folder: Path, name: str, rows: int) -> dict[str, object]:
    export = {
        "name": "bench",
        "schedule": {"frequency": "daily"},
        "destination": {"type": "local", "config": {"path": str(folder / "out")}},
        "data": {
            "format": "parquet",
            "compression": "zstd",
            "max_rows_per_file": rows,
            "filters": {"min_latency_ms": 100},
            "transformations": EXPORTS[name],
        },
    }
    source = {"type": "sqlite", "config": {"path": str(folder.parent / "logs.db")}}
    return {"source": source, "staging": {"url": (folder / "staging").as_uri()}, "exports": [export]}


def _step(folder: Path, step: str, rows: int) -> tuple[Measured, int]:
    command = [sys.executable, "-m", "bench.step_process", str(folder), step, START, STOP, str(rows)]
    before = _size(folder)
    return measure(command, folder / "step.log"), max(0, _size(folder) - before)


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _results(name: str, rows: int, taken: list[dict[str, tuple[Measured, int]]]) -> Iterator[Result]:
    for step in REPORTED[name]:
        runs = [each[step] for each in taken]
        seconds, cpu, peak = (
            statistics.median(getattr(measured, figure) for measured, _ in runs)
            for figure in ("seconds", "cpu_seconds", "peak_mb")
        )
        kind = "parquet-zstd" if step == "load" else "arrow"
        what = f"{name} of {rows:,} rows: {step}"
        yield Result(what, kind, "sqlite", round(seconds, 3), round(cpu, 3), round(peak, 1), runs[-1][1])
