"""Warn of relative paths in a document of a DAG bundle: they would lead to another folder with each version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export.config.checks.checker import Checker
from bifrost_export.config.models.kinds import config_model
from bifrost_export.fields.field_walk import Place, map_texts

if TYPE_CHECKING:
    from bifrost_export.config.documents import Document, Loaded
    from bifrost_export.problem import Problem


def is_relative(path: str) -> bool:
    """Return whether a path is taken from the document's folder; one that begins with a reference may be."""
    return bool(path) and not path.startswith(("$", "env.", "~")) and not Path(path).is_absolute()


def documents_with_relative_paths(loaded: Loaded) -> list[Document]:
    """Return the documents in which a relative path is written."""
    return [each for each in loaded.documents if list(_found(loaded, each))]


def warn_of_relative_paths(loaded: Loaded, document: Document, bundle: Path) -> Iterator[Problem]:
    """Yield a warning for each relative path of a document.

    Args:
        loaded: All that was read.
        document: One of its documents.
        bundle: The folder of the bundle that it lies in.
    """
    if document.text is None:
        return
    checker = Checker(document.text, document.path.name, document.origins)
    for pointer, path in _found(loaded, document).items():
        checker.add(
            pointer,
            f"the path {path!r} is relative, and the document lies in the DAG bundle {bundle}: runs refuse it, since"
            " each version of a bundle is another folder",
            severity="warning",
            allowed="an absolute path",
            hint="Write an absolute path, or begin it with a reference to one.",
        )
    yield from checker.take()


def _found(loaded: Loaded, document: Document) -> dict[str, str]:
    """The relative paths of a document, by their pointers."""
    found: dict[str, str] = {}

    def collect(part: str, kind: str, config: Any, pointer: str) -> None:
        def look(text: str, place: Place, at: str) -> str:
            if place.path and is_relative(text):
                found[at] = text
            return text

        map_texts(config, config_model(part, kind), pointer, look)

    if document.source is not None:
        collect("source", document.source.type, document.source.config, f"{document.source_pointer}/config")
    for each in loaded.exports:
        if each.document is not document or each.export is None:
            continue
        chosen, own = each.export.destination, each.export.source
        collect("destination", chosen.type, chosen.config, f"{each.pointer}/destination/config")
        if own is not None:
            collect("source", own.type, own.config, f"{each.pointer}/source/config")
    return found
