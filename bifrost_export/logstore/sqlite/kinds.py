"""The kinds and statuses of rows that a SQLite log store holds."""

from __future__ import annotations

from bifrost_export.logstore.sqlite.connection import Connection
from bifrost_export.logstore.sqlite.intervals import widened_range
from bifrost_export.window import Window


def kinds(connection: Connection, window: Window) -> list[tuple[str, str, int]]:
    """Return each pair of `object_type` and `status` in about a window, with how many rows have it."""
    # ADBC takes each column's type from the first row.
    typed = "SELECT '' AS object_type, '' AS status, 0 AS rows"
    found = "CAST(object_type AS TEXT) AS object_type, CAST(status AS TEXT) AS status, count(*) AS rows"
    rows = f"SELECT {found} FROM logs WHERE {widened_range('timestamp', window)} GROUP BY 1, 2"
    pairs = connection.execute(f"{typed} UNION ALL SELECT * FROM ({rows})")[1:]
    return [(row["object_type"] or "", row["status"] or "", row["rows"]) for row in pairs]
