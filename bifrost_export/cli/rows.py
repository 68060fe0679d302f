"""Rows as tables that fit the screen: columns that find no room go below, beside the numbers of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

WIDEST = 40
"""Characters of a value that are shown."""
_FRAME = 3
"""Characters that a column takes beside its values."""


def tables(rows: Sequence[dict[str, Any]], width: int) -> Iterator[Table]:
    """The rows, all columns of all of them, in as many tables as the width asks for.

    Args:
        rows: At least one.
        width: Characters of a line.
    """
    names = list(rows[0]) if rows else []
    cells = {name: [_cell(row[name]) for row in rows] for name in names}
    number = len(str(len(rows)))
    for group in _groups({name: _width(name, cells[name]) for name in names}, width - number - _FRAME - 1):
        table = Table()
        table.add_column("", justify="right", style="dim")
        for name in group:
            right = all(isinstance(row[name], int | float | None) for row in rows)
            table.add_column(name, justify="right" if right else "left", overflow="ellipsis", no_wrap=True)
        for index in range(len(rows)):
            table.add_row(str(index + 1), *(Text(cells[name][index]) for name in group))
        yield table


def _groups(widths: dict[str, int], room: int) -> Iterator[list[str]]:
    group: list[str] = []
    left = room
    for name, width in widths.items():
        if group and width > left:
            yield group
            group, left = [], room
        group.append(name)
        left -= width
    if group:
        yield group


def _width(name: str, cells: list[str]) -> int:
    return max(len(name), *(len(cell) for cell in cells)) + _FRAME


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    text = "".join(each if each.isprintable() else " " for each in text)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."
