"""`extract`: read one slice of the log store into staging, in one snapshot, with what the books need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from bifrost_export.datasets import named
from bifrost_export.datasets.tool_calls import TRACES, reads_tool_calls
from bifrost_export.filters import counted_together
from bifrost_export.logstore.rejecting import place_of
from bifrost_export.pipeline import tool_calls
from bifrost_export.pipeline.arrow_files import StagedFile, Stamp, read_rows, write_rows
from bifrost_export.pipeline.books import Books, Sums
from bifrost_export.pipeline.chain import open_transforms
from bifrost_export.pipeline.columns import TOOL_CALLS, read_schema, reading_of
from bifrost_export.pipeline.flows import first_schema
from bifrost_export.pipeline.measuring import Measure
from bifrost_export.pipeline.opening import open_staging, with_log_store
from bifrost_export.pipeline.taking import check_token

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.logstore.port import LogStore, Reading, Rejected, Totals
    from bifrost_export.pipeline.plan_document import Plan, Slice
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging
    from bifrost_export.transforms.port import Transform


def extract(runtime: Runtime, plan: Plan, item: dict[str, Any]) -> dict[str, Any]:
    """Read a slice.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        item: The slice, as `Plan.items` gives it.

    Returns:
        `{"token", "slice", "label", "done", "files", "rejected", "books"}`: the staged file and the books by dataset.

    Raises:
        LogStoreError: The log store can't be read.
        StagingGoneError: The run's staging folder isn't there.
    """
    check_token(plan, item, [])
    slice_ = plan.slices[item["slice"]]
    staging = open_staging(runtime, plan)
    staging.check()

    def read(log_store: LogStore) -> _Extracted:
        if slice_.kind == "count":
            return _counted(plan, log_store, slice_)
        return _read(runtime, plan, item, staging, log_store, slice_)

    extracted = with_log_store(runtime, plan, read)
    rows, calls = extracted.books[reading_of(plan.export.data)], extracted.books.get(TOOL_CALLS)
    told = {"label": item["label"], "rows": rows.source.rows, "rejected": rows.rejected.rows}
    if calls is not None:
        told |= {"tool_calls": calls.source.rows, "rejected_tool_calls": calls.rejected.rows}
    runtime.report("extract", told)
    return {
        **{key: item[key] for key in ("token", "slice", "label")},
        "done": ["extract"],
        "files": extracted.files,
        "rejected": _stage_rejected(runtime, plan, staging, item["slice"], extracted.rejected),
        "books": {name: each.to_json() for name, each in extracted.books.items()},
    }


@dataclass
class _Extracted:
    """What was read of a slice: by dataset, or what stands for one."""

    books: dict[str, Books] = field(default_factory=dict)
    files: dict[str, StagedFile] = field(default_factory=dict)
    rejected: dict[str, list[Rejected]] = field(default_factory=dict)


def _counted(plan: Plan, log_store: LogStore, slice_: Slice) -> _Extracted:
    data = plan.export.data
    totals = {reading_of(data): log_store.count(slice_.window)}
    if reads_tool_calls(data):
        totals[TOOL_CALLS] = log_store.count_tool_calls(slice_.window)
    return _Extracted({name: _left_out(each) for name, each in totals.items()})


def _left_out(totals: Totals) -> Books:
    source = Sums.of_totals(totals)
    return Books(source=source, filtered=source, filtered_by={"date_range": source.rows}, unsettled=totals.unsettled)


def _read(
    runtime: Runtime, plan: Plan, item: dict[str, Any], staging: Staging, log_store: LogStore, slice_: Slice
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

    requests = log_store.read(slice_.window, read_schema(plan), data.filters)
    take(reading_of(data), requests, requests.batches, read_schema(plan))
    if reads_tool_calls(data):
        calls = log_store.read_tool_calls(slice_.window, tool_calls.read_schema(data))
        # They are read to their end first: a log store answers one question at a time.
        own = stamp(TOOL_CALLS, "read")
        file, _ = write_rows(staging, own, runtime.attempt, tool_calls.read_schema(data), calls.batches)
        found = tool_calls.Causes(log_store, plan).of(read_rows(staging, file, own))
        take(TOOL_CALLS, calls, found, tool_calls.staged_schema(data))
    return extracted


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
    )


def _stage_rejected(
    runtime: Runtime, plan: Plan, staging: Staging, slice_: int, rejected: dict[str, list[Rejected]]
) -> dict[str, Any] | None:
    """Tell rejected rows in the order of their times, requests before tool calls."""
    rows = [(row, name == TOOL_CALLS) for name, each in rejected.items() for row in each]
    if not rows:
        return None
    transforms = open_transforms(runtime, plan)
    having = {dataset: _needed(plan, dataset) for dataset in plan.datasets}
    name = f"{slice_:05d}.rejected.{runtime.attempt}.jsonl"
    with staging.write(name) as stream:
        for row, is_call in sorted(rows, key=lambda each: (place_of(each[0]), each[1])):
            first = next((each for each, columns in having.items() if row.column in columns), plan.datasets[0])
            told = _told(row, TRACES if is_call else first, transforms)
            stream.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
    return {"name": name, "sha256": stream.sha256, "rows": len(rows)}


def _needed(plan: Plan, dataset: str) -> set[str]:
    """The columns that a dataset has, or is made of."""
    return {*first_schema(plan, dataset).names, *(column.name for column in named(dataset).reads)}


def _told(row: Rejected, dataset: str, transforms: Sequence[Transform]) -> dict[str, Any]:
    """A rejected row as an auditor reads it: its id as the rows have it, its place and shape, never its value.

    Args:
        row: The row, which no dataset gets.
        dataset: The first that has the column.
        transforms: They mask its id.
    """
    told = {**asdict(row), "column": named(dataset).told_as.get(row.column, row.column)}
    for transform in transforms:
        told["request_id"] = transform.mask_value("request_id", told["request_id"])
    return {
        "dataset": dataset,
        **{key: told[key] for key in ("request_id", "column", "reason", "value_type", "value_length")},
    }
