"""Cut windows into slices of about as many rows each, by counts of their own rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from bifrost_export.window import UTC, Window


def cut(window: Window, counts: Iterable[tuple[str, int]], rows_per_slice: int) -> Iterator[Window]:
    """The slices of one window.

    Args:
        window: The window.
        counts: (`YYYY-MM-DD HH:MM` or `... HH:MM:SS`, rows) in the order of the times; what is no time is passed by.
        rows_per_slice: How many rows a slice should hold, about; a moment is never cut.
    """
    edges, rows = [], 0
    for text, count in counts:
        moment = _moment(text)
        if moment is None or not window.contains(moment):
            continue
        if rows and rows + count > rows_per_slice:
            edges.append(moment)
            rows = 0
        rows += count
    return window.cut(edges)


def granularity(windows: Sequence[Window]) -> int:
    """How many characters of a time to count by: seconds, or minutes where the windows are long."""
    longest = max(window.end - window.start for window in windows)
    return 19 if longest <= dt.timedelta(days=2) else 16


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
