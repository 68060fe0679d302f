r"""A format of one's own: the text that PostgreSQL's COPY reads, tabs between values and \N for null."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from bifrost_export.errors import FormatError
from bifrost_export.formats.columns_as_text import as_text, is_text, joined, lines_of, specials_in
from bifrost_export.formats.text_file import TextFormat

if TYPE_CHECKING:
    import pyarrow as pa

_ESCAPES: Final = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


class PgCopyText(TextFormat):
    """Writes lines; what it inherits compresses them, checks required columns and forgets how rows were batched."""

    kind: ClassVar[str] = "pg_copy"
    content_type: ClassVar[str] = "text/plain"
    ending: ClassVar[str] = ".copy"
    compressions: ClassVar[tuple[str, ...]] = ("none", "gzip")
    default_compression: ClassVar[str] = "gzip"

    def lines(self, batch: pa.RecordBatch) -> memoryview:
        """One line a row."""
        pieces: list[pa.Array | str] = []
        for field, column in zip(batch.schema, batch.columns, strict=True):
            texts = as_text(field.name, column)
            pieces += [_escaped(field.name, texts) if is_text(column.type) else texts, "\t"]
        return lines_of(joined([*pieces[:-1], "\n"], null=r"\N"))


def _escaped(name: str, texts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    for character in specials_in(texts, b"\\\t\n\r\0"):  # the backslash first: the others bring new ones
        if character not in _ESCAPES:
            raise FormatError(f"the column {name!r} holds a NUL character, which PostgreSQL refuses in text")
        texts = pc.replace_substring(texts, character, _ESCAPES[character])
    return texts
