"""Text that is not UTF-8, repaired: each bad byte becomes U+FFFD, and nothing else changes (contract, section 4)."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_OTHER_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"


def _each_byte(mark: str) -> str:
    """Register a decoding error handler that writes a mark for each bad byte, and return its name.

    Python's own `replace` writes one mark for a cut sequence of several bytes.
    """
    name = f"bifrost-export-{ord(mark):x}"

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        return mark * (error.end - error.start), error.end

    codecs.register_error(name, handle)
    return name


_REPAIR, _MARK = _each_byte(REPLACEMENT), _each_byte(_OTHER_MARK)


def repaired(value: bytes) -> str:
    """Return bytes as text, each bad byte as U+FFFD."""
    return value.decode("utf-8", _REPAIR)


@dataclass(frozen=True)
class Text:
    """A text column of a log store, made fit for Arrow.

    Args:
        values: Valid UTF-8.
        broken: True where the text had to be repaired, or None when none had.
        marked: Row -> the same text with another mark in place of U+FFFD: what is read out of both and differs holds a
            bad byte.
    """

    values: pa.Array
    broken: pa.Array | None = None
    marked: Mapping[int, str] = field(default_factory=dict)


def whole_text(column: pa.Array, required: bool = False) -> Text:
    """Return a text column as valid UTF-8, with `''` in place of null where the column is required."""
    try:
        column.validate(full=True)
        text = Text(column)
    except pa.ArrowInvalid:
        text = _repaired(column)
    if required and text.values.null_count:
        return Text(pc.fill_null(text.values, ""), text.broken, text.marked)
    return text


def _repaired(column: pa.Array) -> Text:
    values: list[str | None] = []
    marked: dict[int, str] = {}
    for row, value in enumerate(column.view(pa.binary()).to_pylist()):
        try:
            values.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            values.append(repaired(value))
            marked[row] = value.decode("utf-8", _MARK)
    broken = pa.array([row in marked for row in range(len(values))], pa.bool_())
    return Text(pa.array(values, pa.string()), broken, marked)
