"""What is read from files: documents and their exports, good and broken."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export.config.forms.source_map import Origins
from bifrost_export.config.models.export import Export, Source
from bifrost_export.config.models.staging import Staging
from bifrost_export.errors import DocumentError

if TYPE_CHECKING:
    from bifrost_export.config.text.positions import Text
    from bifrost_export.problem import Problem

DAG_ID_PREFIX = "bifrost_export__"
"""Of the DAGs of exports."""


@dataclass
class Document:
    """One file.

    Args:
        path: Where it stands.
        text: What was read, to show the line that a problem is about; None when it can't be read.
        enabled: `log_exports.enabled`.
        staging: `log_exports.staging`.
        source: `log_exports.source`, else `logs_store` in this package's words.
        source_pointer: Where it stands.
        log_retention_days: `client.log_retention_days` of Bifrost's own config, or None.
        origins: Where the parts of its exports are written.
        names: Names of all exports that were read together with it, broken ones included.
    """

    path: Path
    text: Text | None = None
    enabled: bool = True
    staging: Staging = field(default_factory=Staging)
    source: Source | None = None
    source_pointer: str = "/log_exports/source"
    log_retention_days: int | None = None
    origins: Origins = field(default_factory=Origins)
    names: frozenset[str] = frozenset()


@dataclass
class LoadedExport:
    """One entry of `exports`; or a document of which not even that can be read.

    Args:
        document: Its document.
        pointer: Where it stands: `/log_exports/exports/0`, or `/export`.
        index: Its number, or None for the document itself.
        name: Its name as written, or as the short form makes it, when that is text.
        export: The export, or None when it is broken.
        problems: Its problems, and for a broken document all of them.
        raw: As it is written, in long form and with the defaults merged in where it is an object.
        shared: Errors of its document that break it too; they are told once, with the document.
        tie: Ends its DAG id where another export has that id already.
        has_good_name: Whether its name is one, and its own.
    """

    document: Document
    pointer: str = ""
    index: int | None = None
    name: str | None = None
    export: Export | None = None
    problems: list[Problem] = field(default_factory=list)
    raw: Any = None
    shared: list[Problem] = field(default_factory=list)
    tie: str = ""
    has_good_name: bool = False

    @property
    def errors(self) -> list[Problem]:
        """The problems that break it."""
        return [problem for problem in (*self.shared, *self.problems) if problem.severity == "error"]

    @property
    def good(self) -> Export:
        """The export.

        Raises:
            DocumentError: It is broken.
        """
        if self.export is None:
            raise DocumentError(self.errors)
        return self.export

    @property
    def enabled(self) -> bool:
        """Whether it becomes a DAG."""
        own = self.raw.get("enabled", True) if isinstance(self.raw, dict) else True
        return self.document.enabled and own is not False

    @property
    def dag_id(self) -> str:
        """`bifrost_export__<name>`; `bifrost_export__<file>__<index>` when the name is what is broken."""
        if self.has_good_name:
            return f"{DAG_ID_PREFIX}{self.name}"
        stem = "".join(
            each if each.isascii() and (each.isalnum() or each in "-_.") else "_" for each in self.document.path.stem
        )
        number = "" if self.index is None else f"__{self.index}"
        return f"{DAG_ID_PREFIX}{stem[:100]}{number}{self.tie}"


@dataclass
class Loaded:
    """All that was read.

    Args:
        documents: The files.
        exports: Their exports, and one entry for each document that can't be read.
        problems: All problems, also those of no export.
    """

    documents: list[Document] = field(default_factory=list)
    exports: list[LoadedExport] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems that are errors."""
        return [problem for problem in self.problems if problem.severity == "error"]
