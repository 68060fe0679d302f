"""CSV: a header, then one line a row, quoted as RFC 4180 says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bifrost_export.formats.columns_as_text import as_text, is_text, joined, lines_of, specials_in
from bifrost_export.formats.text_file import TextFormat

if TYPE_CHECKING:
    import pyarrow as pa

_SPECIAL = r'[",\r\n]'


class CSVFormat(TextFormat):
    """Writes CSV with LF behind each line: a null is an empty field, an empty text is `""`."""

    kind: ClassVar[str] = "csv"
    content_type: ClassVar[str] = "text/csv"
    ending: ClassVar[str] = ".csv"

    def header(self, schema: pa.Schema) -> bytes:
        """The columns' names."""
        import pyarrow as pa

        names = _quoted(pa.array(schema.names, pa.string()))
        return f"{','.join(names.to_pylist())}\n".encode()

    def lines(self, batch: pa.RecordBatch) -> memoryview:
        """One line a row."""
        pieces: list[pa.Array | str] = []
        for field, column in zip(batch.schema, batch.columns, strict=True):
            texts = as_text(field.name, column)
            pieces += [_quoted(texts) if is_text(column.type) else texts, ","]
        return lines_of(joined([*pieces[:-1], "\n"], null=""))


def _quoted(texts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    is_empty = pc.equal(pc.binary_length(texts), 0)
    specials = specials_in(texts, b'",\r\n')
    if specials:
        doubled = pc.replace_substring(texts, '"', '""') if '"' in specials else texts
        texts = pc.if_else(pc.match_substring_regex(texts, _SPECIAL), joined(['"', doubled, '"'], null=None), texts)
    # Without quotation marks an empty text would be a null.
    return pc.if_else(is_empty, '""', texts) if pc.any(is_empty).as_py() else texts
