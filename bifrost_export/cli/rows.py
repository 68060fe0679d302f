"""Rows as tables that fit the screen: columns that find no room go below, beside the numbers of their rows.

A value stands on one line, cut where it is long; a null is told from an empty text, and nothing moves the cursor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

WIDEST = 40
"""Cells of the screen that a value takes at most; many characters of Asia, and emoji, take two."""
NULL = "null"
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
            side: Literal["left", "right"] = "left"
            if all(isinstance(row[name], int | float | None) for row in rows):
                side = "right"
            table.add_column(Text(_printable(name)), justify=side, overflow="ellipsis", no_wrap=True)
        for index in range(len(rows)):
            styles = ["dim" if rows[index][name] is None else "" for name in group]
            values = (Text(cells[name][index], style) for name, style in zip(group, styles, strict=True))
            table.add_row(str(index + 1), *values)
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
    return max(cell_len(_printable(name)), *(cell_len(cell) for cell in cells)) + _FRAME


def _cell(value: Any) -> str:
    if value is None:
        return NULL
    text = _printable(str(value).lower() if isinstance(value, bool) else str(value)[: 2 * WIDEST])
    return text if cell_len(text) <= WIDEST else f"{set_cell_size(text, WIDEST - 3)}..."


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
