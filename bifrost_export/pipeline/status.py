"""How far an export has come: its published windows, the gaps between them, and how far it is behind.

The CLI's `status` and a page about all exports show the same figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.port import warnings_of
from bifrost_export.pipeline.plan import draft
from bifrost_export.pipeline.resources import open_destination
from bifrost_export.window import Window, merge, rfc3339

if TYPE_CHECKING:
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.destinations.port import Published
    from bifrost_export.pipeline.runtime import Runtime


@dataclass(frozen=True)
class Status:
    """What is published of an export.

    Args:
        published: Every published window, in order.
        gaps: The times between published windows that none of them covers.
        exported_through: Up to there everything is exported since the first published window; None without any.
        due: End of the latest window that has settled.
        warnings: What stands among the manifests and was passed over, each in a sentence.
    """

    published: tuple[Published, ...]
    gaps: tuple[Window, ...]
    exported_through: dt.datetime | None
    due: dt.datetime
    warnings: tuple[str, ...] = ()

    @property
    def lag(self) -> dt.timedelta | None:
        """From `exported_through` to `due`, zero when nothing is due; None where nothing is published."""
        if self.exported_through is None:
            return None
        return max(dt.timedelta(), self.due - self.exported_through)

    def to_json(self) -> dict[str, Any]:
        """`{"exported_through", "lag_seconds", "windows", "gaps"}`, windows as their number; `warnings` if any."""
        told = {"warnings": list(self.warnings)} if self.warnings else {}
        return {
            "exported_through": None if self.exported_through is None else rfc3339(self.exported_through),
            "lag_seconds": None if self.lag is None else int(self.lag.total_seconds()),
            "windows": len(self.published),
            "gaps": [gap.to_json() for gap in self.gaps],
            **told,
        }


def status(runtime: Runtime, loaded: LoadedExport) -> Status:
    """Look what is published of an export.

    Raises:
        ConfigError: The export is broken, or a reference has no value.
        DestinationError: The destination can't be looked at.
    """
    latest = loaded.good.schedule.latest_settled(runtime.now())
    destination = open_destination(runtime, draft(runtime, loaded, latest, "status"))
    found = status_of(destination.published(), latest.end)
    return replace(found, warnings=tuple(warnings_of(destination)))


def status_of(published: Sequence[Published], due: dt.datetime) -> Status:
    """The status that published windows amount to.

    Args:
        published: In order.
        due: End of the latest window that has settled.
    """
    covered = merge(each.window for each in published)
    gaps = tuple(Window(before.end, after.start) for before, after in pairwise(covered))
    return Status(tuple(published), gaps, covered[0].end if covered else None, due)
