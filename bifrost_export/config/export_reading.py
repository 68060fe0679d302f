"""Read one entry of `exports`, or a source: every problem of it, and what is good."""

from __future__ import annotations

from typing import Any

from bifrost_export.config.checking import Checker
from bifrost_export.config.documents import Document, LoadedExport
from bifrost_export.config.kinds import config_model
from bifrost_export.config.models import Export, Source


def read_export(checker: Checker, document: Document, raw: Any, index: int) -> LoadedExport:
    """One entry of `exports`.

    Args:
        checker: Has no problems yet; it has none afterwards.
        document: The entry's document.
        raw: The entry.
        index: Its number, from 0.
    """
    pointer = f"/log_exports/exports/{index}"
    found = LoadedExport(document, pointer, index, raw=raw)
    checker.stand_twice(pointer)
    export = checker.model(Export, raw, pointer)
    if isinstance(raw, dict):
        found.name = raw["name"] if isinstance(raw.get("name"), str) else None
        own = {key: value for key, value in raw.items() if key not in ("destination", "source")}
        checker.texts(Export, own, pointer)
        for part in ("destination", "source"):
            _check_config(checker, part, raw.get(part), f"{pointer}/{part}")
    found.problems = checker.take()
    found.export = None if found.errors else export
    return found


def read_source(checker: Checker, value: Any, pointer: str) -> Source | None:
    """A source of the document; None when it has errors.

    Args:
        checker: Notes its problems.
        value: What is written, or what Bifrost's own key means.
        pointer: Where it stands.
    """
    before = len(checker.problems)
    source = checker.model(Source, value, pointer)
    _check_config(checker, "source", value, pointer)
    return None if any(each.severity == "error" for each in checker.problems[before:]) else source


def _check_config(checker: Checker, part: str, value: Any, pointer: str) -> None:
    """Check `config` of a destination or source against the model that its type names."""
    config = value.get("config") if isinstance(value, dict) else None
    model = config_model(part, value.get("type")) if isinstance(config, dict) else None
    if model is not None:
        checker.texts(model, config, f"{pointer}/config")
        checker.model(model, config, f"{pointer}/config", lenient=True)
