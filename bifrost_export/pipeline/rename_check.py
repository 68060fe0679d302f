"""Whether an export seems to have been renamed: then its window may be published already, under the former name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.config.loader import load, named_document
from bifrost_export.config.source import find_source
from bifrost_export.destinations.continuity import is_same_log_store
from bifrost_export.errors import BifrostExportError
from bifrost_export.pipeline.resources import open_destination, resolver
from bifrost_export.registry import DESTINATIONS
from bifrost_export.window import Window, rfc3339

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.destinations.port import Destination
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.schedules.schedule import Schedule


@dataclass(frozen=True)
class Renamed:
    """A warning about an export that seems to have had another name.

    Args:
        message: What was found.
        hint: What to do.
    """

    message: str
    hint: str

    def __str__(self) -> str:
        """Both, as sentences."""
        return f"{self.message}. {self.hint}"


def renamed(
    runtime: Runtime, loaded: LoadedExport, destination: Destination, log_store: Mapping[str, Any], window: Window
) -> list[Renamed]:
    """Look for exports of no document that have published the window's rows at the same destination.

    It never fails: what can't be looked at gives no warning.

    Args:
        runtime: The surroundings.
        loaded: A good export.
        destination: Its destination, opened.
        log_store: What is known of its log store's identity.
        window: The time to look at.
    """
    name = loaded.good.name
    try:
        found = destination.neighbours(window, _names(runtime, loaded))
    except (BifrostExportError, OSError):
        return []
    return [
        Renamed(
            f"the export {each.export!r}, which no document names, has published {each.window} from the same log store"
            f" at the same destination",
            f"If {each.export!r} was renamed to {name!r}, those rows are exported twice: set schedule.start_date of"
            f" {name!r} to {rfc3339(each.through)}, where {each.export!r} ended.",
        )
        for each in found
        if is_same_log_store(each.log_store, log_store)
    ]


def renamed_on_this_machine(
    runtime: Runtime, loaded: LoadedExport, drafted: Plan, window: Window | None
) -> list[Renamed]:
    """Look for the same where neither a network nor the log store is needed to know it.

    Args:
        runtime: The surroundings.
        loaded: A good export.
        drafted: A draft of a run.
        window: The time to look at; None to skip it.
    """
    kind = DESTINATIONS.load(loaded.good.destination.type)
    if window is None or not getattr(kind, "is_local", False):
        return []
    try:
        destination = open_destination(runtime, drafted, with_secrets=False)
    except BifrostExportError:
        return []
    log_store = identity(runtime, drafted)
    return renamed(runtime, loaded, destination, log_store, window) if log_store else []


def identity(runtime: Runtime, drafted: Plan) -> dict[str, Any]:
    """Return what the configuration knows of the log store's identity, without opening it; nothing where it can't."""
    try:
        kind, config = find_source(
            drafted.frozen, resolver(runtime, drafted, with_secrets=False), runtime.get_connection
        )
    except BifrostExportError:
        return {}
    places = {"path": "path", "host": "host", "port": "port", "db_name": "database", "schema": "schema"}
    return {"type": kind, **{place: config[key] for key, place in places.items() if config.get(key) is not None}}


def time_ahead(schedule: Schedule, now: dt.datetime) -> Window | None:
    """Return the time that the first automatic runs of a new export take; None before its start_date."""
    latest = schedule.latest_settled(now)
    if schedule.start is None or schedule.start <= latest.start:
        start = schedule.start if schedule.start is not None and schedule.catchup else latest.start
        return Window(start, latest.end)
    return None


def _names(runtime: Runtime, loaded: LoadedExport) -> frozenset[str]:
    """The exports of all documents: a DAG is given one file of the folder that Airflow reads."""
    folder = named_document(runtime.environ)
    names = loaded.document.names
    if folder is not None and folder.is_dir() and loaded.document.path.absolute().parent == folder.absolute():
        names |= {each.name for each in load(folder).exports if each.name is not None}
    return names
