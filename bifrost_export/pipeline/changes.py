"""What a transformation did to the books: what went in, what came out, and what the one must say of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.pipeline.sums import MEASURES, Sums

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.config.transformations import Stage

MEASURED = {"input_tokens": "input_tokens", "output_tokens": "output_tokens", "cost_usd": "cost"}
"""Column -> the measure that it adds up to."""


@dataclass(frozen=True)
class Change:
    """One transformation of a slice, or of the whole window.

    Args:
        step: Its name, as the plan has it.
        given: The rows that went in.
        gave: The rows that came out.
        told: What the rows that came out say of those that went in.
        compared: The measures in which `told` must agree with `given`; none for a function of the user's own, of which
            rows in and out are recorded.
    """

    step: str
    given: Sums
    gave: Sums
    told: Sums
    compared: tuple[str, ...]

    def __add__(self, other: Change) -> Change:
        """The same transformation of both."""
        sums = (self.given + other.given, self.gave + other.gave, self.told + other.told)
        return Change(self.step, *sums, self.compared)

    def to_json(self) -> dict[str, Any]:
        """The change as JSON."""
        sums = {name: getattr(self, name).to_json() for name in ("given", "gave", "told")}
        return {"step": self.step, **sums, "compared": list(self.compared)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Change:
        """Read what `to_json` wrote."""
        sums = {name: Sums.from_json(document[name]) for name in ("given", "gave", "told")}
        return cls(document["step"], **sums, compared=tuple(document["compared"]))


def together(one: Sequence[Change], other: Sequence[Change]) -> tuple[Change, ...]:
    """The changes of two slices, or of a slice and of nothing."""
    if not one or not other:
        return tuple(one or other)
    return tuple(left + right for left, right in zip(one, other, strict=True))


class Account:
    """What the rows that a transformation gives tell of those that it got.

    Args:
        stage: The transformation.
    """

    def __init__(self, stage: Stage) -> None:
        transform = stage.step.transform
        self.accounts: Mapping[str, tuple[str, ...]] = transform.accounts()
        if self.accounts:
            self.compared = _compared_accounts(self.accounts)
        elif transform.keeps_rows:
            changed = transform.changed(stage.before)
            after = {column.name for column in stage.after} - changed
            kept = [measure for name, measure in MEASURED.items() if name in after]
            self.compared = ("rows", *kept)
        else:
            self.compared = ()
        self._sums = dict.fromkeys(MEASURES, 0)
        self._told = Sums()

    def add(self, batch: pa.RecordBatch, measured: Sums) -> None:
        """Take in a batch that came out."""
        if not self.accounts:
            self._told += measured
            return
        from bifrost_export.pipeline.sums import column_sum, cost_sums

        for name, measures in self.accounts.items():
            if measures == ("cost",):
                self._told += cost_sums(batch.column(name))
            elif measures in (("rows",), ("input_tokens",), ("output_tokens",)):
                self._sums[measures[0]] += column_sum(batch.column(name)) if name == self._first(measures) else 0
            elif set(measures) == {"input_tokens", "output_tokens"}:
                self._sums["tokens"] += column_sum(batch.column(name))

    def _first(self, measures: tuple[str, ...]) -> str:
        return next(name for name, each in self.accounts.items() if each == measures)

    @property
    def told(self) -> Sums:
        """What was told so far."""
        if not self.accounts:
            return self._told
        tokens = (self._sums["input_tokens"], self._sums["output_tokens"])
        if "tokens" in self.compared:
            tokens = _of_both(self._sums, self.compared)
        return Sums(self._sums["rows"], *tokens, self._told.cost, self._told.cost_scale)


def _compared_accounts(accounts: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    found = {measure for measures in accounts.values() if len(measures) == 1 for measure in measures}
    if any(len(measures) > 1 for measures in accounts.values()):
        found.add("tokens")
    return tuple(measure for measure in MEASURES if measure in found)


def _of_both(sums: Mapping[str, int], compared: tuple[str, ...]) -> tuple[int, int]:
    """Input and output tokens, of which perhaps only the sum was told."""
    if "output_tokens" in compared and "input_tokens" not in compared:
        return sums["tokens"] - sums["output_tokens"], sums["output_tokens"]
    return sums["input_tokens"], sums["tokens"] - sums["input_tokens"]
