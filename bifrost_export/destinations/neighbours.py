"""Another export that has published windows in the same place, such as this one under a former name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    from bifrost_export.window import Window

MOST_EXPORTS = 10
"""Limit of other exports that are looked at."""


@dataclass(frozen=True)
class Neighbour:
    """Another export with a published window.

    Args:
        export: Its name.
        window: A published window that shares an instant with the window that was asked about.
        through: End of its last published window.
        log_store: The log store that the window came from.
    """

    export: str
    window: Window
    through: dt.datetime
    log_store: Mapping[str, Any]


def is_open(theirs: Window, window: Window, own: Sequence[Window]) -> bool:
    """Return whether a window of another export shares time with a window that none of one's own, merged, covers."""
    shared = theirs.intersection(window)
    return shared is not None and not any(each.covers(shared) for each in own)
