"""References: `${NAME}`, `${NAME:-default}` and `env.NAME` stay text until a task needs their values."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bifrost_export import trust
from bifrost_export.config.forms.source_map import Origins
from bifrost_export.config.text.positions import SyntaxFaultError
from bifrost_export.config.text.reading import read_document
from bifrost_export.errors import ConfigError, ForbiddenReferenceError, MissingReferenceError
from bifrost_export.fields.field_walk import Place, map_texts
from bifrost_export.fields.pointer import steps_of, value_at
from bifrost_export.fields.reference_text import _ENV, _REFERENCE
from bifrost_export.redaction.encodings import forms_of
from bifrost_export.redaction.printable import has_control

BUILTINS = ("EXPORT_TIMESTAMP", "EXPORT_VERSION", "EXPORT_NAME", "WINDOW_START", "WINDOW_END", "RUN_ID")
"""References that a run fills in by itself."""

DOCUMENT = "$document"
"""Key of `{"$document": pointer}`: a literal secret that stays in the document."""

_WITH_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]*@")


def check_reference(name: str, place: Place, pointer: str, environ: Mapping[str, str] | None = None) -> None:
    """Refuse a reference that may not stand in its place.

    A secret takes any variable but Airflow's own; a place (host, bucket, path) none that looks like a secret either;
    a value, which ends in what is exported, only built-ins and what an administrator allows.

    Args:
        name: The name that is referred to.
        place: What the text is for.
        pointer: Where it stands.
        environ: Holds the administrator's patterns; the process's own variables when not given.

    Raises:
        ForbiddenReferenceError: It may not stand there.
    """
    if place.literal:
        raise ForbiddenReferenceError(
            f"the reference ${{{name}}} stands in {pointer}, where none may", hint="Write the value itself."
        )
    if name in BUILTINS:
        return
    if trust.is_airflows(name):
        raise ForbiddenReferenceError(
            f"the reference ${{{name}}} in {pointer} names a variable of Airflow's own",
            allowed=f"any variable but {trust.airflows()}",
            hint="Use an Airflow connection (conn_id) for what Airflow keeps.",
        )
    if place.connection and not place.secret and trust.is_like_a_secret(name):
        raise ForbiddenReferenceError(
            f"the reference ${{{name}}} in {pointer} has the name of a secret, and the value is shown in addresses and"
            " logs",
            allowed="variables without KEY, SECRET, TOKEN, PASSWORD, PASSWD, CREDENTIAL or PRIVATE in their name",
            hint="Give the value to a variable of another name if it is not a secret.",
        )
    if place.connection or place.secret or trust.may_be_value(name, environ):
        return
    patterns = ", ".join(trust.patterns_of_values(environ))
    raise ForbiddenReferenceError(
        f"the reference ${{{name}}} may not stand in {pointer}",
        allowed=f"there: the built-in {', '.join(BUILTINS)}, and variables that match {patterns or 'nothing'}",
        hint=f"An administrator can allow more by patterns in the variable {trust.REFERENCES}.",
    )


class Resolver:
    """Fills references in, in the task that needs the values.

    Args:
        environ: The variables; the process's own, when not given.
        builtins: Values of the built-in references.
        document: The document that literal secrets are read from, and that relative paths are taken from.
        on_secret: Told every secret value, in each form that a library may write it in.
        with_secrets: Fill in secrets too; without, the text of theirs stays, and a literal one becomes `***`.
        origins: Where the parts of the export are written, for messages.
        bundle: The DAG bundle that the document lies in: relative paths are refused there, since its folder changes.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        builtins: Mapping[str, str] | None = None,
        document: Path | None = None,
        on_secret: Callable[[str], None] | None = None,
        with_secrets: bool = True,
        origins: Origins | None = None,
        bundle: Path | None = None,
    ) -> None:
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        self.builtins = dict(builtins or {})
        self.document = document
        self.on_secret = on_secret
        self.with_secrets = with_secrets
        self.origins = origins or Origins()
        self.bundle = bundle

    def resolve(self, value: Any, model: type[BaseModel] | None, pointer: str) -> Any:
        """A copy of a config with all references filled in.

        Args:
            value: JSON, as `freeze` gives it.
            model: The model whose fields say what each text is for.
            pointer: Where the value stands in its document.

        Raises:
            MissingReferenceError: A reference has no value.
            ForbiddenReferenceError: A reference may not stand where it does.
            ConfigError: A literal secret is not in the document any more.
        """
        return map_texts(self._with_literals(value), model, pointer, self._fill)

    def as_written(self, value: Any) -> Any:
        """A value as the document has it: a literal secret itself, with the references in it."""
        return self._with_literals(value)

    def absolute(self, path: str) -> str:
        """A path, taken from the document's folder when it is relative."""
        folder = self.document.parent if self.document is not None else Path()
        return str((folder / Path(path).expanduser()).absolute()) if path else path

    def _fill(self, text: str, place: Place, pointer: str) -> str:
        if place.secret and not self.with_secrets:
            return text
        pointer = self.origins.written(pointer)
        whole = _ENV.fullmatch(text)
        if whole:
            filled = self._value(text, whole[1], None, place, pointer)
        else:
            filled = _REFERENCE.sub(lambda match: self._value(match[0], match[1], match[2], place, pointer), text)
        if place.connection and not place.secret and has_control(filled):
            raise ConfigError(
                f"{pointer} contains a control character",
                allowed="text of one line",
                hint="Fix the value, or the variable that it refers to.",
            )
        if place.secret and self.on_secret is not None and filled:
            for form in forms_of(filled):
                self.on_secret(form)
        return self._path(filled, pointer) if place.path else filled

    def _path(self, path: str, pointer: str) -> str:
        if self.bundle is not None and path and not Path(path).expanduser().is_absolute():
            raise ConfigError(
                f"{pointer} is the relative path {path!r}, and the document {self.document} lies in the DAG bundle"
                f" {self.bundle}: each version of a bundle is another folder",
                allowed="an absolute path",
                hint="Write an absolute path, or begin it with a reference to one.",
            )
        return self.absolute(path)

    def _value(self, written: str, name: str, default: str | None, place: Place, pointer: str) -> str:
        check_reference(name, place, pointer, self.environ)
        found = self.builtins.get(name) if name in BUILTINS else self.environ.get(name)
        if found is None or (default is not None and not found):
            found = default
        if found is None:
            raise MissingReferenceError(
                f"the reference {written} in {pointer} has no value",
                hint=f"Set the variable {name} where the task runs, or give a default: ${{{name}:-...}}.",
            )
        if not place.secret and found is not default and _WITH_PASSWORD.search(found):
            raise ForbiddenReferenceError(
                f"the reference {written} in {pointer} brings an address with a password in it, and the value is shown"
                " in addresses and logs",
                allowed="a value without user:password@",
            )
        return found

    def _with_literals(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            if set(value) == {DOCUMENT}:
                return self._literal(str(value[DOCUMENT])) if self.with_secrets else "***"
            return {key: self._with_literals(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._with_literals(each) for each in value]
        return value

    def _literal(self, pointer: str) -> str:
        document = _read(self.document) if self.document is not None else None
        steps = steps_of(pointer)
        found = value_at(document, steps)
        # Another export may have taken this one's place, and its secret is not for this run.
        name = value_at(document, [*_export_of(steps), "name"])
        wanted = self.builtins.get("EXPORT_NAME")
        if not isinstance(found, str) or (name is not None and wanted is not None and name != wanted):
            raise ConfigError(
                f"the secret at {pointer} is not in the document {self.document} any more: it was changed in the"
                " middle of the run",
                hint="Clear from plan.",
            )
        return found


def _export_of(steps: list[str]) -> list[str]:
    """The steps to the export that a place lies in; of what exports share, steps to what has no name."""
    return steps[:3] if steps[:2] == ["log_exports", "exports"] else steps[:1]


def _read(document: Path) -> Any:
    try:
        return read_document(document).value
    except (OSError, SyntaxFaultError) as error:
        raise ConfigError(
            f"the document {document}, which holds a secret of this run, can't be read: {error}",
            hint="Mend it, then clear this task.",
        ) from None
