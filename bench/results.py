"""What was measured, as `bench/results.json` holds it and as a table."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

PROGRAMS = ("floor", "bifrost-export, 1 slice", "bifrost-export, 2 slices", "pandas")
"""What is compared with each other, over the same rows."""


@dataclass(frozen=True)
class Result:
    """One thing that was measured: the median of its rounds.

    Args:
        what: `floor`, `bifrost-export, 1 slice`, `bifrost-export, 2 slices`, `pandas`; or a step, and of how many rows.
        format: What was written; `binary` for the floor.
        source: The log store: `sqlite` or `postgres`.
        seconds: Of the whole process.
        cpu_seconds: Of the whole process, without a server's.
        peak_mb: Its largest resident set, in 10**6 bytes.
        bytes: How many it wrote; 0 for the floor, which writes to nowhere.
    """

    what: str
    format: str
    source: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    bytes: int


def write(path: Path, rows: int, results: list[Result]) -> None:
    """Write `{"machine", "date", "rows", "results"}`."""
    content = {
        "machine": machine(),
        "date": dt.datetime.now(dt.timezone.utc).date().isoformat(),
        "rows": rows,
        "results": [asdict(each) for each in results],
    }
    path.write_text(json.dumps(content, indent=2) + "\n")


def machine() -> str:
    """What this machine is, in a line."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores, {name}, {platform.system()}, Python {platform.python_version()}"


def table(results: list[Result]) -> str:
    """The ratios to the floor, as Markdown."""
    floors: dict[str, float] = {each.source: each.seconds for each in results if each.what == "floor"}
    lines = ["| log store | what | format | s | ratio to the floor | CPU s | peak MB | MB |", "| --- " * 8 + "|"]
    for each in results:
        # A step's rows are others than the floor's.
        ratio = f"{each.seconds / floors[each.source]:.2f}" if each.what in PROGRAMS else ""
        cells = (
            *(each.source, each.what, each.format, f"{each.seconds:.2f}", ratio),
            *(f"{each.cpu_seconds:.2f}", f"{each.peak_mb:.0f}", f"{each.bytes / 1e6:.1f}"),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
