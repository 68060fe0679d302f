"""What is odd in rows that are exported all the same: fields that are blanked, texts that are repaired.

A row carries it as one text beside its record, null in nearly all rows, until it is known which datasets get the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.logstore.rejected import Faults, shape_of
from bifrost_export.thresholds import SUMMED_TOKENS


@dataclass(frozen=True)
class Blanked:
    """A field that could not be exported: reported by its shape, never by its value.

    Args:
        column: The record's column.
        reason: What is wrong, in words.
        value_type: The value's type in the log store.
        value_length: Its length in bytes, or None for a number.
    """

    column: str
    reason: str
    value_type: str
    value_length: int | None


@dataclass(frozen=True)
class Oddity:
    """What is odd in one row.

    Args:
        blanked: At most one a column.
        repaired: The columns whose text had bad bytes.
        input_tokens: A count that the record's column can't hold, and that is added up all the same; else 0.
        output_tokens: The same of the completion.
    """

    blanked: tuple[Blanked, ...] = ()
    repaired: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0

    def dumped(self) -> str:
        """Return the oddity as text."""
        fields = [[each.column, each.reason, each.value_type, each.value_length] for each in self.blanked]
        return orjson.dumps([fields, self.repaired, self.input_tokens, self.output_tokens]).decode()

    @classmethod
    def of(cls, text: str) -> Oddity:
        """Read what `dumped` wrote."""
        blanked, repaired, *tokens = orjson.loads(text)
        return cls(tuple(Blanked(*each) for each in blanked), tuple(repaired), *tokens)


def odd_rows(column: pa.Array) -> Iterator[tuple[int, Oddity]]:
    """Return the rows of a batch that are odd, by their number."""
    if column.null_count == len(column):
        return
    for row in pc.indices_nonzero(column.is_valid()).to_pylist():
        yield row, Oddity.of(column[row].as_py())


@dataclass
class Odd:
    """The oddities of a batch, noted while it is mapped.

    Args:
        blanks: The fields that are blanked.
        repairs: Column -> which rows had bad bytes in it.
        tokens: Column -> counts that the record can't hold, null elsewhere.
    """

    blanks: Faults = field(default_factory=Faults)
    repairs: dict[str, pa.Array] = field(default_factory=dict)
    tokens: dict[str, pa.Array] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any row is odd."""
        return bool(self.blanks) or bool(self.repairs)

    def repair(self, column: str, mask: pa.Array | None) -> None:
        """Note the rows where `mask` is true."""
        if mask is not None and pc.any(mask).as_py():
            former = self.repairs.get(column)
            self.repairs[column] = mask if former is None else pc.or_(former, mask)

    def column(self, raw: pa.RecordBatch) -> pa.Array:
        """Return the oddities of the rows as texts; null where a row has none."""
        if not self:
            return pa.nulls(len(raw), pa.string())
        rows: list[str | None] = [None] * len(raw)
        for row in pc.indices_nonzero(self._any()).to_pylist():
            rows[row] = self._of_row(raw, row).dumped()
        return pa.array(rows, pa.string())

    def _any(self) -> pa.Array:
        masks = [fault.mask for fault in self.blanks.found] + list(self.repairs.values())
        found = masks[0]
        for mask in masks[1:]:
            found = pc.or_(found, mask)
        return found

    def _of_row(self, raw: pa.RecordBatch, row: int) -> Oddity:
        blanked: dict[str, Blanked] = {}
        for fault in self.blanks.found:
            if fault.mask[row].as_py() and fault.column not in blanked:
                shape = shape_of(raw, row, fault.source)
                blanked[fault.column] = Blanked(fault.column, fault.reason, *shape)
        repaired = tuple(name for name, mask in self.repairs.items() if mask[row].as_py())
        tokens = (self._tokens(name, row) for name in ("input_tokens", "output_tokens"))
        return Oddity(tuple(blanked.values()), repaired, *tokens)

    def _tokens(self, name: str, row: int) -> int:
        counted: Any = self.tokens[name][row].as_py() if name in self.tokens else None
        return int(counted or 0)


def countable(counts: pa.Array) -> pa.Array:
    """Return token counts, null where one is beyond what is added up."""
    fits = pc.and_(pc.greater_equal(counts, -SUMMED_TOKENS), pc.less_equal(counts, SUMMED_TOKENS))
    return pc.if_else(fits, counts, pa.scalar(None, pa.int64()))
