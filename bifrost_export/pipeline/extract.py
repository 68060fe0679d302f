"""`extract`: read one slice of the log store into staging, in one snapshot, with what the books need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from bifrost_export.datasets.tool_calls import reads_tool_calls
from bifrost_export.filters.rules import DATE_RANGE, counted_together
from bifrost_export.hidden_columns import ODDITIES
from bifrost_export.pipeline import tool_calls
from bifrost_export.pipeline.arrow_files import StagedFile, Stamp, read_rows, write_rows
from bifrost_export.pipeline.books import Books, Sums
from bifrost_export.pipeline.flows import TOOL_CALLS, is_filtered, read_schema, reading_of, staged_schema
from bifrost_export.pipeline.measured import Measure
from bifrost_export.pipeline.odd_counts import OddCounts
from bifrost_export.pipeline.odd_rows import OddRows
from bifrost_export.pipeline.plan_document import check_token
from bifrost_export.pipeline.rejected_rows import Report
from bifrost_export.pipeline.resources import open_staging, with_log_store

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.logstore.inspection import OpenLogStore
    from bifrost_export.logstore.port import Reading, Rejected, Totals
    from bifrost_export.pipeline.plan_document import Plan, Slice
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging


def extract(runtime: Runtime, plan: Plan, item: dict[str, Any]) -> dict[str, Any]:
    """Read a slice.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        item: The slice, as `Plan.items` gives it.

    Returns:
        `{"token", "slice", "label", "done", "files", "rejected", "odd", "books"}`: the staged file and the books by
        dataset; `odd` counts blanked and repaired fields, unless `filter` has still to tell which rows are exported.

    Raises:
        LogStoreError: The log store can't be read.
        StagingGoneError: The run's staging folder isn't there.
    """
    check_token(plan, item, [])
    slice_ = plan.slices[item["slice"]]
    staging = open_staging(runtime, plan)
    staging.check()

    reads = count()

    def read(log_store: OpenLogStore) -> _Extracted:
        if slice_.kind == "count":
            return _counted(plan, log_store, slice_)
        # What is read again has other rows: it gets names of its own.
        attempt = f"{runtime.attempt}.{again}" if (again := next(reads)) else runtime.attempt
        return _read(replace(runtime, attempt=attempt), plan, item, staging, log_store, slice_)

    extracted = with_log_store(runtime, plan, read)
    rows, calls = extracted.books[reading_of(plan.export.data)], extracted.books.get(TOOL_CALLS)
    odd = extracted.odd.counts() if extracted.odd else OddCounts()
    told = {"label": item["label"], "rows": rows.source.rows, "rejected": rows.rejected.rows, **odd.by_column()}
    if calls is not None:
        told |= {"tool_calls": calls.source.rows, "rejected_tool_calls": calls.rejected.rows}
    runtime.report("extract", told)
    return {
        **{key: item[key] for key in ("token", "slice", "label")},
        "done": ["extract"],
        "files": extracted.files,
        "rejected": Report(runtime, plan, staging, item["slice"]).stage(
            extracted.rejected, extracted.odd.blanked() if extracted.odd else (), is_whole=not is_filtered(plan)
        ),
        "odd": odd.to_json(),
        "books": {name: each.to_json() for name, each in extracted.books.items()},
    }


@dataclass
class _Extracted:
    """What was read of a slice: by dataset, or what stands for one."""

    books: dict[str, Books] = field(default_factory=dict)
    files: dict[str, StagedFile] = field(default_factory=dict)
    rejected: dict[str, list[Rejected]] = field(default_factory=dict)
    odd: OddRows | None = None


def _counted(plan: Plan, log_store: OpenLogStore, slice_: Slice) -> _Extracted:
    data = plan.export.data
    totals = {reading_of(data): log_store.count(slice_.window)}
    if reads_tool_calls(data):
        totals[TOOL_CALLS] = log_store.count_tool_calls(slice_.window)
    return _Extracted({name: _left_out(each) for name, each in totals.items()})


def _left_out(totals: Totals) -> Books:
    source = Sums.of_totals(totals)
    return Books(source=source, filtered=source, filtered_by={DATE_RANGE: source.rows}, unsettled=totals.unsettled)


def _read(
    runtime: Runtime, plan: Plan, item: dict[str, Any], staging: Staging, log_store: OpenLogStore, slice_: Slice
) -> _Extracted:
    data, extracted = plan.export.data, _Extracted()

    def stamp(name: str, step: str = "extract") -> Stamp:
        return Stamp.of(plan, item["slice"], name, (step,))

    def take(name: str, reading: Reading, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        passing = Measure(batches)
        extracted.files[name], _ = write_rows(staging, stamp(name), runtime.attempt, schema, passing)
        extracted.books[name] = _books(reading, passing.sums)
        extracted.rejected[name] = reading.rejected
        if reading.offloaded.reason:
            skipped = f"{reading.offloaded.rows['skipped']:,} rows lack their offloaded payload"
            told = f"{skipped}, and are exported without: {reading.offloaded.reason}."
            runtime.report("warning", {"message": told})

    schema, name = read_schema(plan), reading_of(data)
    requests = log_store.read(slice_.window, schema, data.filters)
    if is_filtered(plan):
        take(name, requests, requests.batches, schema)
    else:
        _take_all(plan, name, requests, extracted, take)
    if reads_tool_calls(data):
        calls = log_store.read_tool_calls(slice_.window, tool_calls.read_schema(data))
        # They are read to their end first: a log store answers one question at a time.
        own = stamp(TOOL_CALLS, "read")
        file, _ = write_rows(staging, own, runtime.attempt, tool_calls.read_schema(data), calls.batches)
        found = tool_calls.Causes(log_store, plan).of(read_rows(staging, file, own))
        take(TOOL_CALLS, calls, found, tool_calls.staged_schema(data))
    return extracted


def _take_all(plan: Plan, dataset: str, requests: Reading, extracted: _Extracted, take: Callable[..., None]) -> None:
    """Stage rows that nothing filters: all of them are exported."""
    schema, odd, beside = staged_schema(plan, dataset), OddRows(plan), Sums()

    def rows() -> Iterator[pa.RecordBatch]:
        nonlocal beside
        for batch in requests.batches:
            odd.add(dataset, batch)
            beside += Sums.beside(batch.select([*schema.names, ODDITIES]))
            yield batch.select(schema.names)

    take(dataset, requests, rows(), schema)
    counts = odd.by_dataset.get(dataset, OddCounts())
    extracted.books[dataset] = replace(extracted.books[dataset], blanked=beside, odd=counts)
    extracted.odd = odd


def _books(reading: Reading, kept: Sums) -> Books:
    return Books(
        source=Sums.of_totals(reading.totals),
        rejected=Sums.of_rejected(reading.rejected),
        filtered=Sums.of_removed(reading.removed),
        filtered_by=counted_together(reading.removed.rows),
        kept=kept,
        staged=kept,
        unsettled=reading.totals.unsettled,
        offloaded=reading.offloaded.rows,
        payloads=reading.offloaded.columns,
    )
