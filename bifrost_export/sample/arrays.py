"""Arrow columns made from numbers, without a loop over rows: texts by index, UUIDs, decimals, joined texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bifrost_export.sample.curves import Array

_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint8).reshape(256, 2)
_MIXER = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def texts(values: Sequence[str | None], index: Array) -> pa.Array:
    """The text of each index; null for -1, and where the text is None."""
    return pa.array(values, pa.string()).take(pa.array(index, pa.int64(), mask=index < 0))


def numbers(values: Array) -> pa.Array:
    """Whole numbers, 64 bits."""
    return pa.array(values, pa.int64())


def flags(values: Array) -> pa.Array:
    """Booleans."""
    return pa.array(values, pa.bool_())


def instants(nanoseconds: Array) -> pa.Array:
    """Nanoseconds since 1970 as times, UTC."""
    return pa.array(nanoseconds, pa.int64()).view(pa.timestamp("ns", "UTC"))


def decimals(units: Array, scale: int, null: Array | None = None) -> pa.Array:
    """Exact decimals: `units / 10**scale`, null where `null` says so."""
    words = np.empty((len(units), 2), np.int64)
    words[:, 0], words[:, 1] = units, units >> 63
    valid = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(pa.decimal128(18, scale), len(units), [valid, pa.py_buffer(words)])


def doubles(values: pa.Array) -> pa.Array:
    """The double nearest to each decimal; exact division, since both sides of it are exact doubles below 2**53."""
    units = np.frombuffer(values.buffers()[1], np.int64).reshape(-1, 2)[values.offset :][: len(values), 0]
    null = values.is_null().to_numpy(zero_copy_only=False)
    return pa.array(units / 10.0**values.type.scale, pa.float64(), mask=null)


def mixed(numbers: Array) -> Array:
    """Two random-looking words for each number, always the same ones: splitmix64."""
    with np.errstate(over="ignore"):
        first = _mix(numbers.astype(np.uint64) + _MIXER[0])
        return np.stack([first, _mix(first + _MIXER[0])], axis=1)


def _mix(value: Array) -> Array:
    value = (value ^ (value >> np.uint64(30))) * _MIXER[1]
    value = (value ^ (value >> np.uint64(27))) * _MIXER[2]
    return np.asarray(value ^ (value >> np.uint64(31)))


def uuids(words: Array, null: Array | None = None) -> pa.Array:
    """UUIDs (version 4) of two words of 64 bits each, null where `null` says so."""
    count = len(words)
    digits = _HEX[np.ascontiguousarray(words).view(np.uint8).reshape(count, 16)].reshape(count, 32)
    text = np.full((count, 36), ord("-"), np.uint8)
    for source, place, length in ((0, 0, 8), (8, 9, 4), (12, 14, 4), (16, 19, 4), (20, 24, 12)):
        text[:, place : place + length] = digits[:, source : source + length]
    text[:, 14], text[:, 19] = ord("4"), ord("a")
    offsets = pa.py_buffer(np.arange(count + 1, dtype=np.int32) * 36)
    every = pa.Array.from_buffers(pa.string(), count, [None, offsets, pa.py_buffer(text)])
    return every if null is None else pc.if_else(flags(~null), every, pa.scalar(None, pa.string()))


def joined(*pieces: Any) -> pa.Array:
    """Texts and numbers of each row in one text."""
    return pc.binary_join_element_wise(
        *(piece if isinstance(piece, str) else piece.cast(pa.string()) for piece in pieces), ""
    )


def chosen(where: Array, value: pa.Array, otherwise: str | None = "") -> pa.Array:
    """The text where `where` holds, the other elsewhere."""
    return pc.if_else(flags(where), value, pa.scalar(otherwise, pa.string()))


def sparse(count: int, rows: Iterable[int], values: Iterable[str], base: pa.Array | None = None) -> pa.Array:
    """Texts of a few rows among `count`; '' elsewhere, or what `base` has there."""
    every: list[Any] = [""] * count if base is None else base.to_pylist()
    for row, value in zip(rows, values, strict=True):
        every[row] = value
    return pa.array(every, pa.string())
