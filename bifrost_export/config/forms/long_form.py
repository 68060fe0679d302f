"""Words in place of objects: `"schedule": "daily"` with its keys beside it becomes the object that it means."""

from __future__ import annotations

from typing import Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.forms.shorthand import WORDS, Word
from bifrost_export.fields.suggestions import brief


def to_long_form(checker: Checker, raw: dict[str, Any], pointer: str, *, alone: tuple[str, ...] = ()) -> dict[str, Any]:
    """An export, or a part of one, without words.

    Args:
        checker: Notes what stands beside an object or nothing, and where the parts of the long form are written.
        raw: As it is written; it isn't changed.
        pointer: Where it stands.
        alone: Keys that stand beside a word, of which some may stand without one.
    """
    made = dict(raw)
    for word in WORDS:
        beside = {key: made.pop(key) for key in word.keys if key in made}
        holder = made.get(word.name)
        if isinstance(holder, dict):
            _refuse(checker, word, beside, pointer, f"{word.name}, which is an object", f"Move it into {word.name!r}.")
        elif isinstance(holder, str):
            checker.origins.move(f"{pointer}/{word.name}/{word.kind}", f"{pointer}/{word.name}")
            made[word.name] = {word.kind: holder, **_moved(checker, word, beside, pointer)}
        elif word.name in made:
            allowed = f'a word such as "{word.example}", or an object'
            told = None if isinstance(holder, list) else holder
            checker.add(f"{pointer}/{word.name}", f"{word.name} is {brief(told, holder)}", allowed=allowed)
        elif beside and set(beside) <= set(alone):
            made[word.name] = _moved(checker, word, beside, pointer)
        else:
            hint = f'Write "{word.name}": "{word.example}" beside it, or an object that holds it.'
            _refuse(checker, word, beside, pointer, f"no {word.name}", hint)
    if isinstance(made.get("data"), dict):
        made["data"] = _with_csv_safe(checker, made["data"], f"{pointer}/data")
    return made


def _with_csv_safe(checker: Checker, data: dict[str, Any], pointer: str) -> dict[str, Any]:
    """`data` with the option of `format: {"type": "csv", "csv_safe": true}` as a key of its own."""
    chosen = data.get("format")
    if not isinstance(chosen, dict) or "csv_safe" not in chosen:
        return data
    option, rest = chosen["csv_safe"], {key: each for key, each in chosen.items() if key != "csv_safe"}
    if "csv_safe" in data and data["csv_safe"] != option:
        checker.add(f"{pointer}/csv_safe", "csv_safe is set twice, to different values", hint="Remove one of the two.")
        return {**data, "format": rest}
    checker.origins.move(f"{pointer}/csv_safe", f"{pointer}/format/csv_safe")
    return {**data, "format": rest, "csv_safe": option}


def _moved(checker: Checker, word: Word, beside: dict[str, Any], pointer: str) -> dict[str, Any]:
    for key in beside:
        checker.origins.move(f"{pointer}/{word.name}/{key}", f"{pointer}/{key}")
    return beside


def _refuse(checker: Checker, word: Word, beside: dict[str, Any], pointer: str, what: str, hint: str) -> None:
    for key in beside:
        checker.add(f"{pointer}/{key}", f"the key {key!r} stands beside {what}", of_key=True, hint=hint)
