"""`filter`: keep the rows that pass the config's filters, and count the others by rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bifrost_export.datasets.reading import rows_of
from bifrost_export.datasets.tool_calls import TRACES
from bifrost_export.filters.row_filter import RowFilter
from bifrost_export.filters.rules import counted_together
from bifrost_export.hidden_columns import ODDITIES, is_hidden
from bifrost_export.logstore.merging import merged
from bifrost_export.pipeline.arrow_files import Stamp, read_rows, write_rows
from bifrost_export.pipeline.books import Books, Sums
from bifrost_export.pipeline.changes import MEASURED, Change
from bifrost_export.pipeline.flows import TOOL_CALLS, is_filtered, reading_of, staged_schema
from bifrost_export.pipeline.measured import Measure
from bifrost_export.pipeline.odd_counts import OddCounts
from bifrost_export.pipeline.odd_rows import OddRows
from bifrost_export.pipeline.plan_document import check_token
from bifrost_export.pipeline.rejected_rows import Report
from bifrost_export.pipeline.resources import open_staging
from bifrost_export.pipeline.tool_calls import SPAN_ORDER, ToolSpans, joined

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.config.models.export import Data
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
    if not is_filtered(plan):
        return {**item, "done": done}
    reading = reading_of(plan.export.data)
    read = Books.from_json(item["books"][reading])
    books = {TOOL_CALLS: item["books"][TOOL_CALLS]} if TOOL_CALLS in item["books"] else {}
    if not item["files"]:
        return {**item, "done": done, "books": {**dict.fromkeys(plan.datasets, read.to_json()), **books}}
    staging, data = open_staging(runtime, plan), plan.export.data
    row_filter, files, odd = RowFilter(data.filters), {}, OddRows(plan)

    def staged(name: str) -> Iterator[pa.RecordBatch]:
        return read_rows(staging, item["files"][name], Stamp.of(plan, item["slice"], name, ("extract",)))

    def tell(dataset: str, kept: int, removed: dict[str, int]) -> None:
        counts = odd.by_dataset.get(dataset, OddCounts()).by_column()
        facts = {"label": item["label"], "dataset": dataset, "kept": kept, "removed": removed}
        runtime.report("filter", {**facts, **counts})

    for dataset in plan.datasets:
        division = Division(dataset, row_filter, staged_schema(plan, dataset), data, odd)
        rows = division.of(staged(reading))
        calls = ToolSpans(division.schema, data, odd) if dataset == TRACES else None
        spans = None if calls is None else Measure(merged(rows, calls.of(staged(TOOL_CALLS)), SPAN_ORDER))
        stamp = Stamp.of(plan, item["slice"], dataset, ("extract", "filter"))
        files[dataset], _ = write_rows(staging, stamp, runtime.attempt, division.schema, spans or rows)
        booked = division.booked(read)
        tell(dataset, division.kept.rows, counted_together(read.filtered_by, division.removed))
        if calls is not None and spans is not None:
            called = calls.booked(Books.from_json(item["books"][TOOL_CALLS]))
            booked = joined(booked, called, spans.sums)
            books[TOOL_CALLS] = called.to_json()
            tell(TOOL_CALLS, called.kept.rows, called.filtered_by)
        books[dataset] = replace(booked, odd=odd.by_dataset.get(dataset, OddCounts())).to_json()
    report = Report(runtime, plan, staging, item["slice"]).add(item["rejected"], odd.blanked())
    counted = {"rejected": report, "odd": odd.counts().to_json()}
    return {**item, "done": done, "files": files, "books": books, **counted}


class Division:
    """The rows of one dataset, with the counts of those that it doesn't get.

    Args:
        dataset: The dataset.
        row_filter: The export's filters.
        schema: The dataset's, with what travels beside its rows.
        data: What the export asks for.
        odd: Gets those of its rows that are odd.
    """

    def __init__(self, dataset: str, row_filter: RowFilter, schema: pa.Schema, data: Data, odd: OddRows) -> None:
        self.dataset, self.row_filter, self.schema, self.data, self.odd = dataset, row_filter, schema, data, odd
        self.given, self.passed, self.made, self.blanked = Sums(), Sums(), Sums(), Sums()
        self.removed: dict[str, int] = {}

    def of(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Filter and divide batch by batch."""
        for batch in batches:
            passed, removed = self.row_filter.apply(batch)
            taken, made = rows_of(self.dataset, passed, self.schema, self.data)
            for rule, rows in {**removed, "dataset": passed.num_rows - taken.num_rows}.items():
                self.removed[rule] = self.removed.get(rule, 0) + rows
            self.given += Sums.of_batch(batch)
            self.passed += Sums.of_batch(taken)
            self.blanked += Sums.beside(self._without_twins(taken))
            self.odd.add(self.dataset, taken)
            self.made += Sums.of_batch(made)
            if made.num_rows:
                yield made

    @property
    def kept(self) -> Sums:
        """The rows that it gets, without the tokens that none of its columns can hold."""
        return self.passed - self.blanked

    def _without_twins(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch without the hidden columns that the dataset's rows don't carry on."""
        stays = {ODDITIES, *self.schema.names}
        return batch.select([name for name in batch.schema.names if name in stays or not is_hidden(name)])

    def booked(self, read: Books) -> Books:
        """The dataset's books, from those of what was read."""
        # The log store has left some of them out.
        filtered = self.given - self.passed
        rules = counted_together(read.filtered_by, self.removed)
        books = replace(read, kept=self.kept, staged=self.made, blanked=self.blanked)
        books = replace(books, filtered=read.filtered + filtered, filtered_by=rules)
        surviving = [measure for name, measure in MEASURED.items() if name in self.schema.names]
        if len(surviving) == len(MEASURED):
            return books
        # What the dataset's columns don't hold can't be compared from here on.
        made = Change("filter", self.kept, self.made, self.made, ("rows", *surviving))
        return books.changed([made], self.made)
