"""Load documents: every problem of every file at once, and every good export beside the broken ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bifrost_export.config.checking import Checker, twice
from bifrost_export.config.documents import Document, Loaded, LoadedExport
from bifrost_export.config.fields import Strict
from bifrost_export.config.models import Destination, Export, Source, Staging
from bifrost_export.config.positions import SyntaxFaultError, Text, read_text
from bifrost_export.config.problems import Problem
from bifrost_export.config.sources import NOT_YET, SOURCE_CONFIGS
from bifrost_export.errors import DocumentError, UnknownExportError
from bifrost_export.registry import DESTINATIONS

SUFFIXES = (".json", ".yaml", ".yml")
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
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES and each.is_file())
        if not files:
            _fail(loaded, path, "the folder holds no document", f"files that end in {', '.join(SUFFIXES)}")
    else:
        files = [path]
    for file in files:
        _load_file(loaded, file)
    _refuse_same_names(loaded)
    loaded.problems += [problem for each in loaded.exports for problem in each.problems]
    return loaded


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
        content = path.read_text("utf-8-sig")
        text = read_text(content, is_json=path.suffix not in (".yaml", ".yml"))
    except FileNotFoundError:
        _fail(loaded, path, f"there is no document {path}", hint=f"Name it, or set {VARIABLE}.")
    except (OSError, UnicodeDecodeError) as error:
        _fail(loaded, path, f"the document {path} can't be read: {error}")
    except SyntaxFaultError as error:
        _fail(loaded, path, f"the document {path.name} is {error.message}", line=error.line, column=error.column)
    else:
        _load_text(loaded, Document(path, content.splitlines()), text)


def _load_text(loaded: Loaded, document: Document, text: Text) -> None:
    checker = Checker(text, document.path.name)
    top = text.value.get("log_exports") if isinstance(text.value, dict) else None
    if not isinstance(top, dict) or not isinstance(top.get("exports"), list):
        where = "/log_exports" if isinstance(top, dict) else ""
        hint = None
        if isinstance(text.value, dict) and "export" in text.value:
            hint = "The short form comes with a later version."
        checker.add(
            where, "the document has no log_exports.exports", allowed='{"log_exports": {"exports": [...]}}', hint=hint
        )
        loaded.documents.append(document)
        loaded.exports.append(LoadedExport(document, problems=checker.problems))
        return
    _read_top(checker, document, top, text.value)
    shared, checker.problems = checker.problems, []
    exports = [_read_export(checker, document, raw, index) for index, raw in enumerate(top["exports"])]
    _spread(loaded, exports, shared)
    loaded.documents.append(document)
    loaded.exports += exports


def _spread(loaded: Loaded, exports: list[LoadedExport], shared: list[Problem]) -> None:
    """Problems of the document itself break each of its exports, and are told once."""
    loaded.problems += shared
    if any(problem.severity == "error" for problem in shared):
        for each in exports:
            each.export = None
            each.shared = shared


def _read_top(checker: Checker, document: Document, top: dict[str, Any], whole: dict[str, Any]) -> None:
    checker.known_keys(top, _TOP, "/log_exports")
    for pointer, (line, column) in twice(checker.text):
        if not pointer.startswith("/log_exports/exports/"):
            _stands_twice(checker, pointer, line, column)
    enabled = top.get("enabled", True)
    if isinstance(enabled, bool):
        document.enabled = enabled
    else:
        checker.add("/log_exports/enabled", "enabled is no truth value", enabled, allowed="true, false")
    if "staging" in top:
        checker.texts(Staging, top["staging"], "/log_exports/staging")
        document.staging = checker.model(Staging, top["staging"], "/log_exports/staging") or document.staging
    if top.get("source") is not None:
        document.source = _read_source(checker, top["source"], "/log_exports/source")
    elif isinstance(whole.get("logs_store"), dict):
        _read_logs_store(checker, document, whole["logs_store"])
    client = whole.get("client")
    days = client.get("log_retention_days") if isinstance(client, dict) else None
    document.log_retention_days = days if isinstance(days, int) and not isinstance(days, bool) else None


def _stands_twice(checker: Checker, pointer: str, line: int, column: int) -> None:
    key = pointer.rpartition("/")[2]
    checker.problems.append(
        Problem(
            "error",
            pointer,
            f"the key {key!r} stands twice in one object",
            None,
            line,
            column,
            hint="Keep one of them.",
            file=checker.file,
        )
    )


def _read_source(checker: Checker, value: Any, pointer: str) -> Source | None:
    source = checker.model(Source, value, pointer)
    if source is None:
        return None
    model = SOURCE_CONFIGS[source.type]
    before = len(checker.problems)
    checker.texts(model, source.config, f"{pointer}/config")
    checker.model(model, source.config, f"{pointer}/config", lenient=True)
    return source if not any(each.severity == "error" for each in checker.problems[before:]) else None


def _read_logs_store(checker: Checker, document: Document, store: dict[str, Any]) -> None:
    """Bifrost's own key, which has more keys than a source of ours."""
    kind, config = store.get("type"), store.get("config")
    if store.get("enabled") is False:
        return
    document.source_pointer = "/logs_store"
    if kind not in SOURCE_CONFIGS:
        told = NOT_YET.get(str(kind), f"there is no log store {kind!r}")
        checker.add(
            "/logs_store/type", told, kind if isinstance(kind, str) else None, allowed=", ".join(SOURCE_CONFIGS)
        )
        return
    path = config.get("path") if isinstance(config, dict) else None
    # Bifrost's own default, in its app folder.
    wanted = {"type": kind, "config": {"path": path if isinstance(path, str) and path else "./logs.db"}}
    document.source = _read_source(checker, wanted, "/logs_store")


