"""`plan`: fix for the whole run what it reads, how, and what it saw (protocol, section 1)."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from typing import Any

from bifrost_export import __version__
from bifrost_export.config.freezing import config_hash, freeze
from bifrost_export.config.loader import load_export
from bifrost_export.config.models import Export
from bifrost_export.date_range import range_of
from bifrost_export.errors import ConfigError, WindowError
from bifrost_export.filters import RowFilter
from bifrost_export.logstore.port import LogStore
from bifrost_export.pipeline.opening import open_destination, open_log_store, open_staging, staging_url
from bifrost_export.pipeline.plan_document import Plan, Slice
from bifrost_export.pipeline.runtime import Runtime
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
    """

    document: str
    export: str
    window: Window
    run_id: str
    force: bool = False
    replace_overlapping: bool = False
    dry_run: bool = False


def plan(runtime: Runtime, request: PlanRequest) -> Plan:
    """Plan a run: nothing is read but counts, and nothing is written but the staging's marker.

    Raises:
        ConfigError: The document, a reference or the window is wrong.
        OverlapError: A published window overlaps.
        LogStoreError: The log store can't be read.
        DestinationError: The destination can't be looked at.
    """
    loaded = load_export(request.document, request.export)
    if loaded.export is None:
        raise ConfigError(f"the export {request.export!r} is broken")
    export, now = loaded.export, runtime.now()
    _check_settled(export, request, now)
    frozen = freeze(loaded)
    draft = Plan(
        token=secrets.token_hex(4),
        window=request.window,
        frozen=frozen,
        config_hash=config_hash(frozen),
        slices=(),
        steps=_steps(export),
        seen=None,
        export_timestamp=rfc3339(now.replace(microsecond=0)),
        export_version=__version__,
        run_id=request.run_id,
        staging={},
        log_store={},
        replace_overlapping=request.replace_overlapping,
        dry_run=request.dry_run,
    )
    destination = open_destination(runtime, draft)
    staging = _staging(runtime, draft)
    log_store = open_log_store(runtime, draft)
    try:
        state = destination.look()
        destination.guard(replace_overlapping=request.replace_overlapping)
        planned = _with(
            draft,
            seen=state.version,
            staging=staging,
            log_store=log_store.describe(),
            slices=tuple(_slices(runtime, export, request.window, log_store)),
            unplaced=log_store.unplaced(),
        )
    finally:
        log_store.close()
    open_staging(runtime, planned).create({**planned.to_json(), "planned_at": rfc3339(now)})
    return planned


def _with(plan: Plan, **changes: Any) -> Plan:
    return Plan(**{**{name: getattr(plan, name) for name in Plan.__dataclass_fields__}, **changes})


def _check_settled(export: Export, request: PlanRequest, now: Any) -> None:
    settled = request.window.end + export.schedule.settle_delta
    if not request.force and settled > now:
        raise WindowError(
            f"the window {request.window} settles at {rfc3339(settled)}, and now it is {rfc3339(now)}:"
            " rows of its last requests may still arrive",
            hint="Run it after that time, or set force to export what is there now.",
        )


def _steps(export: Export) -> tuple[str, ...]:
    return ("extract",) if RowFilter(export.data.filters).is_empty else ("extract", "filter")


def _staging(runtime: Runtime, draft: Plan) -> dict[str, Any]:
    given = draft.frozen.get("staging") or {}
    url = staging_url(runtime, draft)
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
        "host": socket.gethostname(),
    }


def _slices(runtime: Runtime, export: Export, window: Window, log_store: LogStore) -> list[Slice]:
    wanted = range_of(export.data.filters.date_range, window, export.schedule.zone, export.schedule.frequency)
    covered = merge([window, wanted] if wanted else [window])
    edges = [wanted.start, wanted.end] if wanted else []
    pieces = [piece for each in covered for piece in each.cut(edges)]
    inside = [piece for piece in pieces if wanted is not None and wanted.covers(piece)]
    counted = [piece for piece in pieces if piece not in inside]
    most = max(1, runtime.max_map_length - len(counted))
    cuts = log_store.cuts(inside, runtime.rows_per_slice, most) if inside else []
    slices = [(piece, "rows") for piece in cuts] + [(piece, "count") for piece in counted]
    return [
        Slice(rfc3339(piece.start), rfc3339(piece.end), kind)  # type: ignore[arg-type]
        for piece, kind in sorted(slices)
    ]
