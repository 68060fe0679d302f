"""A second connection that sees the very state of the database that the first one sees.

SQLite's own way to share a snapshot isn't in ADBC's driver. `PRAGMA data_version` proves the same: a connection gives
another number when anybody has committed since it gave the last one.
"""

from __future__ import annotations

from contextlib import suppress

from bifrost_export.errors import BifrostExportError
from bifrost_export.logstore.sqlite.connection import Connection

_TRIES = 5


def begin(connection: Connection) -> Connection | None:
    """Begin a snapshot on a connection, and the same on a second one.

    Args:
        connection: The first; it is in a snapshot afterwards, whatever comes back.

    Returns:
        The second, to be closed by whoever asked; None where the state changed at each try, or where it can't be had:
        without a write-ahead log a reader that comes later may wait for a writer that waits for the first reader.
    """
    if connection.access.is_immutable:
        # Both read a file at rest, and each of their statements proves it at its end.
        _begin(connection)
        return Connection(connection.path, connection)
    if connection.execute("PRAGMA journal_mode")[0]["journal_mode"] != "wal":
        _begin(connection)
        return None
    try:
        second = Connection(connection.path, connection)
    except BifrostExportError:
        _begin(connection)
        return None
    for _ in range(_TRIES):
        before = _version(second)
        _begin(connection)
        with suppress(BifrostExportError):
            _begin(second)
            if _version(second) == before:
                return second
            second.execute("ROLLBACK")
        connection.execute("ROLLBACK")
    second.close()
    _begin(connection)
    return None


def _begin(connection: Connection) -> None:
    """A snapshot begins with the first look, not with BEGIN."""
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) AS tables FROM sqlite_master")


def _version(connection: Connection) -> int:
    return int(connection.execute("PRAGMA data_version")[0]["data_version"])
