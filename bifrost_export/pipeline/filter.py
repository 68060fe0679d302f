"""`filter`: keep the rows that pass the config's filters, and count the others by rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bifrost_export.datasets.reading import rows_of
from bifrost_export.filters import RowFilter
from bifrost_export.pipeline.arrow_files import Stamp, read_rows, write_rows
from bifrost_export.pipeline.books import Books, Sums
from bifrost_export.pipeline.changes import MEASURED, Change
from bifrost_export.pipeline.columns import reading_of
from bifrost_export.pipeline.flows import first_schema
from bifrost_export.pipeline.opening import open_staging
from bifrost_export.pipeline.taking import check_token

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime


def filter_slice(runtime: Runtime, plan: Plan, item: dict[str, Any]) -> dict[str, Any]:
    """Filter a slice, and divide its rows among the datasets; with nothing to do it hands on what it was given.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        item: What `extract` gave.

    Returns:
        The same shape, files and books by dataset.

    Raises:
        StagingGoneError: A staged file isn't there.
        PlanMismatchError: A staged file isn't the planned one.
    """
    check_token(plan, item, ["extract"])
    done = [*item["done"], "filter"]
    if not any("filter" in steps for steps in plan.steps.values()):
        return {**item, "done": done}
    reading = reading_of(plan.export.data)
    read = Books.from_json(item["books"][reading])
    if not item["files"]:
        return {**item, "done": done, "books": dict.fromkeys(plan.datasets, read.to_json())}
    staging = open_staging(runtime, plan)
    row_filter = RowFilter(plan.export.data.filters)
    files, books = {}, {}
    for dataset in plan.datasets:
        rows = read_rows(staging, item["files"][reading], Stamp.of(plan, item["slice"], reading, ("extract",)))
        division = Division(dataset, row_filter, first_schema(plan, dataset))
        stamp = Stamp.of(plan, item["slice"], dataset, ("extract", "filter"))
        files[dataset], _ = write_rows(staging, stamp, runtime.attempt, division.schema, division.of(rows))
        books[dataset] = division.booked(read).to_json()
        told = {"label": item["label"], "dataset": dataset, "kept": division.kept.rows, "removed": division.removed}
        runtime.report("filter", told)
    return {**item, "done": done, "files": files, "books": books}


class Division:
    """The rows of one dataset, with the counts of those that it doesn't get.

    Args:
        dataset: The dataset.
        row_filter: The export's filters.
        schema: The dataset's.
    """

    def __init__(self, dataset: str, row_filter: RowFilter, schema: pa.Schema) -> None:
        self.dataset, self.row_filter, self.schema = dataset, row_filter, schema
        self.given, self.kept, self.made = Sums(), Sums(), Sums()
        self.removed: dict[str, int] = {}

    def of(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Filter and divide batch by batch."""
        for batch in batches:
            passed, removed = self.row_filter.apply(batch)
            taken, made = rows_of(self.dataset, passed, self.schema)
            for rule, rows in {**removed, "dataset": passed.num_rows - taken.num_rows}.items():
                self.removed[rule] = self.removed.get(rule, 0) + rows
            self.given += Sums.of_batch(batch)
            self.kept += Sums.of_batch(taken)
            self.made += Sums.of_batch(made)
            if made.num_rows:
                yield made

    def booked(self, read: Books) -> Books:
        """The dataset's books, from those of what was read."""
        filtered = self.given - self.kept
        rules = {**read.filtered_by, **{rule: rows for rule, rows in self.removed.items() if rows}}
        books = replace(read, kept=self.kept, staged=self.made, filtered=read.filtered + filtered, filtered_by=rules)
        surviving = [measure for name, measure in MEASURED.items() if name in self.schema.names]
        if len(surviving) == len(MEASURED):
            return books
        # What the dataset's columns don't hold can't be compared from here on.
        made = Change("filter", self.kept, self.made, self.made, ("rows", *surviving))
        return books.changed([made], self.made)
