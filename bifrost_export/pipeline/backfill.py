"""Walk a schedule's windows between two times: which are due, and which are published already."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from bifrost_export.errors import WindowError
from bifrost_export.pipeline.plan import draft
from bifrost_export.pipeline.resources import open_destination
from bifrost_export.pipeline.upcoming import windows_from
from bifrost_export.window import Window, merge, rfc3339

if TYPE_CHECKING:
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.runtime import Runtime


@dataclass(frozen=True)
class Walk:
    """What there is to do between two times.

    Args:
        windows: To export, in order.
        skipped: How many windows are left out, since published windows cover them.
    """

    windows: tuple[Window, ...]
    skipped: int


def walk(runtime: Runtime, loaded: LoadedExport, between: Window, *, force: bool) -> Walk:
    """The schedule's windows that share time with an interval.

    The first of them is the first that ends after its start, the last one the last that starts before its end.

    Args:
        runtime: The surroundings.
        loaded: A good export.
        between: The interval.
        force: Take windows that have not settled.

    Raises:
        ConfigError: The export is broken, or a reference has no value.
        WindowError: The last window has not settled.
        DestinationError: The destination can't be looked at.
    """
    schedule = loaded.good.schedule
    windows = list(takewhile(lambda each: each.start < between.end, windows_from(schedule, between.start)))
    destination = open_destination(runtime, draft(runtime, loaded, windows[0], "walk"))
    published = merge(each.window for each in destination.published())
    due = tuple(each for each in windows if not any(one.covers(each) for one in published))
    settled = schedule.latest_settled(runtime.now()).end
    if due and due[-1].end > settled and not force:
        raise WindowError(
            f"the window {due[-1]}, the last before {rfc3339(between.end)}, has not settled: rows of its last requests"
            " may still arrive",
            hint=f"Walk to {rfc3339(settled)}, or set force to export what is there now.",
        )
    return Walk(due, len(windows) - len(due))
