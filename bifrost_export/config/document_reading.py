"""Read one document: which exports it has, in which form, and what they share."""

from __future__ import annotations

from typing import Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.checks.messages import in_other_words
from bifrost_export.config.documents import Document, Loaded, LoadedExport
from bifrost_export.config.export_reading import Entry, read_export, read_source
from bifrost_export.config.forms import short_form
from bifrost_export.config.forms.defaults import POINTER as DEFAULTS
from bifrost_export.config.forms.defaults import check_defaults, merged, read_defaults
from bifrost_export.config.forms.logs_store import read_logs_store
from bifrost_export.config.forms.long_form import to_long_form
from bifrost_export.config.forms.shorthand import BESIDE
from bifrost_export.config.models.staging import Staging
from bifrost_export.fields.suggestions import brief, nearest
from bifrost_export.problem import Problem

_TOP = ("enabled", "exports", "source", "staging", "defaults")
_ALLOWED = '{"log_exports": {"exports": [...]}}, or {"export": {...}}'


def read_exports(loaded: Loaded, document: Document, whole: Any, checker: Checker) -> None:
    """Add a document's exports, and all its problems, to what is loaded.

    Args:
        loaded: Gets them.
        document: The document; it gets what its exports share.
        whole: What the document says.
        checker: Has no problems yet.
    """
    top = _settings(checker, whole)
    if top is None:
        loaded.exports.append(LoadedExport(document, problems=checker.take()))
        return
    _read_top(checker, document, top, whole)
    defaults = read_defaults(checker, top)
    entries = _entries(checker, whole, top, defaults)
    shared = checker.take()
    check_defaults(checker, defaults)
    of_defaults = checker.take()
    if document.source is None and top.get("source") is None:
        read_logs_store(checker, document, whole.get("logs_store"))
    of_store = checker.take()
    exports = [read_export(checker, document, entry) for entry in entries]
    _tell_once(of_defaults, exports)
    loaded.problems += of_defaults
    heirs = [each for each in exports if not (isinstance(each.raw, dict) and each.raw.get("source") is not None)]
    _spread(loaded, exports, shared)
    if heirs:  # Bifrost's own log store is no matter of exports that name another
        _spread(loaded, heirs, of_store)
    loaded.exports += exports


def _settings(checker: Checker, whole: Any) -> dict[str, Any] | None:
    """`log_exports`, or None where the document has no export; that is told."""
    if not isinstance(whole, dict):
        what = "the document is empty" if checker.text.is_empty else f"the document is {_kind(whole)}, and no object"
        checker.add("", what, allowed=_ALLOWED, is_shown=False)
        return None
    top, is_short = whole.get("log_exports", {}), any(key in whole for key in short_form.KEYS)
    if not isinstance(top, dict):
        checker.add("/log_exports", f"log_exports is {_told(top)}, and no object", allowed=_ALLOWED)
    elif "exports" in top and not isinstance(top["exports"], list):
        message = f"exports is {_told(top['exports'])}, and no list"
        checker.add("/log_exports/exports", message, allowed="a list of exports")
    elif "exports" in top or is_short:
        return top
    else:
        inside = "log_exports" in whole
        hint = _meant(top, "exports") if inside else _meant(whole, "log_exports")
        message = "the document has no list log_exports.exports"
        checker.add("/log_exports" if inside else "", message, allowed=_ALLOWED, hint=hint, is_shown=inside)
    return None


def _kind(value: Any) -> str:
    """What a file holds that is not a document; it may be a secret of somebody else, and is not quoted."""
    if value == []:
        return "an empty list"
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return kinds.get(type(value), "null")


def _told(value: Any) -> str:
    return brief(None if isinstance(value, dict | list) else value, value)


def _meant(keys: dict[str, Any], wanted: str) -> str | None:
    if wanted == "log_exports" and "exports" in keys:
        return "Put the key 'exports' into an object \"log_exports\"."
    near = next((key for key in list(keys)[:100] if nearest(key, [wanted])), None)
    if near and wanted == "log_exports":
        return "A key is almost 'log_exports': fix its spelling."
    return f"Did you mean {wanted!r} by {near!r}?" if near else None


