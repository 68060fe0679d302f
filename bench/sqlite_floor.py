"""The floor for SQLite: one statement that steps through a window and touches the 12 columns that a record needs.

Everything happens inside SQLite: no value becomes an object, none leaves the library. It is the nearest thing to a
program in C that is there wherever Python is.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

COLUMNS = (
    *("timestamp", "id", "customer_id", "provider", "model", "object_type", "status", "error_details", "latency"),
    *("prompt_tokens", "completion_tokens", "cost"),
)


def main(path: str, start: str, end: str) -> None:
    """Touch every row of a window."""
    touched = ", ".join(f"count({name})" for name in COLUMNS)
    sql = f"SELECT {touched} FROM logs WHERE timestamp >= ? AND timestamp < ?"  # noqa: S608 (our own names)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute(sql, (start, end)).fetchall()


if __name__ == "__main__":
    main(*sys.argv[1:])
