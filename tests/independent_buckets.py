"""A day of a large log store by the independent reading, in buckets on disk: more than memory should hold at once."""

from __future__ import annotations

import pickle
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifrost_export.window import Window
from tests import independent

AT_ONCE = 50_000
Row = tuple[Any, ...]
"""The values of `independent.COLUMNS`, the time in microseconds since 1970 UTC."""
ID = independent.COLUMNS.index("request_id")


@dataclass(frozen=True)
class Buckets:
    """The rows of a day, by the last character of their ids.

    Args:
        folder: Where they are.
        rows: How many there are.
    """

    folder: Path
    rows: int

    def names(self) -> list[str]:
        """The last characters of ids."""
        return sorted(chr(int(path.name)) for path in self.folder.iterdir())

    def of(self, name: str) -> list[Row]:
        """The rows of one bucket, by their ids."""
        found: list[Row] = []
        with (self.folder / str(ord(name))).open("rb") as stream:
            while stream.peek(1):
                found += pickle.load(stream)  # noqa: S301 (our own)
        return sorted(found, key=lambda row: row[ID])


def read(log_store: Path, day: Window, folder: Path) -> Buckets:
    """Read a log store row by row.

    Args:
        log_store: The SQLite file.
        day: The window; a row of it that has not settled, or can't become a record, is left out.
        folder: An empty folder for the buckets.
    """
    count = 0
    with closing(sqlite3.connect(f"file:{log_store}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        present = {column[1].decode() for column in connection.execute("PRAGMA table_info(logs)")}
        names = [name for name in independent.NAMES if name in present]
        cursor = connection.execute(f"SELECT {', '.join(names)} FROM logs")
        while chunk := cursor.fetchmany(AT_ONCE):
            rows = [dict.fromkeys(independent.NAMES) | dict(zip(names, values, strict=True)) for values in chunk]
            records, _, _ = independent.rows(rows, day.start, day.end)
            count += len(records)
            buckets: dict[str, list[Row]] = defaultdict(list)
            for record in records:
                row = tuple(record[name] for name in independent.COLUMNS)
                buckets[row[ID][-1]].append(row)
            for name, found in buckets.items():
                with (folder / str(ord(name))).open("ab") as stream:
                    pickle.dump(found, stream)
    return Buckets(folder, count)
