"""How many log rows have a field that was blanked, or a text that was repaired, by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OddCounts:
    """Counts of exported log rows; each row counts once a column.

    Args:
        blanked: By column.
        repaired: By column.
        blanked_rows: Rows with at least one field that was blanked.
    """

    blanked: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    blanked_rows: int = 0

    def __add__(self, other: OddCounts) -> OddCounts:
        """Both together."""
        return OddCounts(
            added(self.blanked, other.blanked),
            added(self.repaired, other.repaired),
            self.blanked_rows + other.blanked_rows,
        )

    @classmethod
    def of_row(cls, blanked: Iterable[str], repaired: Iterable[str]) -> OddCounts:
        """Count one row, by its columns."""
        found = dict.fromkeys(blanked, 1)
        return cls(found, dict.fromkeys(repaired, 1), int(bool(found)))

    def by_column(self) -> dict[str, dict[str, int]]:
        """Return `{"blanked", "repaired"}`, each by column in alphabetical order, as a manifest has them."""
        return {"blanked": dict(sorted(self.blanked.items())), "repaired": dict(sorted(self.repaired.items()))}

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        return {**self.by_column(), "blanked_rows": self.blanked_rows}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> OddCounts:
        """Read what `to_json` wrote."""
        return cls(dict(document["blanked"]), dict(document["repaired"]), document["blanked_rows"])


def added(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of two counts by name."""
    names = dict.fromkeys((*left, *right))
    return {name: left.get(name, 0) + right.get(name, 0) for name in names}
