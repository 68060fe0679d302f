"""Totals as the database counted them, with exact costs: how a slice was cut into chunks changes no digit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from bifrost_export.logstore.port import Removed, Totals
from bifrost_export.logstore.pushdown import IN_DOUBT

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

    def removed_by(self, rule: str, cost: tuple[float, ...]) -> Removed:
        """The same as rows that a rule removes, whose costs add up to these."""
        return Removed({rule: self.rows}, self.input_tokens, self.output_tokens, cost, float(self.cost_scale))

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


@dataclass(frozen=True)
class Counted:
    """What `Statements.totals` counts of an interval.

    Args:
        sums: All its rows.
        removed: Those of them that the filters remove.
        rows: How many the others are.
        bytes: Of their long texts.
    """

    sums: Sums
    removed: Removed
    rows: int
    bytes: int

    @classmethod
    def of_rows(cls, rows: Iterable[dict[str, Any]]) -> Counted:
        """Add up the rows of the answer: without filters one, with them one for each rule, and one for none."""
        sums, removed, kept = Sums(), Removed(), {"rows": 0, "bytes": 0}
        for row in rows:
            found = Sums.of_row(row)
            sums += found
            rule = row.get("rule")
            if rule == IN_DOUBT:
                removed += Removed(in_doubt=found.rows)
            elif rule:
                removed += found.removed_by(rule, (row["removed_cost"], row["removed_cost_rest"]))
            if rule in {None, IN_DOUBT}:
                kept = {name: count + row[name] for name, count in kept.items()}
        return cls(sums, removed, **kept)