def _read_export(checker: Checker, document: Document, raw: Any, index: int) -> LoadedExport:
    pointer = f"/log_exports/exports/{index}"
    found = LoadedExport(document, pointer, index, raw=raw)
    if isinstance(raw, dict) and isinstance(raw.get("name"), str):
        found.name = raw["name"]
    for each, (line, column) in twice(checker.text):
        if f"{each}/".startswith(f"{pointer}/"):
            _stands_twice(checker, each, line, column)
    export = checker.model(Export, raw, pointer)
    if isinstance(raw, dict):
        checker.texts(
            Export, {key: value for key, value in raw.items() if key not in ("destination", "source")}, pointer
        )
        _check_config(checker, Destination, raw.get("destination"), f"{pointer}/destination")
        _check_config(checker, Source, raw.get("source"), f"{pointer}/source")
    found.problems, checker.problems = checker.problems, []
    found.export = None if found.errors else export
    return found


def _check_config(checker: Checker, kind: type[Strict], value: Any, pointer: str) -> None:
    """Check `config` of a destination or source against the model that its type names."""
    if not isinstance(value, dict) or not isinstance(value.get("config"), dict):
        return
    known = value.get("type")
    if kind is Destination and known in DESTINATIONS.names():
        model = DESTINATIONS.load(known).Config
    elif kind is Source and known in SOURCE_CONFIGS:
        model = SOURCE_CONFIGS[known]
    else:
        return
    checker.texts(model, value["config"], f"{pointer}/config")
    checker.model(model, value["config"], f"{pointer}/config", lenient=True)


def _refuse_same_names(loaded: Loaded) -> None:
    first: dict[str, LoadedExport] = {}
    for each in loaded.exports:
        if each.name is None:
            continue
        former = first.setdefault(each.name, each)
        if former is not each:
            each.export = None
            each.problems.append(
                Problem(
                    "error",
                    f"{each.pointer}/name",
                    f"the name {each.name!r} is taken",
                    each.name,
                    file=each.document.path.name,
                    hint=f"Give each export a name of its own: {former.document.path.name} has it at {former.pointer}.",
                )
            )
