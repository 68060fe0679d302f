"""The books of a run: rows, tokens and cost at every stage, added up over slices and compared (protocol, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from bifrost_export.errors import BooksError
from bifrost_export.pipeline.changes import Change, together
from bifrost_export.pipeline.odd_counts import OddCounts, added
from bifrost_export.pipeline.sums import Sums

__all__ = ["Books", "Change", "Sums", "balance"]


_NONE = Sums()
_NOT_ODD = OddCounts()


@dataclass(frozen=True)
class Books:
    """The books of one dataset, of one slice or of the whole window.

    Args:
        source: Every log row of the interval, counted by the log store.
        rejected: Those that could not become a row.
        filtered_by: Those that a rule removed, by the first rule that did.
        filtered: The same with their sums.
        kept: Those that passed.
        changes: What each transformation did to them, in order.
        staged: The rows that the last step staged.
        blanked: Tokens of those that passed which no column of theirs can hold; of no rows.
        odd: How many of those that passed have blanked fields or repaired texts; they are no part of the balance.
        unsettled: Rows still `processing`, outside the books.
        offloaded: Rows that needed their offloaded payload, by what became of them; they are no part of the balance.
        payloads: The same by column of the payload.
    """

    source: Sums = _NONE
    rejected: Sums = _NONE
    filtered_by: dict[str, int] = field(default_factory=dict)
    filtered: Sums = _NONE
    kept: Sums = _NONE
    changes: tuple[Change, ...] = ()
    staged: Sums = _NONE
    blanked: Sums = _NONE
    odd: OddCounts = _NOT_ODD
    unsettled: int = 0
    offloaded: dict[str, int] = field(default_factory=dict)
    payloads: dict[str, dict[str, int]] = field(default_factory=dict)

    def __add__(self, other: Books) -> Books:
        """Both together."""
        return Books(
            self.source + other.source,
            self.rejected + other.rejected,
            added(self.filtered_by, other.filtered_by),
            self.filtered + other.filtered,
            self.kept + other.kept,
            together(self.changes, other.changes),
            self.staged + other.staged,
            self.blanked + other.blanked,
            self.odd + other.odd,
            self.unsettled + other.unsettled,
            added(self.offloaded, other.offloaded),
            {
                name: added(self.payloads.get(name, {}), other.payloads.get(name, {}))
                for name in dict.fromkeys((*self.payloads, *other.payloads))
            },
        )

    def to_json(self) -> dict[str, Any]:
        """The books as JSON."""
        sums = {name: getattr(self, name).to_json() for name in _SUMS}
        changes = [each.to_json() for each in self.changes]
        names = ("filtered_by", "unsettled", "offloaded", "payloads")
        counts = {name: getattr(self, name) for name in names}
        return {**sums, "odd": self.odd.to_json(), "changes": changes, **counts}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Books:
        """Read what `to_json` wrote."""
        sums = {name: Sums.from_json(document[name]) for name in _SUMS}
        changes = tuple(Change.from_json(each) for each in document["changes"])
        return cls(
            **sums,
            odd=OddCounts.from_json(document["odd"]),
            changes=changes,
            filtered_by=dict(document["filtered_by"]),
            unsettled=document["unsettled"],
            offloaded=dict(document["offloaded"]),
            payloads=dict(document.get("payloads", {})),
        )

    def changed(self, changes: Sequence[Change], staged: Sums) -> Books:
        """The books after more transformations.

        Args:
            changes: What each did, in order.
            staged: The rows that the last of them staged.
        """
        return replace(self, changes=(*self.changes, *changes), staged=staged)

    def check(self, where: str) -> None:
        """Compare every stage with the one before.

        Raises:
            BooksError: They differ; the message says where, and both figures.
        """
        passed = self.kept + self.blanked
        told = [
            ("log store against kept + filtered + rejected", self.source, passed + self.filtered + self.rejected),
            *self._passages(),
        ]
        for between, left, right in told:
            balance(f"{where}, {between}", left, right)
        for change in self.changes:
            balance(
                f"{where}, what {change.step} was given against what it gave",
                change.given,
                change.told,
                change.compared,
            )
        removed = sum(self.filtered_by.values())
        if removed != self.filtered.rows:
            raise BooksError(f"{where}: the rules removed {removed:,} rows, and {self.filtered.rows:,} are missing")

    def _passages(self) -> list[tuple[str, Sums, Sums]]:
        """What one step gave, and what the next one was given."""
        if not self.changes:
            return [("kept against staged by the last step", self.kept, self.staged)]
        first, last = self.changes[0], self.changes[-1]
        return [
            (f"kept against what {first.step} was given", self.kept, first.given),
            *(
                (f"what {one.step} gave against what {other.step} was given", one.gave, other.given)
                for one, other in pairwise(self.changes)
            ),
            (f"what {last.step} gave against staged by the last step", last.gave, self.staged),
        ]


_SUMS = ("source", "rejected", "filtered", "kept", "staged", "blanked")


def balance(where: str, left: Sums, right: Sums, compared: Sequence[str] | None = None) -> None:
    """Compare two stages.

    Args:
        where: What is compared.
        left: One.
        right: The other.
        compared: The measures that are compared; without it, all.

    Raises:
        BooksError: They differ.
    """
    differing = left.differences(right) if compared is None else left.differences(right, compared)
    if differing:
        raise BooksError(
            f"the books of {where} do not balance: {'; '.join(differing)}; nothing was published",
            hint="Clear from plan. If it happens again, keep the staging folder and report it.",
        )
