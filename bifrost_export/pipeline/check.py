"""`check`: probe what an export needs, step by step, without exporting anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from bifrost_export.datasets.tool_calls import reads_tool_calls
from bifrost_export.destinations.checks import Probe, Steps
from bifrost_export.errors import BifrostExportError, ConfigError, NoLogStoreError, PermanentError, StagingGoneError
from bifrost_export.logstore.columns import known_columns
from bifrost_export.logstore.endpoints import endpoint_of, is_known
from bifrost_export.logstore.inspection import NOT_EXPORTED, OpenLogStore, answers
from bifrost_export.logstore.port import COLUMNS
from bifrost_export.logstore.records import FINAL
from bifrost_export.pipeline.plan import draft, staging_of
from bifrost_export.pipeline.rename_check import identity, renamed, time_ahead
from bifrost_export.pipeline.resources import needed_until, open_destination, open_log_store, open_staging, typed
from bifrost_export.window import Window, rfc3339

if TYPE_CHECKING:
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime

SETTINGS = "settings"
"""The step that fills references in, and finds what they name."""


def check(runtime: Runtime, loaded: LoadedExport) -> Iterator[Probe]:
    """Probe log store, destination and staging of an export; what that writes is taken away.

    Args:
        runtime: The surroundings.
        loaded: A good export.

    Raises:
        ConfigError: The export is broken.
    """
    window = loaded.good.schedule.latest_settled(runtime.now())
    drafted = draft(runtime, loaded, window, "check")
    with suppress(BifrostExportError):  # the log store's own steps report it
        drafted = typed(runtime, drafted)
    parts = {"log store": _log_store, "destination": _destination, "staging": _staging}
    for part, probes in parts.items():
        passed = True
        for probe in probes(runtime, drafted):
            passed &= probe.ok
            yield replace(probe, what=f"{part}: {probe.what}")
        if passed and part == "destination":
            yield from _former_names(runtime, loaded, drafted)


def _former_names(runtime: Runtime, loaded: LoadedExport, drafted: Plan) -> Iterator[Probe]:
    """A step of its own where the export seems to have had another name."""
    log_store, window = identity(runtime, drafted), time_ahead(loaded.good.schedule, runtime.now())
    if log_store and window is not None:
        for found in renamed(runtime, loaded, open_destination(runtime, drafted), log_store, window):
            yield Probe("destination: other exports", True, found.message, found.hint)


def _log_store(runtime: Runtime, drafted: Plan) -> Iterator[Probe]:
    rest = ("columns", "count", "index", "newest row")
    try:
        log_store = open_log_store(runtime, drafted)
    except NoLogStoreError as error:
        yield Probe("open", True, "there is a database, and it can be read")
        yield Probe.failed("table logs", error)
        yield from (Probe.skipped(what, "table logs") for what in rest)
    except BifrostExportError as error:
        what = SETTINGS if isinstance(error, ConfigError) else "open"
        yield Probe.failed(what, error)
        yield from (Probe.skipped(each, what) for each in ("table logs", *rest))
    else:
        with closing(log_store):
            yield Probe("open", True, ", ".join(f"{key} {value}" for key, value in log_store.describe().items()))
            yield Steps().take("table logs", lambda: _remarks(log_store))
            yield from _replication(log_store, drafted)
            yield from _table(log_store, drafted.window, runtime.now(), drafted.export.data.unknown_fields)
            yield from _kinds(log_store, drafted.window)
            if reads_tool_calls(drafted.export.data):
                yield Steps().take("tool calls", lambda: _tool_calls(log_store, drafted.window))
            if log_store.offloaded.is_named:
                yield Steps().take("object storage", log_store.offloaded.probe)


def _remarks(log_store: OpenLogStore) -> Probe:
    remarks = log_store.remarks()
    others = [
        f"the table {name} ({what}) is here too, and is not exported"
        for name, what in NOT_EXPORTED.items()
        if log_store.has_table(name)
    ]
    found = "; ".join(("is there, with id, timestamp and status", *(each.message for each in remarks), *others))
    return Probe("table logs", True, found, " ".join(each.hint for each in remarks) or None)


def _replication(log_store: OpenLogStore, drafted: Plan) -> Iterator[Probe]:
    """How far a standby has followed; nothing of a log store that is the original."""
    found = Steps().take("standby", lambda: log_store.caught_up(needed_until(drafted)) or "")
    if found.message:
        yield found


def _table(
    log_store: OpenLogStore, window: Window, now: dt.datetime, unknown_fields: tuple[str, ...]
) -> Iterator[Probe]:
    steps = Steps()
    yield steps.take("columns", lambda: _columns(log_store, unknown_fields))
    yield steps.take("count", lambda: _count(log_store, window))
    if answers(log_store, "is_indexed"):
        yield steps.take("index", lambda: _index(log_store))
    if answers(log_store, "newest"):
        yield steps.take("newest row", lambda: _newest(log_store, window, now))


def _tool_calls(log_store: OpenLogStore, window: Window) -> str:
    calls = log_store.count_tool_calls(window)
    return f"the window {window} has {calls.rows:,} tool calls"


def _columns(log_store: OpenLogStore, unknown_fields: tuple[str, ...]) -> Probe:
    lacking = [name for name in COLUMNS if name not in log_store.columns()]
    found = f"all {len(COLUMNS)} columns that a record is made of are there"
    if lacking:
        found = f"an older log store: {', '.join(lacking)} are not there, and count as null"
    if newer := sorted(log_store.columns() - known_columns()):
        found += f"; columns that this version does not know: {', '.join(newer)}"
    types = log_store.column_types(unknown_fields)
    if types:
        found += f"; exported by their type in the log store: {', '.join(f'{name} ({types[name]})' for name in types)}"
    hint = "data.extra_fields exports them by name. Look for a newer version of bifrost-export." if newer else None
    return Probe("columns", True, found, hint)


def _kinds(log_store: OpenLogStore, window: Window) -> Iterator[Probe]:
    """What this version does not know of the rows; nothing where it knows all of it."""
    found = Steps().take("kinds of rows", lambda: _unknown_kinds(log_store.kinds(window)))
    if found.message:
        yield found


def _unknown_kinds(kinds: list[tuple[str, str, int]]) -> Probe:
    types: dict[str, int] = {}
    statuses: dict[str, int] = {}
    for object_type, status, rows in kinds:
        if not is_known(object_type):
            types[object_type] = types.get(object_type, 0) + rows
        if status not in (*FINAL, "processing"):
            statuses[status] = statuses.get(status, 0) + rows
    found = [
        *(
            f"object_type {name!r}: {rows:,} rows, exported as POST {endpoint_of(name)[0]}"
            for name, rows in types.items()
        ),
        *(f"status {name!r}: {rows:,} rows, which are rejected" for name, rows in statuses.items()),
    ]
    told = f"not known to this version: {'; '.join(found)}" if found else ""
    return Probe("kinds of rows", True, told, "Look for a newer version of bifrost-export." if found else None)


def _count(log_store: OpenLogStore, window: Window) -> str:
    totals = log_store.count(window)
    processing = f", and {totals.unsettled:,} still processing" if totals.unsettled else ""
    return f"{totals.rows:,} rows in {window}, the latest settled window{processing}"


def _index(log_store: OpenLogStore) -> Probe:
    is_indexed = log_store.is_indexed()
    if is_indexed is None:
        return Probe("index", True, "a view or foreign table has no index of its own: those of its tables count")
    if is_indexed:
        return Probe("index", True, "an index finds the rows of a window by their timestamp")
    hint = "Start Bifrost on it, which makes the index, or: CREATE INDEX idx_logs_timestamp ON logs (timestamp)."
    return Probe("index", True, "no index on timestamp: each run reads the whole table", hint)


def _newest(log_store: OpenLogStore, window: Window, now: dt.datetime) -> Probe:
    newest = log_store.newest()
    if newest is None:
        hint = "Look whether Bifrost writes its logs there, and whether they are turned on."
        return Probe("newest row", True, "there is no row whose time can be read", hint)
    age = dt.timedelta(seconds=int((now - newest).total_seconds()))
    if age < dt.timedelta():
        return Probe("newest row", True, f"{rfc3339(newest)} lies {-age} ahead", "Look at the clocks of both machines.")
    old = "Look whether Bifrost still writes its logs there."
    return Probe("newest row", True, f"{rfc3339(newest)}, {age} ago", old if newest < window.start else None)


def _destination(runtime: Runtime, drafted: Plan) -> Iterator[Probe]:
    try:
        destination = open_destination(runtime, drafted)
    except BifrostExportError as error:
        yield Probe.failed(SETTINGS, error)
    else:
        yield from destination.check()


def _staging(runtime: Runtime, drafted: Plan) -> Iterator[Probe]:
    steps = Steps()
    try:
        staged = replace(drafted, staging=staging_of(runtime, drafted))
        staging = open_staging(runtime, staged)
    except BifrostExportError as error:
        yield Probe.failed(SETTINGS, error)
        return

    def write() -> str:
        # The marker of a run: what a killed check leaves is swept as that of a killed run is.
        staging.create({**staged.to_json(), "planned_at": rfc3339(runtime.now())})
        return f"{staging.url}/{staging.name} was made"

    def read() -> str:
        staging.check()
        return "what was written is there"

    def delete() -> str:
        staging.remove()
        try:
            staging.check()
        except StagingGoneError:
            return "what was written is gone"
        raise PermanentError(f"{staging.url}/{staging.name} can't be deleted", hint="Grant the right to delete there.")

    try:
        yield steps.take("write", write)
        yield steps.take("read", read, ["write"])
        yield steps.take("delete", delete, ["write"])
    finally:
        if "delete" not in steps.passed:
            staging.remove()
