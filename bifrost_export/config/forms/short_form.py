"""The short form of a document: one export under `export`, with `filters` and `transformations` beside it, or alone."""

from __future__ import annotations

import re
from typing import Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.forms.shorthand import BESIDE
from bifrost_export.schedules.kinds import FREQUENCIES

POINTER = "/export"
KEYS = ("export", "filters", "transformations")
"""Keys of a document in short form."""

ALONE = tuple(key for key, word in BESIDE.items() if word == "schedule")
"""Keys that stand beside a schedule, and may here stand without one: it is daily."""

_KIND = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LOCAL = {"type": "local", "config": {"path": "bifrost_exports"}}
_IN_DATA = ("filters", "transformations")


def own_keys(checker: Checker, whole: dict[str, Any]) -> Any:
    """The one export of a document in short form, as `log_exports.exports` would have it but for words.

    Args:
        checker: Notes problems, and where the parts are written.
        whole: The document.
    """
    if "export" not in whole:
        checker.origins.move(POINTER, "")
    raw = whole.get("export", {})
    if not isinstance(raw, dict):
        return raw
    return {**raw, **_data(checker, whole, raw)}


def _data(checker: Checker, whole: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """`data` of the export, with what stands beside the export in it."""
    data = raw.get("data", {})
    beside = {key: whole[key] for key in _IN_DATA if key in whole}
    if not beside or not isinstance(data, dict):
        return {}
    for key in beside:
        if key in data:
            message = f"the key {key!r} stands beside 'export' and in its 'data'"
            checker.add(f"/{key}", message, of_key=True, hint="Keep one of them.")
        else:
            checker.origins.move(f"{POINTER}/data/{key}", f"/{key}")
    return {"data": {**beside, **data}}


def complete(checker: Checker, value: dict[str, Any]) -> dict[str, Any]:
    """The export with what the short form may leave out, each with a warning; the name needs none.

    Args:
        checker: Notes the warnings.
        value: The export in long form, defaults merged in.
    """
    made = dict(value)
    schedule = made.get("schedule", {})
    if isinstance(schedule, dict) and "frequency" not in schedule:
        made["schedule"] = {"frequency": "daily", **schedule}
        time, zone = schedule.get("time", "00:00"), schedule.get("timezone", "UTC")
        _warn(checker, "schedule", f"it runs daily at {time} {zone}", '"schedule": "daily"')
    if "destination" not in made and not any(each.pointer == f"{POINTER}/config" for each in checker.problems):
        made["destination"] = _LOCAL
        meaning = "it goes to files in bifrost_exports/ beside the document"
        _warn(checker, "destination", meaning, '"destination": "local" and "config": {"path": "bifrost_exports"}')
    name = _name(made)
    if "name" not in made and name is not None:
        made["name"] = name
        checker.origins.move(f"{POINTER}/name", POINTER)
    return made


def _warn(checker: Checker, key: str, meaning: str, words: str) -> None:
    hint = f"Write {words} to say so, or what else is meant."
    checker.add(POINTER, f"no {key} is written: {meaning}", severity="warning", hint=hint)


def _name(value: dict[str, Any]) -> str | None:
    schedule, destination = value.get("schedule"), value.get("destination")
    frequency = schedule.get("frequency") if isinstance(schedule, dict) else None
    kind = destination.get("type") if isinstance(destination, dict) else None
    if isinstance(kind, str) and frequency in FREQUENCIES and _KIND.fullmatch(kind):
        return f"{frequency}_{kind}_export"
    return None
