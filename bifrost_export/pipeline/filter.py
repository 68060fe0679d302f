"""`filter`: keep the rows that pass the config's filters, and count the others by rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bifrost_export.filters import RowFilter
from bifrost_export.pipeline.arrow_files import Stamp, read_rows, write_rows
from bifrost_export.pipeline.books import Books, Sums
from bifrost_export.pipeline.columns import read_schema
from bifrost_export.pipeline.opening import open_staging
from bifrost_export.pipeline.taking import check_token

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging


def filter_slice(runtime: Runtime, plan: Plan, item: dict[str, Any]) -> dict[str, Any]:
    """Filter a slice; without filters it hands on the files that it was given.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        item: What `extract` gave.

    Returns:
        The same shape.

    Raises:
        StagingGoneError: A staged file isn't there.
        PlanMismatchError: A staged file isn't the planned one.
    """
    check_token(plan, item, ["extract"])
    done = [*item["done"], "filter"]
    if "filter" not in plan.steps or not item["files"]:
        return {**item, "done": done}
    staging = open_staging(runtime, plan)
    files, books = {}, dict(item["books"])
    for dataset, name in item["files"].items():
        files[dataset], kept = _filter(runtime, plan, staging, item["slice"], dataset, name)
        books[dataset] = _booked(Books.from_json(item["books"][dataset]), kept).to_json()
        runtime.report("filter", {"label": item["label"], "kept": kept.kept.rows, "removed": kept.removed})
    return {**item, "done": done, "files": files, "books": books}


class _Kept:
    """Rows that passed, with the counts of those that didn't."""

    def __init__(self, row_filter: RowFilter) -> None:
        self.row_filter = row_filter
        self.given, self.kept = Sums(), Sums()
        self.removed: dict[str, int] = {}

    def of(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Filter batch by batch."""
        for batch in batches:
            passed, removed = self.row_filter.apply(batch)
            for rule, rows in removed.items():
                self.removed[rule] = self.removed.get(rule, 0) + rows
            self.given += Sums.of_batch(batch)
            self.kept += Sums.of_batch(passed)
            if passed.num_rows:
                yield passed


def _filter(runtime: Runtime, plan: Plan, staging: Staging, slice_: int, dataset: str, name: str) -> tuple[str, _Kept]:
    kept = _Kept(RowFilter(plan.export.data.filters))
    before = Stamp.of(plan, slice_, dataset, ("extract",))
    after = Stamp.of(plan, slice_, dataset, ("extract", "filter"))
    rows = kept.of(read_rows(staging, name, before))
    filtered, _ = write_rows(staging, after, runtime.attempt, read_schema(plan, dataset), rows)
    return filtered, kept


def _booked(books: Books, kept: _Kept) -> Books:
    filtered = kept.given - kept.kept
    rules = {**books.filtered_by, **{rule: rows for rule, rows in kept.removed.items() if rows}}
    return replace(books, kept=kept.kept, staged=kept.kept, filtered=books.filtered + filtered, filtered_by=rules)
