"""A SQLite log store with nothing but the columns that an export reads, made by SQL: quick to fill."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

DAYS = 10
START, STOP = "2026-03-01", "2026-03-11"

_TABLE = """
CREATE TABLE logs (
    id text PRIMARY KEY, timestamp datetime NOT NULL, created_at datetime NOT NULL, provider text, model text,
    object_type text, status text, customer_id text, latency real, prompt_tokens integer, completion_tokens integer,
    total_tokens integer, cost real, error_details text
)
"""
# One multiplication scatters the numbers; 1 row in 50 fails, and there are ten rows for each customer.
_ROWS = """
WITH RECURSIVE numbers(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows - 1),
drawn AS (
    SELECT n, (n * 2654435761) % 4294967296 AS draw,
        datetime(:start, (n * :seconds / :rows) || ' seconds')
            || printf('.%09d', n * 7919 % 1000000000) || '+00:00' AS at
    FROM numbers
)
INSERT INTO logs
SELECT printf('%08x-%08x', n, draw), at, at, 'provider-' || draw % 5, 'model-' || draw % 17, 'chat_completion',
    CASE WHEN draw % 50 THEN 'success' ELSE 'error' END, printf('customer-%08d', draw % (:rows / 10)),
    draw % 20000 / 7.0, draw % 4000, draw % 900, draw % 4000 + draw % 900, draw % 100000 / 1e6,
    CASE WHEN draw % 50 THEN '' ELSE '{"status_code": 429, "error": {"type": "rate_limit"}}' END
FROM drawn
"""
_INDEXES = (
    "CREATE INDEX idx_logs_timestamp ON logs (timestamp)",
    "CREATE INDEX idx_logs_created_at ON logs (created_at)",
)


def fill(path: Path, rows: int) -> None:
    """Make the file; its rows lie between `START` and `STOP`, and belong to a tenth as many customers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(_TABLE)
        connection.execute(_ROWS, {"rows": rows, "start": START, "seconds": DAYS * 86_400})
        for index in _INDEXES:
            connection.execute(index)
        connection.execute("PRAGMA journal_mode = WAL")
