"""Turn what pydantic finds, and what it can't, into problems with a place, a value and a way out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from bifrost_export.config.hiding import shown
from bifrost_export.config.positions import Text, pointer_of, value_at
from bifrost_export.config.problems import Problem
from bifrost_export.config.references import check_reference, is_broken, is_literal, references_in
from bifrost_export.config.texts import Place, fields_of, map_texts
from bifrost_export.config.wording import brief, of_value, of_wrong_key
from bifrost_export.errors import BifrostExportError, ConfigError

Model = TypeVar("Model", bound=BaseModel)


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
        *,
        of_key: bool = False,
        severity: Literal["error", "warning"] = "error",
        allowed: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note a problem at its place, with the value that stands there, unless that is a secret."""
        line, column = self.text.place(pointer, of_key)
        value = None if of_key else shown(self.text.value, pointer, self.text.at(pointer))
        self.problems.append(Problem(severity, pointer, message, value, line, column, allowed, hint, self.file))

    def add_error(self, pointer: str, error: BifrostExportError) -> None:
        """Note what an error of this package says."""
        self.add(pointer, error.message, allowed=error.allowed, hint=error.hint)

    def take(self) -> list[Problem]:
        """The problems so far; the next ones begin afresh."""
        taken, self.problems = self.problems, []
        return taken

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
        kind, raised = error["type"], error.get("ctx", {}).get("error")
        steps = _steps(value, error["loc"], is_missing=kind == "missing")
        at, found = pointer + pointer_of(*steps), value_at(value, [str(step) for step in steps])
        if lenient and isinstance(found, str) and any(references_in(found)):
            return
        if kind == "too_short" and len(found) >= error["ctx"]["min_length"]:
            return  # pydantic counts the good entries alone, and the bad ones are told by themselves
        if kind == "extra_forbidden":
            holder = _model_at(model, steps[:-1])
            self._wrong_key(at, str(steps[-1]), list(fields_of(holder)) if holder else [])
        elif kind == "missing":
            hint = _description(model, steps)
            self.add(pointer + pointer_of(*steps[:-1]), f"the key {str(steps[-1])!r} is missing", hint=hint)
        elif isinstance(raised, ConfigError):
            self.add_error(at, raised)
        elif kind == "value_error":
            self.add(at, str(raised))
        elif not any(problem.pointer == at for problem in self.problems):  # the branches of a union speak of one value
            self._wrong_value(at, steps, found, error)

    def _wrong_value(self, at: str, steps: list[Any], found: Any, error: dict[str, Any]) -> None:
        name = next((step for step in reversed(steps) if isinstance(step, str)), "the value")
        told = shown(self.text.value, at, found)
        allowed, hint = of_value(name, found, error)
        self.add(at, f"{name} is {brief(told, found)}", allowed=allowed, hint=hint)

    def _wrong_key(self, at: str, key: str, known: list[str]) -> None:
        message, allowed, hint = of_wrong_key(key, known)
        self.add(at, message, of_key=True, allowed=allowed, hint=hint)

    def texts(self, model: type[BaseModel] | None, value: Any, pointer: str) -> None:
        """Check the references in a value, and warn of literal secrets; no variable is read."""

        def look(text: str, place: Place, at: str) -> str:
            for name, _ in references_in(text):
                try:
                    check_reference(name, place, at, None)
                except ConfigError as error:
                    self.add_error(at, error)
            if is_broken(text) and not place.literal:
                self.add(
                    at,
                    "a '${' stands here that begins no reference",
                    allowed="${NAME} or ${NAME:-default}, NAME of letters, digits and _",
                    hint="A text that needs these two characters themselves can come from a variable.",
                )
            if place.secret and is_literal(text):
                self.add(
                    at,
                    "a literal secret stands in the document",
                    severity="warning",
                    hint="Put it into a variable of the workers and write ${NAME}, or use an Airflow connection.",
                )
            return text

        map_texts(value, model, pointer, look)

    def known_keys(self, value: dict[str, Any], known: Iterable[str], pointer: str) -> None:
        """Refuse keys that an object of the document may not have."""
        names = list(known)
        for key in value:
            if key not in names:
                self._wrong_key(pointer + pointer_of(key), key, names)

    def stand_twice(self, below: str, but: str | None = None) -> None:
        """Refuse keys that stand twice in one object.

        Args:
            below: Pointer of the part of the document to look at.
            but: Pointer of a part of that part to leave out.
        """
        for pointer, (line, column) in self.text.twice:
            if _is_below(pointer, below) and not (but is not None and pointer != but and _is_below(pointer, but)):
                message = f"the key {pointer.rpartition('/')[2]!r} stands twice in one object"
                hint = "Keep one of them."
                self.problems.append(
                    Problem("error", pointer, message, line=line, column=column, hint=hint, file=self.file)
                )


def _is_below(pointer: str, holder: str) -> bool:
    return f"{pointer}/".startswith(f"{holder}/")


def _steps(value: Any, loc: tuple[Any, ...], *, is_missing: bool) -> list[Any]:
    """The steps of a pydantic location that stand in the document: it also names the branches of unions."""
    steps: list[Any] = []
    found = value
    for index, step in enumerate(loc):
        if isinstance(found, dict) and (step in found or (is_missing and index == len(loc) - 1)):
            steps.append(step)
            found = found.get(step)
        elif isinstance(found, list) and isinstance(step, int):
            steps.append(step)
            found = found[step] if step < len(found) else None
    return steps


def _model_at(model: type[BaseModel], steps: list[Any]) -> type[BaseModel] | None:
    found: type[BaseModel] | None = model
    for step in steps:
        if found is not None and isinstance(step, str):
            found = fields_of(found).get(step, (None, None))[1]
    return found


def _description(model: type[BaseModel], steps: list[Any]) -> str | None:
    holder = _model_at(model, steps[:-1])
    fields = holder.model_fields.items() if holder else ()
    return next((info.description for name, info in fields if (info.alias or name) == str(steps[-1])), None)
