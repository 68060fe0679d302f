"""Rows for a PostgreSQL log store: those of a SQLite one that both can hold, and those that only PostgreSQL can."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from bifrost_export.sample.postgres_tables import add_rows
from bifrost_export.sample.sqlite_tables import RawText
from tests.support import odd_rows
from tests.support.odd_times import space_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from bifrost_export.window import Window

_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)\d*\+00:00", re.ASCII)
_TIMES = ("timestamp", "created_at")
_REALS = ("latency", "cost")
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")

_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e308", "1e309", "-1e309", "1e1000", "1e-320", "1e-400", "-1e-1000")
_EDGES = (
    str(2**1024 - 2**970 - 1),
    str(2**1024 - 2**970),
    "1e300",
    "1.0000000000000000000001e300",
    "1.0000000000000001e300",
    "0.1000000000000000055511151231257827",
    "2147483647.5",
    "2147483647.4999999999999999999999",
)
_NO_TIMES = (
    "infinity",
    "-infinity",
    "0044-03-15 12:00:00+00 BC",
    "10000-01-01 00:00:00+00",
    "294276-12-31 00:00:00+00",
)


def both_can_hold(rows: Iterable[Mapping[str, Any]]) -> Iterator[odd_rows.Row]:
    """Those of the rows that mean the same in SQLite and in PostgreSQL, their times cut to microseconds as pgx does."""
    for row in rows:
        if all(_fits(name, value) for name, value in row.items()):
            yield {name: _cut(value) if name in _TIMES else value for name, value in row.items()}


def rows_of(path: Path, table: str = "logs") -> Iterator[odd_rows.Row]:
    """Every row of a SQLite log store that PostgreSQL can hold, with all columns."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        yield from both_can_hold(dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid"))


def own_rows(window: Window) -> list[odd_rows.Row]:
    """Odd rows that only PostgreSQL can hold, in a window: numbers beyond a float, times that are none."""
    middle = window.start + (window.end - window.start) / 2
    changes: list[odd_rows.Row] = [{name: number} for number in (*_NUMBERS, *_EDGES) for name in _REALS]
    changes += [{"timestamp": time} for time in _NO_TIMES]
    changes += [{"timestamp": "infinity", "created_at": space_form(each)} for each in (window.start, window.end)]
    changes += [{"timestamp": time, "created_at": other} for time in _NO_TIMES for other in ("-infinity", _NO_TIMES[3])]
    changes += [{"created_at": time} for time in _NO_TIMES]
    changes += [{"timestamp": "-infinity", "status": "processing"}]
    base = {**odd_rows.BASE, "timestamp": space_form(middle), "created_at": space_form(middle)}
    return [{"id": f"own-{number:04d}", **base, **change} for number, change in enumerate(changes, start=1)]


def plant(url: str, window: Window) -> int:
    """Insert the odd rows of a window into a log store that exists; gives how many."""
    return add_rows(url, [*both_can_hold(odd_rows.odd_rows(window)), *own_rows(window)])


def _fits(name: str, value: object) -> bool:
    if value is None:
        return name not in _TIMES
    if name in _TIMES:
        return isinstance(value, str) and _is_time(value)
    if name in _REALS:
        return isinstance(value, int | float)
    if name in _COUNTS:
        return isinstance(value, int)
    return not isinstance(value, str | bytes | RawText) or (isinstance(value, str) and "\0" not in value)


def _is_time(text: str) -> bool:
    match = _TIME.fullmatch(text)
    try:
        return match is not None and bool(dt.datetime.fromisoformat(match[1]))
    except ValueError:
        return False


def _cut(text: str) -> str:
    match = _TIME.fullmatch(text)
    return f"{match[1]}+00:00" if match else text
