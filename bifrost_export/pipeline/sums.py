"""Rows, tokens and cost, added up so that neither order nor cuts change a digit (protocol, section 3)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.formats.sizes import value_bytes
from bifrost_export.hidden_columns import MEASURED, ODDITIES
from bifrost_export.logstore.oddities import odd_rows
from bifrost_export.thresholds import COST_TOLERANCE, SUMMED_COST

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.logstore.port import Rejected, Removed, Totals


def exact(values: Iterable[float]) -> tuple[float, ...]:
    """Floats whose sum is exactly that of the values: the rounded sum, then what the rounding left, and so on.

    Args:
        values: Finite, within +-1e300.
    """
    rest = list(values)
    parts = []
    while part := math.fsum(rest):
        parts.append(part)
        rest.append(-part)
    return tuple(parts)


MEASURES = ("rows", "input_tokens", "output_tokens", "tokens", "cost")
"""What is compared; `tokens` are those of input and output together."""


@dataclass(frozen=True)
class Sums:
    """Rows and what they add up to.

    Args:
        rows: How many rows.
        input_tokens: Sum of input_tokens, null as 0.
        output_tokens: Sum of output_tokens, null as 0.
        cost: Sum of cost_usd, null as 0, as floats that add up to it exactly.
        cost_scale: Sum of its absolute values, about.
        bytes: What the values of staged rows take in Arrow; no stage is compared by it.
    """

    rows: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: tuple[float, ...] = ()
    cost_scale: float = 0.0
    bytes: int = 0

    @property
    def tokens(self) -> int:
        """Input and output tokens."""
        return self.input_tokens + self.output_tokens

    @property
    def cost_usd(self) -> float:
        """The sum of cost_usd, rounded once."""
        return math.fsum(self.cost)

    def __add__(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(
            self.rows + other.rows,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            exact((*self.cost, *other.cost)),
            self.cost_scale + other.cost_scale,
            self.bytes + other.bytes,
        )

    def __sub__(self, other: Sums) -> Sums:
        """What is left of these when the others are taken away."""
        return Sums(
            self.rows - other.rows,
            self.input_tokens - other.input_tokens,
            self.output_tokens - other.output_tokens,
            exact((*self.cost, *(-part for part in other.cost))),
            max(0.0, self.cost_scale - other.cost_scale),
            max(0, self.bytes - other.bytes),
        )

    @classmethod
    def of_totals(cls, totals: Totals) -> Sums:
        """What the log store counted."""
        cost = exact([totals.cost_usd])
        return cls(totals.rows, totals.input_tokens, totals.output_tokens, cost, totals.cost_scale)

    @classmethod
    def of_removed(cls, removed: Removed) -> Sums:
        """What the log store counted of the rows that it left out."""
        rows = sum(removed.rows.values())
        return cls(rows, removed.input_tokens, removed.output_tokens, exact(removed.cost), removed.cost_scale)

    @classmethod
    def of_rejected(cls, rejected: Iterable[Rejected]) -> Sums:
        """What rejected rows add to the log store's count."""
        rows = list(rejected)
        costs = [row.cost_usd for row in rows]
        tokens = (sum(row.input_tokens for row in rows), sum(row.output_tokens for row in rows))
        return cls(len(rows), *tokens, exact(costs), math.fsum(map(abs, costs)))

    @classmethod
    def of_batch(cls, batch: pa.RecordBatch) -> Sums:
        """What a batch adds up to; columns that it lacks, or that a transformation has made something else, count 0.

        Tokens beyond 32 bits, which the record can't show, count where they travel beside the rows.
        """
        import pyarrow as pa

        def total(name: str) -> int:
            hidden = batch.schema.get_field_index(MEASURED[name])
            index = hidden if hidden >= 0 else batch.schema.get_field_index(name)
            is_whole = index >= 0 and pa.types.is_integer(batch.schema.field(index).type)
            return column_sum(batch.column(index)) if is_whole else 0

        tokens = cls(batch.num_rows, total("input_tokens"), total("output_tokens"), bytes=value_bytes(batch))
        tokens += cls.beside(batch)
        index = batch.schema.get_field_index("cost_usd")
        is_number = index >= 0 and pa.types.is_floating(batch.schema.field(index).type)
        return tokens + cost_sums(batch.column(index)) if is_number else tokens

    @classmethod
    def beside(cls, batch: pa.RecordBatch) -> Sums:
        """The tokens, of no rows, that the record can't show and that a row's oddities tell; none where twins do."""
        index = batch.schema.get_field_index(ODDITIES)
        if index < 0 or batch.column(index).null_count == batch.num_rows:
            return _NONE
        names = batch.schema.names
        found = [oddity for _, oddity in odd_rows(batch.column(index))]

        def total(name: str) -> int:
            is_told = MEASURED[name] in names or name not in names
            return 0 if is_told else sum(getattr(each, name) for each in found)

        return cls(input_tokens=total("input_tokens"), output_tokens=total("output_tokens"))

    def to_json(self) -> dict[str, Any]:
        """The sums as JSON."""
        return {**{name: getattr(self, name) for name in self.__dataclass_fields__}, "cost": list(self.cost)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Sums:
        """Read what `to_json` wrote."""
        return cls(**{**document, "cost": tuple(document["cost"])})

    def tokens_and_cost(self) -> dict[str, Any]:
        """The sums as the manifest tells them."""
        return {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens, "cost_usd": self.cost_usd}

    def differences(
        self, other: Sums, compared: Sequence[str] = ("rows", "input_tokens", "output_tokens", "cost")
    ) -> list[str]:
        """How the two differ, in words.

        Args:
            other: The other one.
            compared: Which of `MEASURES`.
        """
        found = [
            f"{name.replace('_', ' ')} {getattr(self, name):,} against {getattr(other, name):,}"
            for name in MEASURES
            if name in compared and name != "cost" and getattr(self, name) != getattr(other, name)
        ]
        scale = max(self.cost_scale, other.cost_scale)
        # The comparison is turned round so that a NaN fails it.
        if "cost" in compared and not abs(self.cost_usd - other.cost_usd) <= COST_TOLERANCE * scale:
            found.append(f"cost {self.cost_usd!r} against {other.cost_usd!r}")
        return found


_NONE = Sums()


def column_sum(column: pa.Array) -> int:
    """The sum of whole numbers, null as 0."""
    import pyarrow.compute as pc

    return int(pc.sum(column).as_py() or 0)


def cost_sums(column: pa.Array) -> Sums:
    """The sum of costs, of no rows."""
    import pyarrow.compute as pc

    costs = pc.drop_null(column)
    costs = costs.filter(pc.less_equal(pc.abs(costs), SUMMED_COST))
    return Sums(cost=exact(costs.to_pylist()), cost_scale=float(pc.sum(pc.abs(costs)).as_py() or 0.0))
