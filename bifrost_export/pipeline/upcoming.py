"""What the next runs of an export would do: their windows, where they write, the SQL. Nothing is opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from bifrost_export.config.models.kinds import load_kind
from bifrost_export.config.source import CONNECTION_ID, VARIABLE, find_source
from bifrost_export.datasets.tool_calls import reads_tool_calls
from bifrost_export.logstore.inspection import with_defaults
from bifrost_export.pipeline import tool_calls
from bifrost_export.pipeline.flows import read_schema
from bifrost_export.pipeline.plan import draft
from bifrost_export.pipeline.rename_check import renamed_on_this_machine
from bifrost_export.pipeline.resources import open_destination, resolver
from bifrost_export.pipeline.retention import beyond_retention
from bifrost_export.registry import LOG_STORES
from bifrost_export.schedules.schedule import Schedule
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime

FEW = 4
"""Windows beyond the retention are named one by one up to here."""

TOKEN = "<token>"  # noqa: S105 (what stands for a token)


@dataclass(frozen=True)
class Outlook:
    """The next runs of one export.

    Args:
        windows: In order.
        targets: For each window where it writes, in the windows' order.
        statements: The SQL that the first of them asks the log store; none where no log store is named.
        rights: The least that the export needs of its destination's cloud; empty where that is nothing.
        warnings: What a person should know of these windows.
    """

    windows: list[Window]
    targets: list[list[str]]
    statements: list[str]
    rights: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def windows_from(schedule: Schedule, since: dt.datetime) -> Iterator[Window]:
    """The schedule's windows, the first of them the first that ends after an instant.

    Raises:
        WindowError: The calendar ends.
    """
    window = schedule.window_containing(since)
    while True:
        yield window
        window = schedule.window_from(window.end)


def outlook(runtime: Runtime, loaded: LoadedExport, since: dt.datetime, count: int) -> Outlook:
    """Look ahead. Secrets are not resolved, and neither log store nor destination is opened.

    Args:
        runtime: The surroundings.
        loaded: A good export.
        since: The first window is the first that ends after it.
        count: How many windows.

    Raises:
        ConfigError: The export is broken, or a value that a name is made of is not allowed.
        MissingReferenceError: A reference that a name is made of has no value.
        WindowError: The calendar ends.
    """
    windows = list(islice(windows_from(loaded.good.schedule, since), count))
    drafts = [_draft(runtime, loaded, window) for window in windows]
    destinations = [open_destination(runtime, each, with_secrets=False) for each in drafts]
    targets = [each.targets() for each in destinations]
    statements = _statements(runtime, drafts[0]) if drafts else []
    return Outlook(
        windows,
        targets,
        statements,
        destinations[0].rights() if destinations else {},
        _warnings(runtime, loaded, windows, drafts),
    )


def _warnings(runtime: Runtime, loaded: LoadedExport, windows: list[Window], drafts: list[Plan]) -> list[str]:
    days, now = loaded.document.log_retention_days, runtime.now()
    beyond = [window for window in windows if beyond_retention(window, days, now)]
    if len(beyond) < FEW:
        told = [beyond_retention(window, days, now) for window in beyond]
    else:
        time = Window(beyond[0].start, beyond[-1].end)
        told = [beyond_retention(time, days, now, f"time of {len(beyond):,} windows,")]
    whole = Window(windows[0].start, windows[-1].end)
    return [*(each for each in told if each), *map(str, renamed_on_this_machine(runtime, loaded, drafts[0], whole))]


def _draft(runtime: Runtime, loaded: LoadedExport, window: Window) -> Plan:
    drafted = draft(runtime, loaded, window, "<RUN_ID>")
    return replace(drafted, token=TOKEN, export_timestamp="<EXPORT_TIMESTAMP>")


def _statements(runtime: Runtime, drafted: Plan) -> list[str]:
    named = drafted.frozen["export"].get("source") or drafted.frozen.get("source") or runtime.environ.get(VARIABLE)
    if not named and not runtime.environ.get(f"AIRFLOW_CONN_{CONNECTION_ID.upper()}"):
        return []
    type_, _ = find_source(drafted.frozen, resolver(runtime, drafted, with_secrets=False), runtime.get_connection)
    data = drafted.export.data
    calls = tool_calls.read_schema(data) if reads_tool_calls(data) else None
    kind = with_defaults(load_kind(LOG_STORES, type_))
    statements: list[str] = kind.sql(drafted.window, read_schema(drafted), calls, data.filters)
    return statements
