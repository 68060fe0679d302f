"""Read a document's file: the one way, for the loader and for a task that fetches a literal secret."""

from __future__ import annotations

import codecs
from pathlib import Path

from bifrost_export.config.text.json_text import read_json
from bifrost_export.config.text.positions import SyntaxFaultError, Text
from bifrost_export.config.text.yaml_text import read_yaml

SUFFIXES = (".json", ".yaml", ".yml")
"""How the files of a folder end that are documents."""

LARGEST = 8 * 2**20
"""Bytes of a document; thousands of exports need less, and every DAG file reads it again and again."""

# Longest first: the mark of UTF-32 begins like that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_SAVE = "Save it as UTF-8."


def read_document(path: Path) -> Text:
    """Read a document; a file that doesn't end like YAML is taken for JSON.

    Raises:
        OSError: It can't be read.
        SyntaxFaultError: It is no UTF-8, is too large, or is no JSON or YAML.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise SyntaxFaultError(f"larger than {LARGEST // 2**20} MiB", 1, 1, "Split it: a folder of documents will do.")
    text = _decoded(content)
    try:
        return read_yaml(text) if path.suffix in (".yaml", ".yml") else read_json(text)
    except SyntaxFaultError as fault:
        fault.lines = text.split("\n")
        raise


def _decoded(content: bytes) -> str:
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            raise SyntaxFaultError(f"{name}, not UTF-8", 1, 1, _SAVE)
    if b"\0" in content[:4]:
        raise SyntaxFaultError("UTF-16 or UTF-32, not UTF-8", 1, 1, _SAVE)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig").split("\n")
        fault = SyntaxFaultError("no UTF-8", len(before), len(before[-1]) + 1, _SAVE)
        fault.lines = content.decode("utf-8-sig", "replace").split("\n")
        raise fault from None
