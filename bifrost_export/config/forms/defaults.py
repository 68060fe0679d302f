"""`log_exports.defaults`: what all exports of a document share, merged under each of them.

Objects are merged key by key, and lists are replaced. What belongs to a kind is taken over by exports of that kind
alone: the `config` of a destination or source by those of the same `type`, `compression` by those of the same `format`.
Of a schedule an export takes over what its own frequency knows; from another frequency no day, minute or expression.
"""

from __future__ import annotations

from typing import Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.export_reading import check_parts
from bifrost_export.config.forms.long_form import to_long_form
from bifrost_export.config.forms.shorthand import BESIDE
from bifrost_export.config.models.export import Export
from bifrost_export.fields.pointer import pointer_of
from bifrost_export.fields.suggestions import brief
from bifrost_export.schedules.kinds import keys_of_frequency

POINTER = "/log_exports/defaults"

_KINDS = {
    "destination": ("type", ("config",)),
    "source": ("type", ("config",)),
    "data": ("format", ("compression", "csv_safe")),
}
"""Object -> the key that says its kind, and the keys that belong to a kind."""

_OF_ONE_FREQUENCY = ("frequency", "day", "minute", "expression")
_PRETENDED = {"schedule": {"frequency": "daily"}, "destination": {"type": "local"}}


def read_defaults(checker: Checker, top: dict[str, Any]) -> dict[str, Any]:
    """The defaults in long form; what is wrong with them as a whole is noted.

    Args:
        checker: Notes problems, and where the parts are written.
        top: `log_exports`.
    """
    raw = top.get("defaults", {})
    if not isinstance(raw, dict):
        told = brief(None if isinstance(raw, list) else raw, raw)
        checker.add(POINTER, f"defaults is {told}", allowed="an object with keys of an export")
        return {}
    if "name" in raw:
        hint = "Give each export a name of its own."
        checker.add(f"{POINTER}/name", "a name can't be shared by all exports", of_key=True, hint=hint)
    own = {key: value for key, value in raw.items() if key != "name"}
    return to_long_form(checker, own, POINTER, alone=tuple(BESIDE))


def check_defaults(checker: Checker, defaults: dict[str, Any]) -> None:
    """Note what is wrong in the defaults themselves, whoever takes it over; what is missing is no matter here."""
    if not defaults:
        return
    value = dict(defaults)
    for part in ("schedule", "destination"):
        own = value.get(part, {})
        if isinstance(own, dict):
            value[part] = {**_PRETENDED[part], **own}
    if isinstance(value["schedule"], dict) and "frequency" not in defaults.get("schedule", {}):
        value["schedule"]["frequency"] = _frequency_for(value["schedule"])
    check_parts(checker, value, POINTER, partial=True)
    checker.model(Export, {"name": "pretended", **value}, POINTER, partial=True)


def _frequency_for(schedule: dict[str, Any]) -> str:
    """The frequency that knows most of these keys; a day that is no weekday is one of a month."""
    known = keys_of_frequency()
    if isinstance(day := schedule.get("day"), int) or day == "last":
        return "monthly"
    return max(known, key=lambda frequency: len(known[frequency] & set(schedule)))


def merged(checker: Checker, defaults: dict[str, Any], own: dict[str, Any], pointer: str) -> dict[str, Any]:
    """An export with the defaults under it.

    Args:
        checker: Notes where the parts are written.
        defaults: In long form.
        own: The export, in long form.
        pointer: Where it stands.
    """
    fitting = {key: _fitting(key, value, own.get(key)) for key, value in defaults.items()}
    return _merged(checker, fitting, own, POINTER, pointer)


def _merged(checker: Checker, under: dict[str, Any], own: dict[str, Any], below: str, pointer: str) -> dict[str, Any]:
    made = dict(own)
    for key, value in under.items():
        step = pointer_of(key)
        if key not in own:
            made[key] = value
            checker.origins.move(pointer + step, below + step)
        elif isinstance(value, dict) and isinstance(own[key], dict):
            made[key] = _merged(checker, value, own[key], below + step, pointer + step)
    return made


def _fitting(part: str, value: Any, own: Any) -> Any:
    """What of a default is taken over by an export."""
    if not isinstance(value, dict) or not isinstance(own, dict):
        return value
    if part == "schedule":
        return _fitting_schedule(value, own)
    kind, belonging = _KINDS.get(part, (None, ()))
    is_other = kind in own and kind in value and _word(own[kind]) != _word(value[kind])
    return {key: each for key, each in value.items() if not (is_other and key in belonging)}


def _word(kind: Any) -> Any:
    """A format may be an object with a type."""
    return kind.get("type") if isinstance(kind, dict) else kind


def _fitting_schedule(value: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    frequency = own.get("frequency", value.get("frequency"))
    known = keys_of_frequency().get(str(frequency))
    is_other = value.get("frequency", frequency) != frequency
    return {
        key: each
        for key, each in value.items()
        if (known is None or key in known) and not (is_other and key in _OF_ONE_FREQUENCY)
    }
