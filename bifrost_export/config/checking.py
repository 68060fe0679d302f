"""Turn what pydantic finds, and what it can't, into problems with a place, a value and a way out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bifrost_export.config.fields import Strict
from bifrost_export.config.positions import Text, pointer_of
from bifrost_export.config.problems import Problem
from bifrost_export.config.references import check_reference, is_literal, references_in
from bifrost_export.config.texts import Place, map_texts
from bifrost_export.errors import BifrostExportError, ConfigError

Model = TypeVar("Model", bound=BaseModel)

LATER = {
    "defaults", "airflow", "extra_fields", "include_content", "metrics_bucket", "max_file_size", "day", "minute",
    "expression", "start_date", "catchup", "missed_windows", "offloaded",
}  # fmt: skip
"""Keys of the published description that this version doesn't know yet."""

_LATER_SCHEDULES = ("weekly", "monthly", "hourly", "cron")


class Checker:
    """Checks the parts of one document and gathers their problems.

    Args:
        text: The document as it was read.
        file: Its name, for messages.
    """

    def __init__(self, text: Text, file: str) -> None:
        self.text = text
        self.file = file
        self.problems: list[Problem] = []

    def add(
        self,
        pointer: str,
        message: str,
        value: Any = None,
        *,
        of_key: bool = False,
        severity: str = "error",
        **more: Any,
    ) -> None:
        """Note a problem at its place."""
        line, column = self.text.place(pointer, of_key)
        self.problems.append(
            Problem(severity, pointer, message, value, line, column, file=self.file, **more)  # type: ignore[arg-type]
        )

    def add_error(self, pointer: str, error: BifrostExportError, value: Any = None, severity: str = "error") -> None:
        """Note what an error of this package says."""
        self.add(pointer, error.message, value, severity=severity, allowed=error.allowed, hint=error.hint)

    def model(self, model: type[Model], value: Any, pointer: str, *, lenient: bool = False) -> Model | None:
        """Check a value against a model.

        Args:
            model: The model.
            value: JSON.
            pointer: Where it stands.
            lenient: Let references stand where no text is wanted; they are checked again when they are filled in.

        Returns:
            The model, or None when there were errors, or nothing but such references.
        """
        try:
            return model.model_validate_json(json.dumps(value))
        except ValidationError as error:
            for each in error.errors(include_url=False):
                self._convert(model, value, pointer, dict(each), lenient)
        return None

    def _convert(self, model: type[BaseModel], value: Any, pointer: str, error: dict[str, Any], lenient: bool) -> None:
        steps = _steps(value, error["loc"])
        at = pointer + pointer_of(*steps)
        found = _found(value, steps)
        if lenient and isinstance(found, str) and any(references_in(found)):
            return
        kind = error["type"]
        if kind == "extra_forbidden":
            self._unknown_key(model, pointer, steps, at)
        elif kind == "missing":
            key, holder = steps[-1], pointer + pointer_of(*steps[:-1])
            self.add(holder, f"the key {key!r} is missing", None, hint=_description(model, steps))
        elif isinstance(error.get("ctx", {}).get("error"), ConfigError):
            self.add_error(at, error["ctx"]["error"], self._shown(at, found))
        elif any(problem.pointer == at for problem in self.problems):
            return  # the branches of a union each say something of one value
        else:
            self._wrong_value(at, steps, found, error["msg"])

    def _unknown_key(self, model: type[BaseModel], pointer: str, steps: list[Any], at: str) -> None:
        key, holder = str(steps[-1]), _model_at(model, steps[:-1])
        known = list(holder.model_fields) if holder else []
        if key in LATER:
            self.add(at, f"the key {key!r} comes with a later version", of_key=True, hint="Leave it out.")
            return
        near = get_close_matches(key, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else None
        self.add(at, f"unknown key {key!r}", of_key=True, allowed=", ".join(known) or None, hint=hint)

    def _wrong_value(self, at: str, steps: list[Any], found: Any, message: str) -> None:
        name = next((step for step in reversed(steps) if isinstance(step, str)), "the value")
        hint = None
        if name == "frequency" and found in _LATER_SCHEDULES:
            hint = f"{str(found).capitalize()} schedules come with a later version."
        elif name in ("schedule", "destination") and isinstance(found, str):
            hint = "The short form comes with a later version: write it as an object."
        allowed = message.removeprefix("Value error, ").removeprefix("Input should be ")
        shown = self._shown(at, found)
        self.add(at, f"{name} is {_brief(shown)}", shown, allowed=allowed, hint=hint)

    def _shown(self, pointer: str, value: Any) -> Any:
        if "/credentials" in pointer or "/account_key" in pointer or "/sas_token" in pointer:
            return "***" if isinstance(value, str) and is_literal(value) else value if isinstance(value, str) else None
        return value if isinstance(value, str | int | float | bool) or value is None else None

    def texts(self, model: type[BaseModel] | None, value: Any, pointer: str) -> None:
        """Check the references in a value, and warn of literal secrets."""

        def look(text: str, place: Place, at: str) -> str:
            for name, _ in references_in(text):
                try:
                    check_reference(name, place, at, None)
                except ConfigError as error:
                    self.add_error(at, error, text)
            if place.secret and is_literal(text):
                self.add(
                    at,
                    "a literal secret stands in the document",
                    "***",
                    severity="warning",
                    hint="Put it into a variable of the workers and write ${NAME}, or use an Airflow connection.",
                )
            return text

        map_texts(value, model, pointer, look)

    def known_keys(self, value: dict[str, Any], known: type[Strict] | tuple[str, ...], pointer: str) -> None:
        """Refuse keys that an object of the document may not have."""
        names = known if isinstance(known, tuple) else tuple(known.model_fields)
        for key in value:
            at = pointer + pointer_of(key)
            if key in names:
                continue
            if key in LATER:
                self.add(at, f"the key {key!r} comes with a later version", of_key=True, hint="Leave it out.")
                continue
            near = get_close_matches(key, names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else None
            self.add(at, f"unknown key {key!r}", of_key=True, allowed=", ".join(names), hint=hint)


def _steps(value: Any, loc: tuple[Any, ...]) -> list[Any]:
    """The steps of a pydantic location that stand in the document: it also names the branches of unions."""
    steps: list[Any] = []
    found = value
    for index, step in enumerate(loc):
        if isinstance(found, dict) and (step in found or index == len(loc) - 1):
            steps.append(step)
            found = found.get(step)
        elif isinstance(found, list) and isinstance(step, int):
            steps.append(step)
            found = found[step] if step < len(found) else None
    return steps


def _found(value: Any, steps: list[Any]) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _model_at(model: type[BaseModel], steps: list[Any]) -> type[BaseModel] | None:
    from bifrost_export.config.texts import fields_of

    found: type[BaseModel] | None = model
    for step in steps:
        if found is None:
            return None
        if isinstance(step, str):
            found = fields_of(found).get(step, (None, None))[1]
    return found


def _description(model: type[BaseModel], steps: list[Any]) -> str | None:
    holder = _model_at(model, steps[:-1])
    info = holder.model_fields.get(str(steps[-1])) if holder else None
    return info.description if info else None


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if value is not None else "not of the right kind"
    return text if len(text) <= 80 else f"{text[:77]}..."


def twice(text: Text) -> Iterator[tuple[str, tuple[int, int]]]:
    """The keys that stand twice, but for those in parts of Bifrost's own config."""
    yield from (each for each in text.twice if each[0].startswith("/log_exports") or each[0].count("/") == 1)
