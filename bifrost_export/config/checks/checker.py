"""Turn what pydantic finds, and what it can't, into problems with a place, a value and a way out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from bifrost_export.config.checks.messages import name_of, of_missing_key, of_others_key, of_value, of_wrong_key
from bifrost_export.config.checks.validation_error import Fault, rests_on_a_guess
from bifrost_export.config.forms.shorthand import keys_beside
from bifrost_export.config.forms.source_map import Origins
from bifrost_export.config.references.displayable import shown
from bifrost_export.config.references.resolver import check_reference
from bifrost_export.config.text.positions import LEAST_INTEGER, MOST_INTEGER, TOO_BIG, Text
from bifrost_export.errors import BifrostExportError, ConfigError, PrefixError
from bifrost_export.fields.field_walk import Place, fields_of, map_texts
from bifrost_export.fields.pointer import pointer_of, steps_of
from bifrost_export.fields.reference_text import is_broken, is_literal, references_in
from bifrost_export.fields.suggestions import brief, shortened
from bifrost_export.problem import Problem
from bifrost_export.redaction.printable import has_control
from bifrost_export.schedules.kinds import keys_of_frequency, schedule_models

_ODD = {TOO_BIG: f"{LEAST_INTEGER} to {MOST_INTEGER}, or a fraction up to 1.7e308"}
_EXPLAINED = 200
"""Unknown keys of a document for which the key that may be meant is looked up."""
_REMOVE = "Remove the character. Files and variables often end in a newline: use printf, not echo."

Model = TypeVar("Model", bound=BaseModel)


class Checker:
    """Checks the parts of one document and gathers their problems.

    It is given pointers of the long form, and tells those of the document as it is written.

    Args:
        text: The document as it was read.
        file: Its name, for messages.
        origins: Where the parts of the long form are written.
    """

    def __init__(self, text: Text, file: str, origins: Origins | None = None) -> None:
        self.text = text
        self.file = file
        self.origins = origins or Origins()
        self.problems: list[Problem] = []
        self._wrong: set[str] = set()
        self._unknown = 0

    def add(
        self,
        pointer: str,
        message: str,
        *,
        of_key: bool = False,
        severity: Literal["error", "warning"] = "error",
        allowed: str | None = None,
        hint: str | None = None,
        is_shown: bool = True,
    ) -> None:
        """Note a problem at its place, with the value that stands there, unless that is a secret or `is_shown` forbids.

        A file that is shown nothing of is not a document.
        """
        if not is_shown:
            self.text.hide()
        pointer = self.origins.written(pointer)
        line, column = self.text.place(pointer, of_key)
        value = None if of_key or not is_shown else shown(self.text.value, pointer, self.text.at(pointer))
        told = (pointer, shortened(message), shortened(value) if isinstance(value, str) else value)
        self._note(Problem(severity, *told, line, column, allowed, hint, self.file))

    def _note(self, problem: Problem) -> None:
        if problem.severity == "error":
            self._wrong.add(problem.pointer)
        self.problems.append(replace(problem, pointer=shortened(problem.pointer)))

    def add_error(self, pointer: str, error: BifrostExportError) -> None:
        """Note what an error of this package says."""
        self.add(pointer, error.message, allowed=error.allowed, hint=error.hint)

    @property
    def has_errors(self) -> bool:
        """Whether one of the problems so far is an error."""
        return any(each.severity == "error" for each in self.problems)

    def has_error_at(self, pointer: str) -> bool:
        """Whether one of the problems so far is an error at this place."""
        return self.origins.written(pointer) in self._wrong

    def take(self) -> list[Problem]:
        """The problems so far; the next ones begin afresh."""
        taken, self.problems, self._wrong = self.problems, [], set()
        return taken

    def model(
        self, model: type[Model], value: Any, pointer: str, *, lenient: bool = False, partial: bool = False
    ) -> Model | None:
        """Check a value against a model.

        Args:
            model: The model.
            value: JSON.
            pointer: Where it stands.
            lenient: Let references stand where no text is wanted; they are checked again when they are filled in.
            partial: Look at what is there alone: neither at what is missing, nor at how the keys go together.

        Returns:
            The model, or None when there were errors, or nothing but such references.
        """
        try:
            return model.model_validate_json(json.dumps(value))
        except ValidationError as error:
            for each in error.errors(include_url=False):
                fault = Fault(model, value, dict(each))
                if not (_may_be_left(fault, lenient=lenient) or (partial and _is_of_the_whole(fault))):
                    self._tell(fault, pointer)
        return None

    def _tell(self, fault: Fault, pointer: str) -> None:
        at = pointer + pointer_of(*fault.steps)
        if rests_on_a_guess(fault):
            return
        if fault.kind == "extra_forbidden":
            known = list(fields_of(fault.holder)) if fault.holder else []
            self._unknown += 1
            if self._unknown > _EXPLAINED:  # nobody reads on, and to look for what each means takes minutes
                message, allowed, _ = of_wrong_key(str(fault.steps[-1]), known, is_explained=False)
                self.add(at, message, of_key=True, allowed=allowed)
                return
            if self._of_another_frequency(fault, at, known):
                return
            place = fault.better_place()
            self.wrong_key(at, known, f"It belongs into {place!r}." if place else None, beside=keys_beside(known))
        elif fault.kind == "missing":
            missing = str(fault.steps[-1])
            holder = pointer + pointer_of(*fault.steps[:-1])
            self.add(holder, f"the key {missing!r} is missing", hint=of_missing_key(missing, fault.description))
        elif self.has_error_at(at):
            return  # a reference that may not stand there, or another branch of a union
        elif isinstance(fault.raised, ConfigError):
            self.add_error(at, fault.raised)
        elif fault.kind == "value_error":
            self.add(at, str(fault.raised))
        else:
            self._wrong_value(at, fault)

    def _of_another_frequency(self, fault: Fault, at: str, known: list[str]) -> bool:
        """Refuse a key that schedules of other frequencies have."""
        own = next((word for word, model in schedule_models().items() if model is fault.holder), None)
        key = str(fault.steps[-1])
        others = [word for word, keys in keys_of_frequency().items() if key in keys]
        if own is None or not others:
            return False
        hint = f"Leave it out, or choose {' or '.join(others)} as the frequency."
        self.add(at, of_others_key(key, others, own), of_key=True, allowed=", ".join(known), hint=hint)
        return True

    def _wrong_value(self, at: str, fault: Fault) -> None:
        written = self.origins.written(at)
        name = name_of(steps_of(written))
        allowed, hint = of_value(name, fault.found, fault.error)
        told = brief(shown(self.text.value, written, fault.found), fault.found)
        self.add(at, f"{name} is {told}", allowed=allowed, hint=hint)

    def wrong_key(
        self, pointer: str, known: Iterable[str], hint: str | None = None, beside: Sequence[str] = ()
    ) -> None:
        """Refuse a key that its object may not have.

        Args:
            pointer: Where it stands.
            known: The keys that the object may have.
            hint: What to do, when that is better known than the nearest key.
            beside: Keys that may stand there in some cases.
        """
        message, allowed, near = of_wrong_key(steps_of(pointer)[-1], list(known), beside)
        self.add(pointer, message, of_key=True, allowed=allowed, hint=hint or near)

    def known_keys(self, value: dict[str, Any], known: Iterable[str], pointer: str) -> None:
        """Refuse keys that an object of the document may not have."""
        names = list(known)
        for key in value:
            if key not in names:
                self.wrong_key(pointer + pointer_of(key), names)

    def texts(self, model: type[BaseModel] | None, value: Any, pointer: str) -> None:
        """Check the references in a value, and warn of literal secrets; no variable is read."""

        def look(text: str, place: Place, at: str) -> str:
            self._references(text, place, at)
            if place.connection and not place.secret and has_control(text):
                message = f"{name_of(steps_of(self.origins.written(at)))} contains a control character"
                self.add(
                    at,
                    message,
                    allowed="text of one line",
                    hint=_REMOVE,
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

    def _references(self, text: str, place: Place, at: str) -> None:
        if "$" not in text and not text.startswith("env."):
            return
        for name, _ in references_in(text) if not place.unknown else ():
            try:
                check_reference(name, place, self.origins.written(at))
            except ConfigError as error:
                self.add_error(at, error)
        if is_broken(text) and not place.literal:
            self.add(
                at,
                "a '${' stands here that begins no reference",
                allowed="${NAME} or ${NAME:-default}, NAME of letters, digits and _",
                hint="A text that needs these two characters themselves can come from a variable.",
            )

    def stand_twice(self, below: str, but: str | None = None) -> None:
        """Refuse keys that stand twice in one object, and values that can't be taken as they are written.

        Args:
            below: Pointer of the part of the document to look at, as it is written.
            but: Pointer of a part of that part to leave out.
        """
        for pointer, (line, column) in self.text.twice_below(below):
            if not _is_left_out(pointer, but):
                message = f"the key {brief(name := steps_of(pointer)[-1], name)} stands twice in one object"
                told = {"line": line, "column": column, "hint": "Keep one of them.", "file": self.file}
                self._note(Problem("error", pointer, message, **told))  # type: ignore[arg-type]
        for pointer, (line, column), message in self.text.odd_below(below):
            if not _is_left_out(pointer, but):
                told = {"line": line, "column": column, "allowed": _ODD.get(message), "file": self.file}
                self._note(Problem("error", pointer, message, **told))  # type: ignore[arg-type]


def _is_left_out(pointer: str, but: str | None) -> bool:
    return but is not None and pointer != but and _is_below(pointer, but)


def _is_below(pointer: str, holder: str) -> bool:
    return f"{pointer}/".startswith(f"{holder}/")


def _may_be_left(fault: Fault, *, lenient: bool) -> bool:
    """Whether something else speaks of the fault, now or when references are filled in."""
    if fault.kind == "extra_forbidden":
        return False  # no value of a variable makes its key a known one
    if lenient and isinstance(fault.found, str) and any(references_in(fault.found)):
        return not isinstance(fault.raised, PrefixError)
    # pydantic counts the good entries alone, and the bad ones are told by themselves
    return fault.kind == "too_short" and len(fault.found) >= fault.error["ctx"]["min_length"]


def _is_of_the_whole(fault: Fault) -> bool:
    return fault.kind == "missing" or (fault.raised is not None and isinstance(fault.found, dict))
