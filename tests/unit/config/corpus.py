"""The documents of `tests/data`: good ones, and broken ones each with what is to be said of it.

`python -m tests.unit.config.corpus` writes what is said now into the expected files, to be read before it is committed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bifrost_export.config.loader import load
from bifrost_export.config.text.positions import SyntaxFaultError
from bifrost_export.config.text.reading import read_document

DATA = Path(__file__).parents[2] / "data"
_KEYS = ("severity", "pointer", "line", "column", "message", "hint")
"""What is compared: not what is allowed, which grows with the package, nor the value, which stands in the document."""


def _documents(folder: str) -> list[Path]:
    return sorted(path for path in (DATA / folder).iterdir() if not path.name.endswith(".expected.json"))


VALID = _documents("valid")
INVALID = _documents("invalid")


def expected_file(path: Path) -> Path:
    """Where it stands what is to be said of a broken document, or of a folder of documents."""
    return path.with_name(f"{path.name}.expected.json")


def told(path: Path) -> list[dict[str, Any]]:
    """What is said of a document, or of a folder of documents."""
    return [{key: getattr(problem, key) for key in _KEYS} for problem in load(path).problems]


def content(path: Path) -> Any:
    """What a document says as JSON.

    Raises:
        SyntaxFaultError: It is no JSON, or no YAML.
    """
    return read_document(path).value


def parses(path: Path) -> bool:
    """Whether a path is one document that is JSON or YAML."""
    try:
        content(path)
    except (SyntaxFaultError, IsADirectoryError):
        return False
    return True


if __name__ == "__main__":
    for each in INVALID:
        expected_file(each).write_text(json.dumps(told(each), indent=1, ensure_ascii=False) + "\n", "utf-8")
