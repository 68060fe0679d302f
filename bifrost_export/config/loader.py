"""Load documents: every problem of every file at once, and every good export beside the broken ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bifrost_export.config.checking import Checker
from bifrost_export.config.documents import Document, Loaded, LoadedExport
from bifrost_export.config.export_reading import read_export, read_source
from bifrost_export.config.logs_store import read_logs_store
from bifrost_export.config.models import Staging
from bifrost_export.config.positions import SyntaxFaultError, Text
from bifrost_export.config.problems import Problem
from bifrost_export.config.reading import SUFFIXES, read_document
from bifrost_export.errors import DocumentError, UnknownExportError

VARIABLE = "BIFROST_EXPORT_CONFIG"
_TOP = ("enabled", "exports", "source", "staging")


def default_path(environ: Mapping[str, str] | None = None) -> Path:
    """The document that `BIFROST_EXPORT_CONFIG` names, else `include/log_exports.json` beside the DAGs folder."""
    environ = os.environ if environ is None else environ
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE]).expanduser()
    home = Path(environ.get("AIRFLOW_HOME") or "~/airflow").expanduser()
    dags = Path(environ.get("AIRFLOW__CORE__DAGS_FOLDER") or home / "dags").expanduser()
    return dags.parent / "include" / "log_exports.json"


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
            _fail(loaded, path, f"the folder {path} holds no document", f"files that end in {', '.join(SUFFIXES)}")
    for file in files:
        _load_file(loaded, file)
    _refuse_same_names(loaded)
    _tell_apart(loaded)
    loaded.problems += [problem for each in loaded.exports for problem in each.problems]
    order = [document.path.name for document in loaded.documents]
    loaded.problems.sort(key=lambda each: (order.index(str(each.file)), each.line or 0, each.column or 0))
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


def _fail(loaded: Loaded, path: Path, message: str, allowed: str | None = None, **place: Any) -> None:
    problem = Problem("error", "", message, file=path.name, allowed=allowed, **place)
    document = Document(path)
    loaded.documents.append(document)
    loaded.exports.append(LoadedExport(document, problems=[problem]))


def _load_file(loaded: Loaded, path: Path) -> None:
    try:
        text = read_document(path)
    except FileNotFoundError:
        _fail(loaded, path, f"there is no document {path}", hint=f"Name it, or set {VARIABLE}.")
    except SyntaxFaultError as error:
        _fail(loaded, path, f"the document {path.name} is {error.message}", line=error.line, column=error.column)
    except (OSError, ValueError) as error:
        _fail(loaded, path, f"the document {path} can't be read: {error}")
    else:
        _load_text(loaded, Document(path, text), text)


def _load_text(loaded: Loaded, document: Document, text: Text) -> None:
    checker = Checker(text, document.path.name)
    loaded.documents.append(document)
    top = text.value.get("log_exports") if isinstance(text.value, dict) else None
    if not isinstance(top, dict) or not isinstance(top.get("exports"), list):
        _tell_no_exports(checker, text.value, top)
        loaded.exports.append(LoadedExport(document, problems=checker.take()))
        return
    _read_top(checker, document, top, text.value)
    shared = checker.take()
    if top.get("source") is None:
        read_logs_store(checker, document, text.value.get("logs_store"))
    of_store = checker.take()
    exports = [read_export(checker, document, raw, index) for index, raw in enumerate(top["exports"])]
    heirs = [each for each in exports if not (isinstance(each.raw, dict) and each.raw.get("source") is not None)]
    _spread(loaded, exports, shared)
    if heirs:  # Bifrost's own log store is no matter of exports that name another
        _spread(loaded, heirs, of_store)
    loaded.exports += exports


def _tell_no_exports(checker: Checker, whole: Any, top: Any) -> None:
    hint = None
    if isinstance(whole, dict) and top is None and {"export", "filters", "transformations"} & set(whole):
        hint = "The short form comes with a later version."
    pointer = "" if top is None else "/log_exports/exports" if isinstance(top, dict) else "/log_exports"
    allowed = '{"log_exports": {"exports": [...]}}'
    checker.add(pointer, "the document has no list log_exports.exports", allowed=allowed, hint=hint)


def _spread(loaded: Loaded, exports: list[LoadedExport], shared: list[Problem]) -> None:
    """Problems of the document itself break each of its exports, and are told once."""
    loaded.problems += shared
    if any(problem.severity == "error" for problem in shared):
        for each in exports:
            each.export = None
            each.shared = [*each.shared, *shared]


def _read_top(checker: Checker, document: Document, top: dict[str, Any], whole: dict[str, Any]) -> None:
    checker.known_keys(top, _TOP, "/log_exports")
    checker.stand_twice("/log_exports", but="/log_exports/exports")
    enabled = top.get("enabled", True)
    if isinstance(enabled, bool):
        document.enabled = enabled
    else:
        checker.add("/log_exports/enabled", "enabled is no truth value", allowed="true, false")
    if "staging" in top:
        checker.texts(Staging, top["staging"], "/log_exports/staging")
        document.staging = checker.model(Staging, top["staging"], "/log_exports/staging") or document.staging
    if top.get("source") is not None:
        document.source = read_source(checker, top["source"], "/log_exports/source")
    client = whole.get("client")
    days = client.get("log_retention_days") if isinstance(client, dict) else None
    document.log_retention_days = days if isinstance(days, int) and not isinstance(days, bool) else None


def _refuse_same_names(loaded: Loaded) -> None:
    first: dict[str, LoadedExport] = {}
    for each in loaded.exports:
        former = each if each.name is None else first.setdefault(each.name, each)
        if former is each or each.document.text is None:
            continue
        checker = Checker(each.document.text, each.document.path.name)
        hint = f"Give each export a name of its own: {former.document.path.name} has it at {former.pointer}."
        checker.add(f"{each.pointer}/name", f"the name {each.name!r} is taken", hint=hint)
        each.export = None
        each.problems += checker.take()


def _tell_apart(loaded: Loaded) -> None:
    """Give each entry a DAG id of its own; a broken one never takes that of a good one."""
    taken: set[str] = set()
    for each in sorted(loaded.exports, key=lambda each: bool(each.errors)):
        number = 1
        while each.dag_id in taken:
            number += 1
            each.tie = f"__{number}"
        taken.add(each.dag_id)
