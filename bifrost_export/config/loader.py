"""Load documents: every problem of every file at once, and every good export beside the broken ones."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.document_reading import read_exports
from bifrost_export.config.documents import Document, Loaded, LoadedExport
from bifrost_export.config.text.positions import SyntaxFaultError, Text, unread
from bifrost_export.config.text.reading import SUFFIXES, read_document
from bifrost_export.errors import DocumentError, UnknownExportError
from bifrost_export.problem import Problem

_KEY = re.compile(r"(?:^|[\s{,])[\"']?(?:log_exports|export)[\"']?\s*:")
VARIABLE = "BIFROST_EXPORT_CONFIG"


def named_document(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the document that `BIFROST_EXPORT_CONFIG` names, or None when it isn't set."""
    named = (os.environ if environ is None else environ).get(VARIABLE)
    return Path(named).expanduser() if named else None


def load(path: str | Path) -> Loaded:
    """Load a document, or a folder of them. Bad content never raises: `problems` holds all of it.

    Args:
        path: A JSON or YAML file, or a folder of such files.
    """
    path = Path(path)
    loaded = Loaded()
    try:
        files = _documents(path)
    except (OSError, ValueError) as error:
        _fail(loaded, path, f"{path} can't be read: {error}")
        files = []
    else:
        if not files:
            allowed = f"files that end in {', '.join(SUFFIXES)}"
            _fail(loaded, path, f"the folder {path} holds no document", allowed=allowed)
    for file in files:
        if path.is_dir() and not _is_inside(file, path):
            hint = "Copy the file into the folder, or set the variable to the folder that holds it."
            _fail(
                loaded, file, f"{file.name} is a link that leaves the folder of documents, and is not read", hint=hint
            )
        else:
            _load_guarded(loaded, file)
    _refuse_same_names(loaded)
    _tell_apart(loaded)
    names = frozenset(each.name for each in loaded.exports if each.name is not None)
    for document in loaded.documents:
        document.names = names
    loaded.problems += [problem for each in loaded.exports for problem in each.problems]
    order = {document.path.name: number for number, document in enumerate(loaded.documents)}
    loaded.problems.sort(key=lambda each: (order[str(each.file)], each.line or 0, each.column or 0))
    return loaded


def _documents(path: Path) -> list[Path]:
    """The files to load: a folder may also hold the schema that an editor checks its documents by."""
    if not path.is_dir():
        return [path]
    return sorted(
        each
        for each in path.iterdir()
        if each.suffix in SUFFIXES and not each.name.startswith(".") and not each.name.endswith(".schema.json")
        if each.is_file()
    )


def _is_inside(file: Path, folder: Path) -> bool:
    """Whether a file lies in a folder, whatever links lead to both of them."""
    try:
        return file.resolve(strict=True).is_relative_to(folder.resolve(strict=True))
    except (OSError, RuntimeError):
        return False


def load_export(path: str | Path, name: str) -> LoadedExport:
    """One export of a document, or of a folder of them.

    Raises:
        DocumentError: The export, or the document, is broken; it holds every problem.
        UnknownExportError: There is no export of that name.
    """
    loaded = load(path)
    for each in loaded.exports:
        if each.name == name and each.errors:
            raise DocumentError(each.errors)
        if each.name == name and each.export is not None:
            return each
    unread = [problem for each in loaded.exports if each.index is None for problem in each.errors]
    if unread:
        raise DocumentError(unread)
    names = sorted(each.name for each in loaded.exports if each.name is not None)
    near = get_close_matches(name, names, n=1)
    raise UnknownExportError(
        f"{path} has no export {name!r}",
        allowed=", ".join(names) or "nothing: it has no exports",
        hint=f"Did you mean {near[0]!r}?" if near else None,
    )


def _fail(loaded: Loaded, path: Path, message: str, text: Text | None = None, **told: Any) -> None:
    problem = Problem("error", "", message, file=path.name, **told)
    document = Document(path, text)
    loaded.documents.append(document)
    loaded.exports.append(LoadedExport(document, problems=[problem]))


def _load_guarded(loaded: Loaded, path: Path) -> None:
    """Load a file; an error that nobody expects breaks this file alone."""
    before = len(loaded.documents), len(loaded.exports), len(loaded.problems)
    try:
        _load_file(loaded, path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (the other documents have to stand)
        for each, count in zip((loaded.documents, loaded.exports, loaded.problems), before, strict=True):
            del each[count:]  # type: ignore[attr-defined]
        _fail(loaded, path, f"the document {path.name} can't be read ({type(error).__name__})")


def _load_file(loaded: Loaded, path: Path) -> None:
    try:
        text = read_document(path)
    except FileNotFoundError:
        _fail(loaded, path, f"there is no document {path}", hint=f"Name it, or set {VARIABLE}.")
    except SyntaxFaultError as fault:
        message = f"the document {path.name} is {fault.message}"
        place = {"line": fault.line, "column": fault.column, "hint": fault.hint}
        _fail(loaded, path, message, unread(fault.lines if _looks_like_a_document(fault.lines) else []), **place)
    except (OSError, ValueError) as error:
        _fail(loaded, path, f"the document {path} can't be read: {error}")
    else:
        document = Document(path, text)
        loaded.documents.append(document)
        read_exports(loaded, document, text.value, Checker(text, path.name, document.origins))


def _looks_like_a_document(lines: list[str]) -> bool:
    """Whether a text that can't be read was meant as a document: of other files, no line is ever shown."""
    return any(_KEY.search(line) for line in lines)


def _refuse_same_names(loaded: Loaded) -> None:
    first: dict[str, LoadedExport] = {}
    for each in loaded.exports:
        former = each if each.name is None else first.setdefault(each.name, each)
        if former is each or each.document.text is None:
            continue
        checker = Checker(each.document.text, each.document.path.name, each.document.origins)
        hint = f'Give each export a "name" of its own: {former.document.path.name} has it at {former.pointer}.'
        checker.add(f"{each.pointer}/name", f"the name {each.name!r} is taken", hint=hint)
        each.export, each.has_good_name = None, False
        each.problems += checker.take()


def _tell_apart(loaded: Loaded) -> None:
    """Give each entry a DAG id of its own; a broken one never takes that of a good one."""
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for each in sorted(loaded.exports, key=lambda each: bool(each.errors)):
        first = each.dag_id
        while each.dag_id in taken:
            numbers[first] = numbers.get(first, 1) + 1
            each.tie = f"__{numbers[first]}"
        taken.add(each.dag_id)
