"""Audit rows as they are read: what is published of a window, and of those that overlap it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bifrost_export.destinations.continuity import Former, source_of
from bifrost_export.window import UTC, Window

READ = (
    "window_start",
    "window_end",
    "dataset",
    "table_name",
    "revision",
    "token",
    "run_id",
    "planned_at",
    "source",
    "exported",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "bytes",
    "min_timestamp",
    "max_timestamp",
    "details",
)
NULLABLE = ("superseded_at", "min_timestamp", "max_timestamp")
"""Of these the database is asked whether they are null, not the driver: one that tells null as 1970 loses rows."""
IS_NULL = "_is_null"
"""Ends the names of these answers, 1 or 0, which stand behind the columns of `READ`."""


@dataclass(frozen=True)
class Load:
    """An audit row: one dataset of one publication of a window.

    Args:
        window: The window.
        dataset: The dataset.
        table: The table that its rows went to.
        revision: Of the window.
        token: Of the run.
        run_id: Of the run.
        planned_at: When the run was planned, UTC.
        is_live: It counts: no later load took its place.
        source: Log rows that were read for it.
        exported: Its rows.
        input_tokens: Sum over its rows.
        output_tokens: Sum over its rows.
        cost_usd: Sum over its rows.
        bytes: Bytes of the files that were loaded.
        min_timestamp: Earliest timestamp of its rows, UTC.
        max_timestamp: Latest timestamp of its rows, UTC.
        details: The books by rule, and the schema.
    """

    window: Window
    dataset: str
    table: str
    revision: int
    token: str
    run_id: str
    planned_at: dt.datetime
    is_live: bool
    source: int
    exported: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    bytes: int
    min_timestamp: dt.datetime | None
    max_timestamp: dt.datetime | None
    details: dict[str, Any]

    @classmethod
    def of(cls, row: Sequence[Any]) -> Load:
        """Read a row of `READ` and the answers for `NULLABLE`."""
        found = dict(zip((*READ, *(name + IS_NULL for name in NULLABLE)), row, strict=True))
        earliest, latest = (None if found[name + IS_NULL] else utc(found[name]) for name in NULLABLE[1:])
        return cls(
            Window(utc(found["window_start"]), utc(found["window_end"])),
            found["dataset"],
            found["table_name"],
            int(found["revision"]),
            found["token"],
            found["run_id"],
            utc(found["planned_at"]),
            found["superseded_at" + IS_NULL] == 1,
            int(found["source"]),
            int(found["exported"]),
            int(found["input_tokens"]),
            int(found["output_tokens"]),
            float(found["cost_usd"]),
            int(found["bytes"]),
            earliest,
            latest,
            json.loads(found["details"]),
        )


def utc(value: dt.datetime) -> dt.datetime:
    """An instant as a driver gives it; one without a zone is in UTC, which every session is set to."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True)
class Found:
    """What the table says of a window and of those that it overlaps.

    Args:
        loads: Live rows of the window and of windows that overlap it, and superseded ones of the window itself.
        window: The window.
    """

    loads: tuple[Load, ...]
    window: Window

    @property
    def revision(self) -> int:
        """The window's highest revision, superseded ones included; 0 without any."""
        return max((load.revision for load in self.loads if load.window == self.window), default=0)

    @property
    def live(self) -> list[Load]:
        """The rows that count: the window's own, and those of windows that overlap it."""
        return [load for load in self.loads if load.is_live]

    @property
    def overlapping(self) -> list[Window]:
        """Published windows that share an instant with this one without being equal to it."""
        return sorted({load.window for load in self.live if load.window != self.window})

    @property
    def formers(self) -> list[Former]:
        """The published windows that a run replaces: the window itself, and those that it covers."""
        found: dict[Window, list[Load]] = {}
        for load in self.live:
            found.setdefault(load.window, []).append(load)
        return [Former(window, source_of(_body(loads))) for window, loads in sorted(found.items())]

    def own(self, token: str) -> list[Load]:
        """The live rows of a run."""
        return [load for load in self.live if load.window == self.window and load.token == token]


def _body(loads: Sequence[Load]) -> dict[str, Any]:
    """Return the fields of a manifest that record the source of a window."""
    details = loads[0].details
    datasets = {load.dataset: {"source": load.source, "offloaded": load.details.get("offloaded")} for load in loads}
    names = ("source", "window_rows", "mcp", "payloads")
    return {"datasets": datasets, **{name: details.get(name) for name in names}}
