"""Rows whose time is in neither of the usual forms, or can't be read: found by SQL, judged one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from bifrost_export.logstore.sqlite.times import parse_time, readable
from bifrost_export.window import Window, micros


@dataclass
class OddTimes:
    """The rows of a window whose times are odd.

    Args:
        instants: Row number -> microseconds since 1970 UTC, of rows whose `timestamp` was read.
        unread: Row number -> (microseconds of `created_at`, type and bytes of `timestamp`), of rows to reject.
    """

    instants: dict[int, int] = field(default_factory=dict)
    unread: dict[int, tuple[int, str, int | None]] = field(default_factory=dict)

    @property
    def numbers(self) -> set[int]:
        """All their row numbers."""
        return {*self.instants, *self.unread}


def judge(candidates: Iterable[pa.RecordBatch], window: Window) -> OddTimes:
    """Read the candidates' times, and keep those that lie in the window.

    Args:
        candidates: Batches of `row, timestamp, created_at, kind, bytes`; the first row is no candidate.
        window: The window.
    """
    odd = OddTimes()
    low, high = micros(window.start), micros(window.end)
    skip = 1
    for batch in candidates:
        own_texts, created_texts = readable(batch.column("timestamp")), readable(batch.column("created_at"))
        shapes = zip(*(batch.column(name).to_pylist() for name in ("row", "kind", "bytes")), strict=True)
        for index, (row, kind, length) in enumerate(shapes):
            if skip:
                skip = 0
                continue
            own = parse_time(own_texts[index])
            if own is not None:
                if low <= own < high:
                    odd.instants[row] = own
                continue
            created = parse_time(created_texts[index])
            if created is not None and low <= created < high:
                odd.unread[row] = (created, kind, length if kind in ("text", "blob") else None)
    return odd
