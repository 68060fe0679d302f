"""JSON: one object a line, keys in column order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from bifrost_export.formats.columns_as_text import as_text, is_number, is_text, joined, lines_of, specials_in
from bifrost_export.formats.text_file import TextFormat

if TYPE_CHECKING:
    import pyarrow as pa


class JSONFormat(TextFormat):
    """Writes JSON lines without spaces: text as UTF-8, nulls as `null`, instants and dates as text."""

    kind: ClassVar[str] = "json"
    content_type: ClassVar[str] = "application/x-ndjson"
    ending: ClassVar[str] = ".jsonl"

    def lines(self, batch: pa.RecordBatch) -> memoryview:
        """One object a row."""
        pieces: list[pa.Array | str] = []
        before = "{"
        for field, column in zip(batch.schema, batch.columns, strict=True):
            values, quote = _values(field.name, column)
            pieces += [f"{before}{json.dumps(field.name, ensure_ascii=False)}:{quote}", values]
            before = f"{quote},"
        pieces.append(f"{before[:-1]}}}\n")
        return lines_of(joined(pieces, null="null"))


def _values(name: str, column: pa.Array) -> tuple[pa.Array, str]:
    """A column's values in JSON, and the quotation mark that is still to stand on both sides of each."""
    texts = as_text(name, column)
    if is_number(column.type):
        return texts, ""
    if is_text(column.type):
        texts = _escaped(texts)
    return (joined(['"', texts, '"'], null=None), "") if texts.null_count else (texts, '"')


def _escaped(texts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    for character in specials_in(texts, b'\\"', below=0x20):  # the backslash first: the others bring new ones
        texts = pc.replace_substring(texts, character, json.dumps(character)[1:-1])
    return texts
