"""A slice in chunks: each is read to its end in a short snapshot of its own, however slow its consumer is.

Bifrost adds columns when it starts, waits at most 5 s for the lock, and fails to start without it. So no snapshot may
last longer, at any moment: rows wait in our memory, not in the server.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field

import pyarrow as pa

from bifrost_export.logstore.adaptive_pieces import TooMuchError, in_pieces
from bifrost_export.logstore.port import Removed
from bifrost_export.logstore.postgres.connection import Connection
from bifrost_export.logstore.postgres.statements import Statements
from bifrost_export.logstore.postgres.sums import Counted, Sums
from bifrost_export.window import MICROSECOND, Window

ROWS = 50_000
"""Rows that a chunk should hold, about."""

BYTES = 32_000_000
"""Bytes of long texts that a chunk should hold at most, about."""

_SECONDS = 1.0
_SPARE = 2
_FIRST = 1 / 16
_FASTEST = 8.0


@dataclass
class Chunk:
    """Rows of one snapshot, and what the database counted in it.

    Args:
        sums: Of these very rows, and of those that the filters remove.
        removed: Of the latter.
        rows: How many the others are.
        batches: The rows; whoever takes one out frees its memory.
        seconds: How long its snapshot lasted.
    """

    sums: Sums
    removed: Removed = field(default_factory=Removed)
    rows: int = 0
    batches: list[pa.RecordBatch] = field(default_factory=list)
    seconds: float = 0.0


def chunks(connection: Connection, statements: Statements, window: Window) -> Generator[Chunk, None, None]:
    """The chunks of a slice, in order; between two of them no transaction is open.

    Raises:
        SlowError: Even a small piece of the slice takes too long.
        LogStoreBusyError: The connection was lost, or a lock could not be had.
    """
    return in_pieces(window, lambda piece: _read(connection, statements, piece), _FIRST, _growth)


def unread_chunk(connection: Connection, statements: Statements, window: Window) -> Chunk:
    """The rows whose `timestamp` can't be read, and which `created_at` places in a slice."""
    with connection.snapshot(statements.lock):
        [row] = connection.execute(statements.unread_totals(window))
        batches = list(connection.batches(statements.unread_rows(window))) if row["rows"] else []
    return Chunk(Sums.of_row(row), batches=batches)


def _read(connection: Connection, statements: Statements, piece: Window) -> Chunk:
    began = time.monotonic()
    with connection.snapshot(statements.lock):
        counted = Counted.of_rows(connection.execute(statements.totals(piece)))
        times_too_many = max(counted.rows / ROWS, counted.bytes / BYTES)
        if times_too_many > _SPARE and piece.end - piece.start > MICROSECOND:
            raise TooMuchError(1 / times_too_many)
        rows = statements.rows(piece, in_doubt=counted.removed.in_doubt > 0)
        batches = list(connection.batches(rows)) if counted.rows else []
    return Chunk(counted.sums, counted.removed, counted.rows, batches, time.monotonic() - began)


def _growth(chunk: Chunk) -> float:
    return min(_FASTEST, ROWS / max(1, chunk.rows), _SECONDS / max(chunk.seconds, 1e-3))
