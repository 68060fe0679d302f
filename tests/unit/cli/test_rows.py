"""Rows on the screen: every column is there, and no line is too long."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bifrost_export.cli.rows import WIDEST, tables

VALUES = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False), st.text(max_size=60))


def shown(rows: list[dict[str, Any]], width: int) -> list[str]:
    """The lines on a screen of that width."""
    console = Console(file=io.StringIO(), width=width)
    for table in tables(rows, width):
        console.print(table)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@given(st.lists(st.lists(VALUES, min_size=6, max_size=6), min_size=1, max_size=5), st.integers(50, 200))
def test_every_column_is_shown_within_the_width(values: list[list[Any]], width: int) -> None:
    """Whatever its values are."""
    names = [f"column_{number}" for number in range(6)]
    rows = [dict(zip(names, each, strict=True)) for each in values]
    lines = shown(rows, width)
    assert all(any(name in line for line in lines) for name in names)
    assert max(cell_len(line) for line in lines) <= width


def test_tables_share_the_numbers_of_the_rows() -> None:
    """So that a row can be followed from one to the next."""
    rows = [{"first": "x" * 30, "second": "y" * 30}, {"first": "x", "second": "y"}]
    lines = shown(rows, 50)
    assert [line.split()[1] for line in lines if line.startswith("│")] == ["1", "2", "1", "2"]


def test_long_values_are_cut_and_control_characters_are_not_printed() -> None:
    """A value can't move the cursor."""
    [line] = [each for each in shown([{"a": "\x1b[2J" + "x" * 100}], 120) if each.startswith("│")]
    assert "\x1b" not in line
    assert line.split("│")[2].strip().endswith("...")
    assert len(line.split("│")[2].strip()) <= WIDEST


def test_nulls_are_told_from_empty_texts_and_truth_values_are_those_of_json() -> None:
    """As the files have them."""
    lines = shown([{"text": "", "none": None, "yes": True, "no": False}], 80)
    [line] = [each for each in lines if each.startswith("│")]
    assert [each.strip() for each in line.split("│")[2:-1]] == ["", "null", "true", "false"]


def test_wide_characters_are_counted_by_the_room_they_take() -> None:
    """Two cells each, also where a value is cut."""
    lines = shown([{"text": "漢字😀" * 40, "other": "שלום [bold]x[/]"}], 80)
    assert len({cell_len(line) for line in lines}) == 1
    [line] = [each for each in lines if each.startswith("│")]
    assert cell_len(line.split("│")[2].strip()) <= WIDEST
    assert "[bold]x[/]" in line


def test_a_column_may_have_any_name() -> None:
    """A transformation may have given it."""
    header = shown([{"[red]a\n": 1}], 80)[1]
    assert "[red]a" in header


def test_no_rows_are_no_table() -> None:
    """There are no columns to tell."""
    assert shown([], 80) == []
