"""A log store with plausible rows, the same ones for the same seed: for trying things, for the demo and for tests."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifrost_export.errors import ConfigError
from bifrost_export.testing import sqlite_store
from bifrost_export.testing.sample_rows import CHUNK_ROWS, Sample
from bifrost_export.window import UTC, Window, rfc3339

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class SampleSummary:
    """What `write` has made.

    Args:
        path: The file.
        window: The time that the rows cover.
        rows: How many rows `logs` has.
        size: The file's bytes.
    """

    path: Path
    window: Window
    rows: int
    size: int


def last_midnight(now: dt.datetime) -> dt.datetime:
    """The start of the UTC day that holds `now`."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def write(
    path: Path, *, rows: int = 200_000, seed: int = 1, days: int = 7, end: dt.datetime | None = None
) -> SampleSummary:
    """Make a SQLite log store.

    Args:
        path: The file to make; it must not exist, its folder is made.
        rows: How many rows.
        seed: What the rows are drawn from; the same seed and window give the same rows.
        days: How many days of 24 hours before `end` the rows cover.
        end: First instant after the rows, aware; today 00:00 UTC by default.

    Raises:
        ConfigError: The file exists, or a number is too small.
    """
    _check(path, rows, days)
    end = last_midnight(dt.datetime.now(UTC)) if end is None else end.astimezone(UTC)
    try:
        window = Window(end - dt.timedelta(days=days), end)
    except OverflowError:
        raise ConfigError(f"{days} days before {rfc3339(end)} lie before the year 1") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        _fill(unfinished, Sample(window, rows, seed), rows)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return SampleSummary(path, window, rows, path.stat().st_size)


def _fill(path: Path, sample: Sample, rows: int) -> None:
    tables, indexes = sqlite_store.statements()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Nobody else knows this file yet and a crash throws it away, so that nothing has to be safe before the end.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -200000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        for statement in tables:
            connection.execute(statement)
        connection.execute("BEGIN")
        for first in range(0, rows, CHUNK_ROWS):
            connection.executemany(sample.statement(), sample.chunk(first, min(first + CHUNK_ROWS, rows)))
        connection.execute("COMMIT")
        for statement in indexes:
            connection.execute(statement)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_mode = WAL")


def _check(path: Path, rows: int, days: int) -> None:
    if path.exists():
        raise ConfigError(
            f"{path} exists already", hint="Name a file that doesn't exist yet, or remove this one yourself."
        )
    for name, value in (("rows", rows), ("days", days)):
        if value < 1:
            raise ConfigError(f"{name} is {value}", allowed="a whole number of at least 1")
