"""CSV: a header, then one line a row, quoted as RFC 4180 says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bifrost_export.formats.columns_as_text import as_text, is_text, joined, lines_of, specials_in
from bifrost_export.formats.text_file import TextFormat

if TYPE_CHECKING:
    import pyarrow as pa

_SPECIAL = r'[",\r\n]'
_BEFORE = r"\s\x00-\x20\x{7f}\x{85}\x{a0}\x{200b}-\x{200f}\x{2028}\x{2029}\x{202f}\x{2060}\x{3000}\x{feff}'\"`"
"""Blanks, control characters and quotation marks, which a spreadsheet may drop before it looks at a cell."""
_FORMULA = rf"^[{_BEFORE}]*[=+\-@\t\r\n\x{{ff1d}}\x{{ff0b}}\x{{ff0d}}\x{{ff20}}]"
"""How a text begins that a spreadsheet may take for a formula, as OWASP lists it: `=`, `+`, `-`, `@`, a tab, a line's
end, and the full-width forms of the four signs."""


class CSVFormat(TextFormat):
    """Writes CSV with LF behind each line: a null is an empty field, an empty text is `""`.

    Args:
        is_safe: Write an apostrophe before each text that a spreadsheet would take for a formula. A reader can remove
            it again where the rest begins like one.
    """

    kind: ClassVar[str] = "csv"
    content_type: ClassVar[str] = "text/csv"
    ending: ClassVar[str] = ".csv"

    def __init__(self, *, is_safe: bool = False) -> None:
        self.is_safe = is_safe

    def header(self, schema: pa.Schema) -> bytes:
        """The columns' names."""
        import pyarrow as pa

        names = _quoted(self._guarded(pa.array(schema.names, pa.string())))
        return f"{','.join(names.to_pylist())}\n".encode()

    def lines(self, batch: pa.RecordBatch) -> memoryview:
        """One line a row."""
        pieces: list[pa.Array | str] = []
        for field, column in zip(batch.schema, batch.columns, strict=True):
            texts = as_text(field.name, column)
            pieces += [_quoted(self._guarded(texts)) if is_text(column.type) else texts, ","]
        return lines_of(joined([*pieces[:-1], "\n"], null=""))

    def _guarded(self, texts: pa.Array) -> pa.Array:
        import pyarrow.compute as pc

        if not self.is_safe:
            return texts
        formulas = pc.match_substring_regex(texts, _FORMULA)
        return pc.if_else(formulas, joined(["'", texts], null=None), texts) if pc.any(formulas).as_py() else texts


def _quoted(texts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    is_empty = pc.equal(pc.binary_length(texts), 0)
    specials = specials_in(texts, b'",\r\n')
    if specials:
        doubled = pc.replace_substring(texts, '"', '""') if '"' in specials else texts
        texts = pc.if_else(pc.match_substring_regex(texts, _SPECIAL), joined(['"', doubled, '"'], null=None), texts)
    # Without quotation marks an empty text would be a null.
    return pc.if_else(is_empty, '""', texts) if pc.any(is_empty).as_py() else texts
