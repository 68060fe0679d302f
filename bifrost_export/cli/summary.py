"""What a run has done, as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(count: float) -> str:
    """Bytes for people: `1.5 MB`."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            break
        count /= 1000
    return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"


def many(count: int, noun: str) -> str:
    """So many of something: `1 row`, `2,000 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def books_table(datasets: Mapping[str, Mapping[str, Any]], calls: Mapping[str, Any] | None = None) -> Table:
    """The books of a run, a line a dataset: source = filtered + rejected + exported.

    Args:
        datasets: As `run` tells them.
        calls: The books of the tool calls, which stand among the rows of `traces`; None where none were read.
    """
    table = Table(title="Books", title_justify="left")
    table.add_column("dataset")
    for name in ("log rows", "filtered", "rejected", "exported"):
        table.add_column(name, justify="right")
    for name, counts in datasets.items():
        numbers = (counts[each] for each in ("source", "filtered", "rejected", "exported"))
        table.add_row(name, *(f"{number:,}" for number in numbers))
    if calls is not None:
        numbers = (calls[each] for each in ("source", "filtered", "rejected", "kept"))
        table.add_row("(tool calls)", *(f"{number:,}" for number in numbers))
    told = [
        f"{name}: {', '.join(f'{outcome} {rows:,}' for outcome, rows in counts['offloaded'].items() if rows)}"
        for name, counts in datasets.items()
        if any(counts.get("offloaded", {}).values())
    ]
    captions = [f"Rows whose payload was offloaded: {'; '.join(told)}"] if told else []
    captions += _odd(datasets)
    if captions:
        table.caption = "\n".join(captions)
        table.caption_justify = "left"
    return table


def _odd(datasets: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Return what was blanked and repaired, by dataset and column."""
    for kind in ("blanked", "repaired"):
        told = [
            f"{name}: {', '.join(f'{column} {rows:,}' for column, rows in counts[kind].items())}"
            for name, counts in datasets.items()
            if counts.get(kind)
        ]
        if told:
            yield f"Rows with {kind} fields: {'; '.join(told)}"


def parts_table(datasets: Mapping[str, Mapping[str, Any]]) -> Table:
    """The published files, with rows and sizes."""
    table = Table(title="Files", title_justify="left")
    table.add_column("key", overflow="fold")
    for name in ("rows", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    for counts in datasets.values():
        for part in counts.get("parts", ()):
            table.add_row(part["key"], f"{part['rows']:,}", size(part["bytes"]))
    return table
