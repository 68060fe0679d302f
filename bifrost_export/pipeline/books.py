"""The books of a run: rows, tokens and cost at every stage, added up over slices and compared (protocol, section 3)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bifrost_export.errors import BooksError
from bifrost_export.logstore.port import SUMMED_COST
from bifrost_export.pipeline.exact import exact

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.logstore.port import Rejected, Totals

COST_TOLERANCE = 1e-9
"""Cost may differ by this share of the sum of absolute values: sums of floats depend on their order."""


@dataclass(frozen=True)
class Sums:
    """Rows and what they add up to.

    Args:
        rows: How many rows.
        input_tokens: Sum of input_tokens, null as 0.
        output_tokens: Sum of output_tokens, null as 0.
        cost: Sum of cost_usd, null as 0, as floats that add up to it exactly.
        cost_scale: Sum of its absolute values, about.
    """

    rows: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: tuple[float, ...] = ()
    cost_scale: float = 0.0

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
        )

    def __sub__(self, other: Sums) -> Sums:
        """What is left of these when the others are taken away."""
        return Sums(
            self.rows - other.rows,
            self.input_tokens - other.input_tokens,
            self.output_tokens - other.output_tokens,
            exact((*self.cost, *(-part for part in other.cost))),
            max(0.0, self.cost_scale - other.cost_scale),
        )

    @classmethod
    def of_totals(cls, totals: Totals) -> Sums:
        """What the log store counted."""
        cost = exact([totals.cost_usd])
        return cls(totals.rows, totals.input_tokens, totals.output_tokens, cost, totals.cost_scale)

    @classmethod
    def of_rejected(cls, rejected: Iterable[Rejected]) -> Sums:
        """What rejected rows add to the log store's count."""
        rows = list(rejected)
        costs = [row.cost_usd for row in rows]
        tokens = (sum(row.input_tokens for row in rows), sum(row.output_tokens for row in rows))
        return cls(len(rows), *tokens, exact(costs), math.fsum(map(abs, costs)))

    @classmethod
    def of_batch(cls, batch: pa.RecordBatch) -> Sums:
        """What a batch adds up to; columns that it lacks count 0."""
        import pyarrow.compute as pc

        def total(name: str) -> int:
            return int(pc.sum(batch.column(name)).as_py() or 0) if name in batch.schema.names else 0

        costs = _summed_costs(batch)
        scale = float(pc.sum(pc.abs(costs)).as_py() or 0.0)
        return cls(batch.num_rows, total("input_tokens"), total("output_tokens"), exact(costs.to_pylist()), scale)

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

    def differences(self, other: Sums) -> list[str]:
        """How the two differ, in words."""
        found = [
            f"{name.replace('_', ' ')} {getattr(self, name):,} against {getattr(other, name):,}"
            for name in ("rows", "input_tokens", "output_tokens")
            if getattr(self, name) != getattr(other, name)
        ]
        scale = max(self.cost_scale, other.cost_scale)
        # The comparison is turned round so that a NaN fails it.
        if not abs(self.cost_usd - other.cost_usd) <= COST_TOLERANCE * scale:
            found.append(f"cost {self.cost_usd!r} against {other.cost_usd!r}")
        return found


def _summed_costs(batch: pa.RecordBatch) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if "cost_usd" not in batch.schema.names:
        return pa.nulls(0, pa.float64())
    costs = pc.drop_null(batch.column("cost_usd"))
    return costs.filter(pc.less_equal(pc.abs(costs), SUMMED_COST))


@dataclass(frozen=True)
class Books:
    """The books of one dataset, of one slice or of the whole window.

    Args:
        source: Every log row of the interval, counted by the log store.
        rejected: Those that could not become a row.
        filtered_by: Those that a rule removed, by the first rule that did.
        filtered: The same with their sums.
        kept: Those that passed.
        staged: The rows that the last step staged.
        unsettled: Rows still `processing`, outside the books.
        offloaded: Rows that needed their offloaded payload, by what became of them; they are no part of the balance.
    """

    source: Sums = Sums()
    rejected: Sums = Sums()
    filtered_by: dict[str, int] = field(default_factory=dict)
    filtered: Sums = Sums()
    kept: Sums = Sums()
    staged: Sums = Sums()
    unsettled: int = 0
    offloaded: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: Books) -> Books:
        """Both together."""
        return Books(
            self.source + other.source,
            self.rejected + other.rejected,
            _added(self.filtered_by, other.filtered_by),
            self.filtered + other.filtered,
            self.kept + other.kept,
            self.staged + other.staged,
            self.unsettled + other.unsettled,
            _added(self.offloaded, other.offloaded),
        )

    def to_json(self) -> dict[str, Any]:
        """The books as JSON."""
        sums = {name: getattr(self, name).to_json() for name in _SUMS}
        return {**sums, "filtered_by": self.filtered_by, "unsettled": self.unsettled, "offloaded": self.offloaded}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Books:
        """Read what `to_json` wrote."""
        sums = {name: Sums.from_json(document[name]) for name in _SUMS}
        return cls(
            **sums,
            filtered_by=dict(document["filtered_by"]),
            unsettled=document["unsettled"],
            offloaded=dict(document.get("offloaded", {})),
        )

    def check(self, where: str) -> None:
        """Compare every stage with the one before.

        Raises:
            BooksError: They differ; the message says where, and both figures.
        """
        told = [
            ("log store against kept + filtered + rejected", self.source, self.kept + self.filtered + self.rejected),
            ("kept against staged by the last step", self.kept, self.staged),
        ]
        for between, left, right in told:
            balance(f"{where}, {between}", left, right)
        removed = sum(self.filtered_by.values())
        if removed != self.filtered.rows:
            raise BooksError(f"{where}: the rules removed {removed:,} rows, and {self.filtered.rows:,} are missing")


def _added(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    names = {**dict.fromkeys(left, 0), **dict.fromkeys(right, 0)}
    return {name: left.get(name, 0) + right.get(name, 0) for name in names}


_SUMS = ("source", "rejected", "filtered", "kept", "staged")


def balance(where: str, left: Sums, right: Sums) -> None:
    """Compare two stages.

    Raises:
        BooksError: They differ.
    """
    differing = left.differences(right)
    if differing:
        raise BooksError(
            f"the books of {where} do not balance: {'; '.join(differing)}; nothing was published",
            hint="Clear from plan. If it happens again, keep the staging folder and report it.",
        )
