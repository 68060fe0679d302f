"""Read one export of a document, or a source: every problem of it, and what is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.checks.transformations import check_entries, check_together
from bifrost_export.config.documents import Document, LoadedExport
from bifrost_export.config.models.export import Destination, Export, Source, check_name
from bifrost_export.config.models.kinds import config_model
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import Strict
from bifrost_export.logstore.columns import LOG_COLUMNS, nearest_column

if TYPE_CHECKING:
    from collections.abc import Callable

_PARTS = {"destination": Destination, "source": Source}
"""Parts whose `config` is chosen by a `type`."""


_UNNAMED = "unnamed"


@dataclass(frozen=True)
class Entry:
    """One export as it is written.

    Args:
        raw: What stands there, of any JSON type.
        pointer: Where it stands.
        index: Its number, from 0.
        to_long_form: Gives the export in long form, and notes what stands in the way of it; is given what is written,
            and its pointer.
        needs_name: Whether a name must be written; without it, one is missed only where something else is wrong.
    """

    raw: Any
    pointer: str
    index: int
    to_long_form: Callable[[dict[str, Any], str], dict[str, Any]]
    needs_name: bool = True


def read_export(checker: Checker, document: Document, entry: Entry) -> LoadedExport:
    """One export; an error that nobody expects breaks it alone.

    Args:
        checker: May have problems of it already; it has none afterwards.
        document: The export's document.
        entry: The export as it is written.
    """
    try:
        return _read_export(checker, document, entry)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (code that it names may fail or exit, and the others have to stand)
        checker.take()
        message = f"the export can't be read ({type(error).__name__})"
        checker.add(entry.pointer, message, hint="Remove what it holds bit by bit, and report this error.")
    found = LoadedExport(document, entry.pointer, entry.index, raw=entry.raw, problems=checker.take())
    if isinstance(entry.raw, dict):
        found.name, found.has_good_name = _name(entry.raw.get("name"))
    return found


def _read_export(checker: Checker, document: Document, entry: Entry) -> LoadedExport:
    found = LoadedExport(document, entry.pointer, entry.index, raw=entry.raw)
    checker.stand_twice(entry.pointer)
    value = entry.raw
    if isinstance(value, dict):
        value = found.raw = entry.to_long_form(value, entry.pointer)
        found.name, found.has_good_name = _name(value.get("name"))
        check_parts(checker, value, entry.pointer)
        if not entry.needs_name:
            value = {"name": _UNNAMED, **value}
    export = checker.model(Export, value, entry.pointer)
    if export is not None and not checker.has_errors:
        check_together(checker, export, entry.pointer)
        _check_missed_windows(checker, export, entry.pointer)
        _check_unknown_fields(checker, export, entry.pointer)
    found.problems = checker.take()
    found.export = None if found.errors else export
    return found


def _check_missed_windows(checker: Checker, export: Export, pointer: str) -> None:
    """Warn of two keys of a schedule that contradict each other: Airflow catches up on what was missed, too."""
    if export.schedule.catchup and export.schedule.missed_windows == "skip":
        checker.add(
            f"{pointer}/schedule/missed_windows",
            "missed_windows is 'skip' and catchup is true: every window from start_date on is run, and none is skipped",
            severity="warning",
            hint="Leave out missed_windows, or leave out catchup so that an outage's windows are skipped.",
        )


def _check_unknown_fields(checker: Checker, export: Export, pointer: str) -> None:
    """Warn of columns that only the log store can know: of a newer Bifrost, or misspelled."""
    for number, name in enumerate(export.data.extra_fields):
        if name in export.data.unknown_fields:
            near = nearest_column(name)
            checker.add(
                f"{pointer}/data/extra_fields/{number}",
                f"{name!r} is not a known column of logs: a log store that lacks it fails the run",
                severity="warning",
                allowed=", ".join(LOG_COLUMNS),
                hint=f"{near or ''} Run check, which asks the log store.".strip(),
            )


def _name(value: Any) -> tuple[str | None, bool]:
    if not isinstance(value, str):
        return None, False
    try:
        check_name(value)
    except ConfigError:
        return value, False
    return value, True


def check_parts(checker: Checker, value: dict[str, Any], pointer: str, *, partial: bool = False) -> None:
    """Note what is wrong with the texts of an export, and with what a `type` chooses.

    Args:
        checker: Notes it.
        value: The export in long form.
        pointer: Where it stands.
        partial: As for `Checker.model`.
    """
    checker.texts(Export, _without_parts(value), pointer)
    check_entries(checker, value, pointer, partial=partial)
    for part, model in _PARTS.items():
        if isinstance(each := value.get(part), dict):
            checker.texts(model, {key: inner for key, inner in each.items() if key != "config"}, f"{pointer}/{part}")
            _check_config(checker, part, each, f"{pointer}/{part}", partial=partial)


def _without_parts(value: dict[str, Any]) -> dict[str, Any]:
    """An export without what a `type` chooses."""
    made = {key: each for key, each in value.items() if key not in _PARTS}
    if isinstance(data := made.get("data"), dict):
        made["data"] = {key: each for key, each in data.items() if key != "transformations"}
    return made


def read_source(checker: Checker, value: Any, pointer: str) -> Source | None:
    """A source of the document; None when it has errors.

    Args:
        checker: Notes its problems.
        value: What is written, or what Bifrost's own key means.
        pointer: Where it stands.
    """
    before = len(checker.problems)
    source = checker.model(Source, value, pointer)
    _check_config(checker, "source", value, pointer)
    return None if any(each.severity == "error" for each in checker.problems[before:]) else source


def _check_config(checker: Checker, part: str, value: Any, pointer: str, *, partial: bool = False) -> None:
    """Check `config` of a destination or source against the model that its type names."""
    config = value.get("config") if isinstance(value, dict) else None
    model = config_model(part, value.get("type")) if isinstance(config, dict) else None
    if model is not None:
        checker.texts(model, config, f"{pointer}/config")
        found = checker.model(model, config, f"{pointer}/config", lenient=True, partial=partial)
        for field, error in found.refused() if isinstance(found, Strict) else ():
            if not checker.has_error_at(f"{pointer}/config/{field}"):
                checker.add_error(f"{pointer}/config/{field}", error)
