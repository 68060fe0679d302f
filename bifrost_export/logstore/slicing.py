"""Cut windows into slices of about as many rows each, by counts of their own rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from bifrost_export.window import Window, from_micros, micros

Counts = Sequence[tuple[int, int]]
"""(moment in microseconds since 1970 UTC, rows from there to the next moment), in the order of the moments."""

_SECONDS_FOR = dt.timedelta(days=2)


def cut_windows(windows: Sequence[Window], counts: Sequence[Counts], rows_per_slice: int, most: int) -> list[Window]:
    """The slices of all windows: as the log store port's `slices` tells.

    Args:
        windows: Disjoint windows in order.
        counts: The rows of each by moments of `step` length.
        rows_per_slice: How many rows a slice should hold, about.
        most: How many slices there may be; at least one a window comes back all the same.
    """
    target = rows_per_slice
    while True:
        slices = [piece for window, each in zip(windows, counts, strict=True) for piece in cut(window, each, target)]
        if len(slices) <= max(most, len(windows)):
            return slices
        target *= 2


def cut(window: Window, counts: Counts, rows_per_slice: int) -> Iterator[Window]:
    """The slices of one window.

    Args:
        window: The window.
        counts: Its rows; a moment outside the window is passed by.
        rows_per_slice: How many rows a slice should hold, about; a moment is never cut.
    """
    edges, rows = [], 0
    low, high = micros(window.start), micros(window.end)
    for moment, count in counts:
        if not low <= moment < high:
            continue
        if rows and rows + count > rows_per_slice:
            edges.append(moment)
            rows = 0
        rows += count
    return window.cut(map(from_micros, edges))


def step(windows: Sequence[Window]) -> dt.timedelta:
    """How long the moments to count by are: a second, or a minute where the windows are long."""
    longest = max(window.end - window.start for window in windows)
    return dt.timedelta(seconds=1) if longest <= _SECONDS_FOR else dt.timedelta(minutes=1)
