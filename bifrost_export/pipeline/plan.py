"""`plan`: fix for the whole run what it reads, how, and what it saw (protocol, section 1)."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, replace
from typing import Any

from bifrost_export import __version__
from bifrost_export.config.documents import LoadedExport
from bifrost_export.config.freezing import config_hash, freeze
from bifrost_export.config.loader import load_export
from bifrost_export.config.models.export import Export
from bifrost_export.datasets.tool_calls import reads_tool_calls
from bifrost_export.destinations import continuity
from bifrost_export.destinations.port import warnings_of
from bifrost_export.errors import ConfigError, WindowError
from bifrost_export.filters.date_range import range_of
from bifrost_export.logstore.inspection import OpenLogStore
from bifrost_export.pipeline.clean_up import sweep_abandoned
from bifrost_export.pipeline.flows import steps_of_export
from bifrost_export.pipeline.plan_document import Plan, Slice
from bifrost_export.pipeline.rename_check import renamed
from bifrost_export.pipeline.resources import open_destination, open_staging, staging_url, typed, with_log_store
from bifrost_export.pipeline.retention import beyond_retention
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.pipeline.transform_chain import open_transforms
from bifrost_export.window import Window, merge, rfc3339


@dataclass(frozen=True)
class PlanRequest:
    """What a run is asked to do.

    Args:
        document: Path of the document (a file, or the folder that holds it).
        export: The export's name.
        window: The window to export.
        run_id: Airflow's run id, or the CLI's.
        force: Export a window that has not settled.
        replace_overlapping: Replace published windows that this one covers.
        dry_run: Stop after `reconcile`.
        allow_shrink: Publish fewer log rows than are published.
        replace_source: Publish from another log store than before.
    """

    document: str
    export: str
    window: Window
    run_id: str
    force: bool = False
    replace_overlapping: bool = False
    dry_run: bool = False
    allow_shrink: bool = False
    replace_source: bool = False


def plan(runtime: Runtime, request: PlanRequest) -> Plan:
    """Plan a run: nothing is read but counts, and nothing is written but the staging's marker.

    Raises:
        ConfigError: The document, a reference or the window is wrong.
        OverlapError: A published window overlaps.
        OtherLogStoreError: A published window came from another log store.
        ShrunkWindowError: The published window counted more log rows.
        LogStoreError: The log store can't be read.
        DestinationError: The destination can't be looked at.
    """
    loaded = load_export(request.document, request.export)
    export, now = loaded.good, runtime.now()
    _check_settled(export, request, now)
    drafted = draft(runtime, loaded, request.window, request.run_id)
    drafted = typed(runtime, drafted)
    options = ("replace_overlapping", "dry_run", "allow_shrink", "replace_source")
    drafted = replace(drafted, **{name: getattr(request, name) for name in options})
    if told := beyond_retention(request.window, loaded.document.log_retention_days, now):
        runtime.report("warning", {"message": told})
    open_transforms(runtime, drafted)  # a reference without a value is told before any data moves
    destination = open_destination(runtime, drafted)
    drafted = replace(drafted, staging=staging_of(runtime, drafted))

    remarks: list[str] = []

    def look(log_store: OpenLogStore) -> Plan:
        state = destination.look()
        formers = destination.guard(replace_overlapping=request.replace_overlapping)
        if formers:
            source = _source(export, request.window, log_store)
            continuity.check(request.window, export.name, formers, source, drafted.consent)
        looked = replace(
            drafted,
            seen=state.version,
            log_store=log_store.describe(),
            slices=tuple(_slices(runtime, export, request.window, log_store)),
            unplaced=_unplaced(export, log_store),
        )
        remarks[:] = [f"{each.message}. {each.hint}" for each in log_store.remarks()]
        if not any(former.window == request.window for former in formers):
            found = renamed(runtime, loaded, destination, looked.log_store, request.window)
            remarks.extend(str(each) for each in found)
        return looked

    planned = with_log_store(runtime, drafted, look)
    for message in dict.fromkeys([*warnings_of(destination), *remarks]):
        runtime.report("warning", {"message": message})
    opened = open_staging(runtime, planned)
    sweep_abandoned(runtime, planned, opened)
    opened.create({**planned.to_json(), "planned_at": rfc3339(now)})
    return planned


def draft(runtime: Runtime, loaded: LoadedExport, window: Window, run_id: str) -> Plan:
    """A plan without what log store, destination and staging say: enough to open each of them.

    Raises:
        DocumentError: The export is broken.
    """
    frozen = freeze(loaded)
    drafted = Plan(
        token=secrets.token_hex(4),
        window=window,
        frozen=frozen,
        config_hash=config_hash(frozen),
        slices=(),
        steps={},
        seen=None,
        export_timestamp=rfc3339(runtime.now().replace(microsecond=0)),
        export_version=__version__,
        run_id=run_id,
        staging={},
        log_store={},
    )
    return replace(drafted, steps=steps_of_export(drafted.export))


def _check_settled(export: Export, request: PlanRequest, now: Any) -> None:
    settled = request.window.end + export.schedule.settle_delta
    if not request.force and settled > now:
        raise WindowError(
            f"the window {request.window} settles at {rfc3339(settled)}, and now it is {rfc3339(now)}:"
            " rows of its last requests may still arrive",
            hint="Run it after that time, or set force to export what is there now.",
        )


def staging_of(runtime: Runtime, drafted: Plan) -> dict[str, Any]:
    """Where the run is staged, as the plan tells it.

    Raises:
        ConfigError: Not every worker would see it.
    """
    given = drafted.frozen.get("staging") or {}
    url = staging_url(runtime, drafted)
    if url.startswith("file:") and not runtime.executor_is_local and not given.get("shared"):
        raise ConfigError(
            f"staging {url} is on one machine's disk, and this Airflow's executor runs tasks on several",
            allowed="an object store such as s3://bucket/prefix, or a folder that all workers share",
            hint="Set log_exports.staging.url, or log_exports.staging.shared: true for a shared folder.",
        )
    return {
        "url": url,
        "conn_id": given.get("conn_id"),
        "keep_days": given.get("keep_days", 7),
        "shared": bool(given.get("shared")),
        "host": socket.gethostname(),
    }


def pieces(export: Export, window: Window) -> tuple[list[Window], list[Window]]:
    """The time that a run exports, and the time of its window that it only counts since `date_range` leaves it out."""
    wanted = range_of(export.data.filters.date_range, window, export.schedule.zone, export.schedule.period)
    covered = merge([window, wanted] if wanted else [window])
    # Each piece lies inside the window or outside: its rows are counted by themselves.
    edges = [wanted.start, wanted.end, window.start, window.end] if wanted else []
    cut = [piece for each in covered for piece in each.cut(edges)]
    inside = [piece for piece in cut if wanted is not None and wanted.covers(piece)]
    return inside, [piece for piece in cut if piece not in inside]


def _source(export: Export, window: Window, log_store: OpenLogStore) -> continuity.Source:
    """Count what a run of the window reads, as the books are going to."""
    inside, counted = pieces(export, window)
    counts = {
        "logs": log_store.count,
        **({"mcp_tool_logs": log_store.count_tool_calls} if reads_tool_calls(export.data) else {}),
    }
    rows = {
        table: [(window.covers(piece), count(piece).rows) for piece in (*inside, *counted)]
        for table, count in counts.items()
    }
    return continuity.Source(
        log_store.describe(),
        {table: sum(count for is_inside, count in each if is_inside) for table, each in rows.items()},
        {table: sum(count for _, count in each) for table, each in rows.items()},
    )


def _unplaced(export: Export, log_store: OpenLogStore) -> int:
    return log_store.unplaced() + (log_store.unplaced_tool_calls() if reads_tool_calls(export.data) else 0)


def _slices(runtime: Runtime, export: Export, window: Window, log_store: OpenLogStore) -> list[Slice]:
    inside, counted = pieces(export, window)
    most = max(1, runtime.max_map_length - len(counted))
    cuts = log_store.slices(inside, runtime.rows_per_slice, most) if inside else []
    slices = [*(Slice.of(piece, "rows") for piece in cuts), *(Slice.of(piece, "count") for piece in counted)]
    return sorted(slices, key=lambda each: each.window)
