"""The config's filters on records: rows are kept by all rules, and counted under the first that removes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.filters.rules import asked

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.filters.config import Filters


class RowFilter:
    """The filters of an export, but for `date_range`.

    Args:
        filters: As the document has them.
    """

    def __init__(self, filters: Filters) -> None:
        self.asked = asked(filters)

    @property
    def is_empty(self) -> bool:
        """Whether every row passes."""
        return not self.asked

    def apply(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, int]]:
        """Filter a batch of records.

        Returns:
            The rows that pass, and how many each rule was the first to remove.
        """
        removed = {}
        for rule, wanted in self.asked:
            kept = batch.filter(rule.keeps(batch.column(rule.column), wanted))
            removed[rule.name] = batch.num_rows - kept.num_rows
            batch = kept
        return batch, removed
