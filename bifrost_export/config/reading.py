"""Read a document's file: the one way, for the loader and for a task that fetches a literal secret."""

from __future__ import annotations

from pathlib import Path

from bifrost_export.config.json_text import read_json
from bifrost_export.config.positions import Text
from bifrost_export.config.yaml_text import read_yaml

SUFFIXES = (".json", ".yaml", ".yml")
"""How the files of a folder end that are documents."""


def read_document(path: Path) -> Text:
    """Read a document; a file that doesn't end like YAML is taken for JSON.

    Raises:
        OSError: It can't be read.
        UnicodeDecodeError: It is no UTF-8.
        SyntaxFaultError: It is no JSON, or no YAML.
    """
    content = path.read_text("utf-8-sig")
    return read_yaml(content) if path.suffix in (".yaml", ".yml") else read_json(content)
