"""The table of ratios in docs/performance.md, made from `bench/results.json`: `python -m bench.table` writes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from bench.results import PROGRAMS

ROOT = Path(__file__).parents[1]
_PLACE = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
_SOURCES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def rendered(page: str, told: dict[str, Any]) -> str:
    """Return the page with the table of these results in its region."""
    return _PLACE.sub(lambda found: f"{found[1]}{section(told)}{found[2]}", page)


def section(told: dict[str, Any]) -> str:
    """The ratios of seconds to the floor's, with the peak memory in MB, by program and format."""
    results = [each for each in told["results"] if each["what"] in PROGRAMS]
    formats = list(dict.fromkeys(each["format"] for each in results if each["what"] != "floor"))
    lines = [f"{told['rows']:,} rows, {told['date']}, {told['machine']}:", ""]
    lines += [f"| from, by | {' | '.join(formats)} |", f"| --- {'| --- ' * len(formats)}|"]
    for source, name in _SOURCES.items():
        mine = [each for each in results if each["source"] == source]
        floor = next(each for each in mine if each["what"] == "floor")["seconds"]
        for what in dict.fromkeys(each["what"] for each in mine if each["what"] != "floor"):
            by_format = {each["format"]: _cell(each, floor) for each in mine if each["what"] == what}
            lines.append(
                f"| {name} (floor {floor:.2f} s), {what} | {' | '.join(by_format[kind] for kind in formats)} |"
            )
    return "\n".join(lines) + "\n"


def _cell(result: dict[str, Any], floor: float) -> str:
    return f"{result['seconds'] / floor:.1f} ({result['peak_mb']:.0f} MB)"


def main() -> None:
    """Write the table into the page."""
    path = ROOT / "docs" / "performance.md"
    told = json.loads((ROOT / "bench" / "results.json").read_text("utf-8"))
    path.write_text(rendered(path.read_text("utf-8"), told), "utf-8")


if __name__ == "__main__":
    main()
