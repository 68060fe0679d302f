"""The section `exports`: one window of a log store to files on this disk, against the floor and against pandas."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Measured, measure
from bench.results import Result
from bench.sqlite_floor import COLUMNS
from demo.servers.postgres_server import PostgresServer, postgres_server

FORMATS = {
    "parquet-zstd": {"format": "parquet", "compression": "zstd"},
    "parquet-gzip": {"format": "parquet", "compression": "gzip"},
    "csv.gz": {"format": "csv", "compression": "gzip"},
    "jsonl.gz": {"format": "json", "compression": "gzip"},
}
DAYS = 7
START, STOP = "2026-03-01", "2026-03-08"
FLOORS = {
    "sqlite": "one statement that steps through the window and touches 12 columns inside SQLite",
    "postgres": "psql, COPY (SELECT 12 columns of the window) TO STDOUT (FORMAT binary), to nowhere",
}


@dataclass(frozen=True)
class Job:
    """Something to measure.

    Args:
        what: As the results name it.
        format: As the results name it.
        source: `sqlite` or `postgres`.
        command: The command to run, given a folder that is empty.
    """

    what: str
    format: str
    source: str
    command: Callable[[Path], list[str]]


def run(rows: int, rounds: int, say: Callable[[str], None]) -> list[Result]:
    """Measure everything, round by round, so that no job has a quieter machine than another.

    Args:
        rows: How many rows the log stores have; all lie in the window.
        rounds: How often; the median counts.
        say: Told what is being done.
    """
    folder = Path(tempfile.mkdtemp(prefix="bifrost-bench-"))
    try:
        with _log_stores(folder, rows, say) as (path, server):
            jobs = [*_jobs("sqlite", path, server, rows), *_jobs("postgres", path, server, rows)]
            runs: list[list[tuple[Measured, int]]] = [[] for _ in jobs]
            for number in range(1, rounds + 1):
                for job, mine in zip(jobs, runs, strict=True):
                    mine.append(_once(job, folder, server))
                    say(f"round {number}: {job.source}, {job.what}, {job.format}: {mine[-1][0].seconds:.2f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for source, floor in FLOORS.items():
        say(f"floor of {source}: {floor}")
    return [_median(job, mine) for job, mine in zip(jobs, runs, strict=True)]


@contextmanager
def _log_stores(folder: Path, rows: int, say: Callable[[str], None]) -> Iterator[tuple[Path, PostgresServer]]:
    say(f"making two log stores of {rows:,} rows")
    _fill("sqlite", str(folder / "logs.db"), rows, folder)
    with postgres_server() as server:
        _fill("postgres", server.url(), rows, folder)
        yield folder / "logs.db", server


def _fill(backend: str, out: str, rows: int, folder: Path) -> None:
    """In a process of its own: Linux counts the memory of whoever starts a program to that program's peak."""
    command = [sys.executable, "-c", "from bifrost_export.cli import main; main()", "sample-logs", out]
    options = ["--backend", backend, "--rows", str(rows), "--days", str(DAYS), "--end", STOP]
    measure([*command, *options], folder / "filling.log")


def _jobs(source: str, path: Path, server: PostgresServer, rows: int) -> Iterator[Job]:
    address = f"sqlite:///{path}" if source == "sqlite" else server.url()
    window = (f"{START} 00:00:00", f"{STOP} 00:00:00")
    yield Job("floor", "binary", source, lambda _: _floor(source, path, server, window))
    for kind in FORMATS:
        for slices in (1, 2):
            what = f"bifrost-export, {slices} slice{'s' if slices > 1 else ''}"
            yield Job(what, kind, source, _exporting(address, kind, rows, slices))
        yield Job("pandas", kind, source, _by_pandas(address, window, kind))


def _floor(source: str, path: Path, server: PostgresServer, window: tuple[str, str]) -> list[str]:
    if source == "sqlite":
        return [sys.executable, "-m", "bench.sqlite_floor", str(path), *window]
    where = f"timestamp >= '{window[0]}+00' AND timestamp < '{window[1]}+00'"
    sql = f"COPY (SELECT {', '.join(COLUMNS)} FROM logs WHERE {where}) TO STDOUT (FORMAT binary)"  # noqa: S608
    return [str(server.programs / "psql"), "-X", "-q", "-c", sql, server.url()]


def _exporting(address: str, kind: str, rows: int, slices: int) -> Callable[[Path], list[str]]:
    def command(folder: Path) -> list[str]:
        document = folder / "log_exports.json"
        document.write_text(json.dumps({"log_exports": _document(folder, address, kind, rows, slices)}))
        return [sys.executable, "-m", "bench.pipeline_export", str(document), START, STOP, str(rows), str(slices)]

    return command


def _document(folder: Path, address: str, kind: str, rows: int, slices: int) -> dict[str, object]:
    from bifrost_export.logstore.postgres.address import from_address

    if address.startswith("sqlite:"):
        source = {"type": "sqlite", "config": {"path": address.removeprefix("sqlite:///")}}
    else:
        source = {"type": "postgres", "config": from_address(address, "the benchmark")}
    export = {
        "name": "bench",
        "schedule": {"frequency": "daily"},
        "destination": {"type": "local", "config": {"path": str(folder / "out")}},
        "data": {**FORMATS[kind], "max_rows_per_file": -(-rows // slices)},
    }
    return {"source": source, "staging": {"url": (folder / "staging").as_uri()}, "exports": [export]}


def _by_pandas(address: str, window: tuple[str, str], kind: str) -> Callable[[Path], list[str]]:
    def command(folder: Path) -> list[str]:
        (folder / "out").mkdir()
        out = folder / "out" / f"file.{kind.replace('parquet-', '')}"
        return [sys.executable, "-m", "bench.pandas_export", address, *window, kind, str(out)]

    return command


def _once(job: Job, folder: Path, server: PostgresServer) -> tuple[Measured, int]:
    place = folder / "job"
    place.mkdir()
    try:
        measured = measure(job.command(place), folder / "job.log")
        return measured, sum(each.stat().st_size for each in _written(place / "out"))
    finally:
        shutil.rmtree(place)


def _written(folder: Path) -> Iterator[Path]:
    """The files with rows: parts, or the one file of pandas."""
    return (each for each in folder.rglob("*") if each.is_file() and "_manifests" not in each.parts)


def _median(job: Job, runs: list[tuple[Measured, int]]) -> Result:
    def middle(values: list[float], digits: int) -> float:
        return round(statistics.median(values), digits)

    return Result(
        job.what,
        job.format,
        job.source,
        middle([each.seconds for each, _ in runs], 3),
        middle([each.cpu_seconds for each, _ in runs], 3),
        middle([each.peak_mb for each, _ in runs], 1),
        runs[-1][1],
    )
