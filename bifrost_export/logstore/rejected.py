"""Rows and fields that can't be exported, and what is reported of them: place and shape, never a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.logstore.port import Rejected
from bifrost_export.logstore.repair import repaired
from bifrost_export.logstore.rows import NUMBERS, ODD, PREFIX, odd_shape, odd_value
from bifrost_export.thresholds import SUMMED_COST, SUMMED_TOKENS


@dataclass(frozen=True)
class Fault:
    """One way in which rows fail.

    Args:
        column: The record's column that can't be filled.
        mask: Which rows.
        source: The log row's column that is at fault, or None when it stands inside a JSON text.
        reason: What is wrong, in words.
    """

    column: str
    mask: pa.Array
    source: str | None
    reason: str


class Faults:
    """The faults of a batch, in the order in which a row's first one is told."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def __bool__(self) -> bool:
        """Whether any row fails."""
        return bool(self.found)

    def add(self, column: str, mask: pa.Array | None, source: str | None, reason: str) -> None:
        """Note the rows where `mask` is true; nulls and an all-false mask are no fault."""
        if mask is not None and pc.any(mask).as_py():
            self.found.append(Fault(column, pc.fill_null(mask, False), source, reason))

    def add_odd(self, column: str, odd: pa.Array, source: str) -> pa.Array | None:
        """Note the rows whose number is text, bytes, or a number of another kind, and return them; None without any."""
        if odd.null_count == len(odd):
            return None
        encoded = odd.dictionary_encode()
        wrong = pa.array([odd_value(text, source) is not None for text in encoded.dictionary.to_pylist()], pa.bool_())
        mask = pc.fill_null(wrong.take(encoded.indices), False)
        self.add(column, mask, source, "is not a number of the column's type")
        return mask

    def any(self) -> pa.Array:
        """True for each row that fails in any way."""
        masks = [fault.mask for fault in self.found]
        result = masks[0]
        for mask in masks[1:]:
            result = pc.or_(result, mask)
        return result

    def first(self, row: int) -> Fault:
        """The first fault of a row that fails."""
        return next(fault for fault in self.found if fault.mask[row].as_py())


def rejected_rows(raw: pa.RecordBatch, timestamps: pa.Array, faults: Faults) -> list[Rejected]:
    """Tell every row that fails, in the order of the rows."""
    return [
        _rejected(raw, index, timestamps[index].as_py(), faults.first(index))
        for index in pc.indices_nonzero(faults.any()).to_pylist()
    ]


def _rejected(raw: pa.RecordBatch, index: int, timestamp: int, fault: Fault) -> Rejected:
    kind, length = shape_of(raw, index, fault.source)
    return reject(raw, index, timestamp, fault.column, fault.reason, kind, length)


def reject(
    raw: pa.RecordBatch, index: int, timestamp: int, column: str, reason: str, value_type: str, length: int | None
) -> Rejected:
    """Tell one row.

    Args:
        raw: Rows of the shape `rows.RAW`.
        index: The row.
        timestamp: Microseconds since 1970 UTC that place it.
        column: The record's column that can't be filled.
        reason: What is wrong, in words.
        value_type: The value's type in the log store.
        length: The value's length in bytes, or None for a number.
    """
    cost = raw.column("cost")[index].as_py()
    return Rejected(
        timestamp=timestamp,
        request_id=repaired(_bytes(raw, index, "id")),
        column=column,
        reason=reason,
        value_type=value_type,
        value_length=length,
        input_tokens=_counted(raw.column("prompt_tokens")[index].as_py()),
        output_tokens=_counted(raw.column("completion_tokens")[index].as_py()),
        cost_usd=cost if cost is not None and abs(cost) <= SUMMED_COST else 0.0,
    )


def reject_unread(raw: pa.RecordBatch, index: int, placed: int, value_type: str, length: int | None) -> Rejected:
    """Tell a row whose `timestamp` can't be read; `placed` is what its `created_at` says."""
    return reject(raw, index, placed, "timestamp", "can't be read as a time", value_type, length)


def place_of(row: Rejected) -> tuple[int, bytes]:
    """Where a rejected row stands among others: by its time, then its id."""
    return row.timestamp, row.request_id.encode()


def _bytes(raw: pa.RecordBatch, index: int, name: str) -> bytes:
    value: Any = raw.column(name).slice(index, 1).view(pa.binary())[0].as_py()
    return value or b""


def shape_of(raw: pa.RecordBatch, index: int, source: str | None) -> tuple[str, int | None]:
    """Return the type of a row's value in the log store, and its length in bytes (None for a number)."""
    if source is None:
        return "integer", None
    told = _odd_shape(raw, index, source)
    if told:
        return told
    if pa.types.is_string(raw.schema.field(source).type):
        return "text", len(_bytes(raw, index, source))
    return ("real" if pa.types.is_floating(raw.schema.field(source).type) else "integer"), None


def _odd_shape(raw: pa.RecordBatch, index: int, source: str) -> tuple[str, int | None] | None:
    if source.startswith(PREFIX):
        return odd_shape(raw.column(ODD)[index].as_py(), source)
    odd = raw.column("odd")[index].as_py()
    return odd_value(odd, source) if odd and source in NUMBERS else None


def _counted(value: int | None) -> int:
    """What a row adds to the log store's own sum of tokens."""
    return value if value is not None and abs(value) <= SUMMED_TOKENS else 0