def _entries(checker: Checker, whole: dict[str, Any], top: dict[str, Any], defaults: dict[str, Any]) -> list[Entry]:
    if "exports" not in top:
        return [_short_entry(checker, whole, defaults)]
    for key in short_form.KEYS:
        if key in whole:
            hint = "It belongs to the short form. Move it into one of log_exports.exports."
            checker.add(f"/{key}", f"the key {key!r} stands beside log_exports.exports", of_key=True, hint=hint)

    def long(raw: dict[str, Any], pointer: str) -> dict[str, Any]:
        own = to_long_form(checker, raw, pointer, alone=_completed(defaults))
        return merged(checker, defaults, own, pointer)

    return [Entry(raw, f"/log_exports/exports/{index}", index, long) for index, raw in enumerate(top["exports"])]


def _short_entry(checker: Checker, whole: dict[str, Any], defaults: dict[str, Any]) -> Entry:
    for key in short_form.KEYS[1:]:
        checker.stand_twice(f"/{key}")

    def long(raw: dict[str, Any], pointer: str) -> dict[str, Any]:
        own = to_long_form(checker, raw, pointer, alone=(*short_form.ALONE, *_completed(defaults)))
        return short_form.complete(checker, merged(checker, defaults, own, pointer))

    return Entry(short_form.own_keys(checker, whole), short_form.POINTER, 0, long, needs_name=False)


def _completed(defaults: dict[str, Any]) -> tuple[str, ...]:
    """Keys that stand beside a word which the defaults have."""
    return tuple(key for key, word in BESIDE.items() if word in defaults)


def _read_top(checker: Checker, document: Document, top: dict[str, Any], whole: dict[str, Any]) -> None:
    checker.known_keys(top, _TOP, "/log_exports")
    checker.stand_twice("/log_exports", but="/log_exports/exports")
    enabled = top.get("enabled", True)
    if isinstance(enabled, bool):
        document.enabled = enabled
    else:
        hint = in_other_words("bool_type", enabled)
        checker.add("/log_exports/enabled", f"enabled is {_told(enabled)}", allowed="true or false", hint=hint)
    if "staging" in top:
        checker.texts(Staging, top["staging"], "/log_exports/staging")
        found = checker.model(Staging, top["staging"], "/log_exports/staging")
        for field, error in found.refused() if found is not None else ():
            checker.add_error(f"/log_exports/staging/{field}", error)
        document.staging = found or document.staging
    if top.get("source") is not None:
        document.source = read_source(checker, top["source"], "/log_exports/source")
    client = whole.get("client")
    days = client.get("log_retention_days") if isinstance(client, dict) else None
    document.log_retention_days = days if isinstance(days, int) and not isinstance(days, bool) else None


def _spread(loaded: Loaded, exports: list[LoadedExport], shared: list[Problem]) -> None:
    """Problems of the document itself break each of its exports, and are told once."""
    loaded.problems += shared
    if any(problem.severity == "error" for problem in shared):
        for each in exports:
            each.export = None
            each.shared = [*each.shared, *shared]


def _tell_once(told: list[Problem], exports: list[LoadedExport]) -> None:
    """What an export has taken over from the defaults is told there, once for all exports."""
    known = {(problem.pointer, problem.message) for problem in told}
    for each in exports:
        inherited = [problem for problem in each.problems if f"{problem.pointer}/".startswith(f"{DEFAULTS}/")]
        if inherited:
            taken = set(map(id, inherited))
            each.problems = [problem for problem in each.problems if id(problem) not in taken]
            each.shared = [*each.shared, *inherited]
        new = [problem for problem in inherited if (problem.pointer, problem.message) not in known]
        known |= {(problem.pointer, problem.message) for problem in new}
        told += new
