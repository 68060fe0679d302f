"""Documents to test with: one good export, and how to change it."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from bifrost_export.config.documents import Loaded
from bifrost_export.config.loader import load
from bifrost_export.problem import Problem

EXPORT: dict[str, Any] = {
    "name": "nightly",
    "schedule": {"frequency": "daily", "time": "02:00"},
    "destination": {"type": "s3", "config": {"bucket": "logs"}},
}
"""The smallest good export."""

POINTER = "/log_exports/exports/0"


def export(**changes: Any) -> dict[str, Any]:
    """The good export with some keys changed."""
    return {**deepcopy(EXPORT), **changes}


def document(*exports: Any, **top: Any) -> dict[str, Any]:
    """A document of these exports, or of the good one, with more keys of Bifrost's own config."""
    return {"log_exports": {"exports": list(exports) or [export()]}, **top}


def to_s3(**config: Any) -> dict[str, Any]:
    """The good export with these keys in its destination's config."""
    return export(destination={"type": "s3", "config": {"bucket": "logs", **config}})


def write(path: Path, content: Any) -> Path:
    """Write a document: a text as it is, anything else as JSON of several lines."""
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), "utf-8")
    return path


def loaded(folder: Path, content: Any, name: str = "log_exports.json") -> Loaded:
    """Load a document that is written to a folder."""
    return load(write(folder / name, content))


def problem_at(found: Loaded, pointer: str) -> Problem:
    """The one problem at a place."""
    (problem,) = [each for each in found.problems if each.pointer == pointer]
    return problem
