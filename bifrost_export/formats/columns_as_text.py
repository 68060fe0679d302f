"""Columns as text, and rows joined from them: a column at a time, in Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

# 0001-01-01 and 10000-01-01, in microseconds: years of four digits, as RFC 3339 has them.
_FIRST_INSTANT = -62_135_596_800_000_000
_AFTER_LAST_INSTANT = 253_402_300_800_000_000


def is_text(type_: pa.DataType) -> bool:
    """Whether values of an Arrow type are text already."""
    import pyarrow as pa

    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def is_number(type_: pa.DataType) -> bool:
    """Whether JSON and CSV write values of an Arrow type without quotes, as they stand."""
    import pyarrow as pa

    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_))


def as_text(name: str, column: pa.Array) -> pa.Array:
    """A column as Arrow strings; a null stays a null.

    Text stays as it is. Instants are RFC 3339 in UTC, `2024-01-15T10:30:00Z`, with a fraction only where there is one;
    dates are `2024-01-15`; doubles the shortest text that reads back exactly, with `.0` behind a whole one;
    truth values `true` and `false`.

    Args:
        name: The column's name, for errors.
        column: Text, instants with a zone, dates, integers, floats or truth values.

    Raises:
        FormatError: Its type is another, it holds a NaN or an infinity, or a year has not four digits.
    """
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz:
        return _instants(name, column)
    if pa.types.is_floating(kind):
        return _floats(name, column)
    if is_text(kind) or is_number(kind) or pa.types.is_date32(kind):
        return column.cast(pa.string())
    raise FormatError(
        f"the column {name!r} is of Arrow's type {kind}, which is neither written as JSON nor as CSV",
        allowed="text, instants with a zone, dates, integers, floats, truth values",
        hint="Turn it into text in a transformation, or write Parquet.",
    )


def _instants(name: str, column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    # Cast with its zone, a column takes thirty times as long; without, it tells UTC, too.
    naive = column.cast(pa.timestamp("ns" if column.type.unit == "ns" else "us"))
    ends = pc.min_max(naive.cast(pa.timestamp("us"), safe=False).cast(pa.int64())).as_py()
    if ends["min"] is not None and not _FIRST_INSTANT <= ends["min"] <= ends["max"] < _AFTER_LAST_INSTANT:
        raise FormatError(f"the column {name!r} holds an instant outside of the years 1 to 9999")
    texts = pc.binary_replace_slice(naive.cast(pa.string()), 10, 11, "T")
    return joined([pc.ascii_rtrim(pc.ascii_rtrim(texts, "0"), "."), "Z"], null=None)


def _floats(name: str, column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.all(pc.is_finite(column), min_count=0).as_py():
        raise FormatError(f"the column {name!r} holds a NaN or an infinity, which JSON can't tell")
    texts = column.cast(pa.string())
    whole = pc.equal(column, pc.floor(column))
    if not pc.any(whole).as_py():
        return texts
    bare = pc.and_(whole, pc.invert(pc.match_substring(texts, "e")))
    return pc.if_else(bare, joined([texts, ".0"], null=None), texts)


def joined(pieces: Sequence[pa.Array | str], null: str | None) -> pa.Array:
    """Join columns and constants row by row.

    Args:
        pieces: Columns of strings, and what stands between them in every row.
        null: What stands for a null; None makes the whole row null.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [pa.scalar(each) if isinstance(each, str) else each for each in pieces]
    handling: dict[str, Any] = {"null_handling": "emit_null"}
    if null is not None:
        handling = {"null_handling": "replace", "null_replacement": null}
    return pc.binary_join_element_wise(*texts, pa.scalar(""), **handling)


def specials_in(column: pa.Array, characters: bytes, below: int = 0) -> list[str]:
    """Which ASCII characters stand anywhere in a column of strings: far cheaper than to look row by row.

    Args:
        column: Strings.
        characters: The characters to look for.
        below: Besides, look for all characters below this one.
    """
    import numpy as np

    text = _bytes(column)
    found = [code for code in characters if (text == code).any()]
    return [chr(code) for code in (*found, *np.bincount(text[text < below]).nonzero()[0])]


def _bytes(column: pa.Array) -> Any:
    """The bytes of a column of strings, one value after another: a numpy array that copies none."""
    import numpy as np

    _, offsets, text = column.buffers()
    if not len(column) or text is None:
        return np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int32)
    return np.frombuffer(text, np.uint8)[ends[column.offset] : ends[column.offset + len(column)]]


def lines_of(rows: pa.Array) -> memoryview:
    """The bytes of rows that end their lines themselves."""
    return memoryview(_bytes(rows))
