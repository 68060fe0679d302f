"""The config's filters on records: rows are kept by all rules, and counted under the first that removes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from bifrost_export.filters.config import Filters

ERRORS_FROM = 400
"""The lowest status code that `has_errors` calls an error."""

Rule = Callable[[pa.RecordBatch, Any], pa.Array]


def _one_of(column: str) -> Rule:
    def keeps(batch: pa.RecordBatch, wanted: Any) -> pa.Array:
        values = batch.column(column)
        return pc.is_in(values, value_set=pa.array(list(wanted), values.type))

    return keeps


def _has_errors(batch: pa.RecordBatch, wanted: bool) -> pa.Array:
    failed = pc.greater_equal(batch.column("status_code"), ERRORS_FROM)
    return failed if wanted else pc.invert(failed)


# In the order in which a row that several rules remove is counted (contract, section 6).
_KEEPS: dict[str, Rule] = {
    "providers": _one_of("provider"),
    "models": _one_of("model"),
    "customers": _one_of("customer_id"),
    "min_latency_ms": lambda batch, least: pc.greater_equal(batch.column("latency_ms"), least),
    "max_latency_ms": lambda batch, most: pc.less_equal(batch.column("latency_ms"), most),
    "status_codes": _one_of("status_code"),
    "has_errors": _has_errors,
}
RULES = tuple(_KEEPS)
"""The rules that look at a record; `date_range` chooses the rows before."""


def counted_together(*removed: Mapping[str, int]) -> dict[str, int]:
    """Counts by rule, added up, in the order of the rules; a rule that removed nothing is not told."""
    rules = dict.fromkeys(("date_range", *RULES, *(rule for each in removed for rule in each)))
    counts = {rule: sum(each.get(rule, 0) for each in removed) for rule in rules}
    return {rule: rows for rule, rows in counts.items() if rows}


class RowFilter:
    """The filters of an export, but for `date_range`.

    Args:
        filters: As the document has them.
    """

    def __init__(self, filters: Filters) -> None:
        self.wanted = {rule: getattr(filters, rule) for rule in RULES if getattr(filters, rule) is not None}

    @property
    def is_empty(self) -> bool:
        """Whether every row passes."""
        return not self.wanted

    def apply(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, int]]:
        """Filter a batch of records.

        Returns:
            The rows that pass, and how many each rule was the first to remove.
        """
        removed = {}
        for rule, wanted in self.wanted.items():
            kept = batch.filter(_KEEPS[rule](batch, wanted))
            removed[rule] = batch.num_rows - kept.num_rows
            batch = kept
        return batch, removed
