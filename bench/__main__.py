"""`python -m bench`: measure the sections, print a table, write the results."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from bench.results import Result, table, write

SECTIONS = {"exports": "bench.exports:run", "steps": "bench.steps:run"}
"""What can be measured: a section's function takes rows, rounds and whom to tell, and gives results."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the log stores")
    parser.add_argument("--rounds", type=int, default=1, help="how often; medians count")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results.json"))
    parser.add_argument("sections", nargs="*", default=[*SECTIONS], help=f"of {', '.join(SECTIONS)}; all without")
    given = parser.parse_args()
    began = time.monotonic()
    results: list[Result] = []
    for name in given.sections:
        if name not in SECTIONS:
            parser.error(f"no section {name}; there are: {', '.join(SECTIONS)}")
        module, _, function = SECTIONS[name].partition(":")
        results += getattr(importlib.import_module(module), function)(
            given.rows, given.rounds, lambda text: print(f"{time.monotonic() - began:7.1f} s  {text}", file=sys.stderr)
        )
    write(given.out, given.rows, results)
    print(table(results))


if __name__ == "__main__":
    main()
