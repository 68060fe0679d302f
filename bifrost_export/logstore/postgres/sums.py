"""Totals as the database counted them, with exact costs: how a slice was cut into chunks changes no digit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from bifrost_export.logstore.port import Totals

_EXACTLY = Context(prec=2000)


@dataclass(frozen=True)
class Sums:
    """What `Totals` has, before its costs are rounded.

    Args:
        rows: Rows that have settled.
        unsettled: Rows that have not.
        input_tokens: As in `Totals`.
        output_tokens: As in `Totals`.
        cost_usd: Sum of the costs.
        cost_scale: Sum of their absolute values.
    """

    rows: int = 0
    unsettled: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    cost_scale: Decimal = Decimal(0)

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Sums:
        """What `Statements.totals` and its like give."""
        return cls(
            rows=row["rows"],
            unsettled=row["unsettled"],
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            cost_usd=Decimal(row["cost_usd"]),
            cost_scale=Decimal(row["cost_scale"]),
        )

    def __add__(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(
            self.rows + other.rows,
            self.unsettled + other.unsettled,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            _EXACTLY.add(self.cost_usd, other.cost_usd),
            _EXACTLY.add(self.cost_scale, other.cost_scale),
        )

    def totals(self) -> Totals:
        """As the log store port tells them."""
        return Totals(
            rows=self.rows,
            unsettled=self.unsettled,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost_usd=float(self.cost_usd),
            cost_scale=float(self.cost_scale),
        )
