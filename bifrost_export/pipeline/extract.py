"""`extract`: read one slice of the log store into staging, in one snapshot, with what the books need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from bifrost_export.pipeline.arrow_files import Stamp, write_rows
from bifrost_export.pipeline.books import Books, Sums
from bifrost_export.pipeline.columns import read_schema
from bifrost_export.pipeline.opening import open_log_store, open_staging
from bifrost_export.pipeline.taking import check_token

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.logstore.port import LogStore, Rejected
    from bifrost_export.pipeline.plan_document import Plan, Slice
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging

DATASET = "request_logs"


class Measure:
    """Adds up the batches that pass through it.

    Args:
        batches: What passes.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self.batches = batches
        self.sums = Sums()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, unchanged."""
        for batch in self.batches:
            self.sums += Sums.of_batch(batch)
            yield batch


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
    log_store = open_log_store(runtime, plan)
    try:
        if slice_.kind == "count":
            files: dict[str, str] = {}
            rejected, books = None, _count(log_store, slice_)
        else:
            files, rejected, books = _read(runtime, plan, item, staging, log_store, slice_)
    finally:
        log_store.close()
    runtime.report("extract", {"label": item["label"], "rows": books.source.rows, "rejected": books.rejected.rows})
    return {
        **{key: item[key] for key in ("token", "slice", "label")},
        "done": ["extract"],
        "files": files,
        "rejected": rejected,
        "books": {DATASET: books.to_json()},
    }


def _count(log_store: LogStore, slice_: Slice) -> Books:
    totals = log_store.count(slice_.window)
    source = Sums.of_totals(totals)
    return Books(source=source, filtered=source, filtered_by={"date_range": source.rows}, unsettled=totals.unsettled)


def _read(
    runtime: Runtime, plan: Plan, item: dict[str, Any], staging: Staging, log_store: LogStore, slice_: Slice
) -> tuple[dict[str, str], dict[str, Any] | None, Books]:
    schema = read_schema(plan, DATASET)
    reading = log_store.read(slice_.window, schema)
    passing = Measure(reading.batches)
    stamp = Stamp.of(plan, item["slice"], DATASET, ("extract",))
    name, _ = write_rows(staging, stamp, runtime.attempt, schema, passing)
    books = Books(
        source=Sums.of_totals(reading.totals),
        rejected=Sums.of_rejected(reading.rejected),
        kept=passing.sums,
        staged=passing.sums,
        unsettled=reading.totals.unsettled,
    )
    return {DATASET: name}, _stage_rejected(runtime, staging, item["slice"], reading.rejected), books


def _stage_rejected(runtime: Runtime, staging: Staging, slice_: int, rejected: list[Rejected]) -> dict[str, Any] | None:
    if not rejected:
        return None
    name = f"{slice_:05d}.rejected.{runtime.attempt}.jsonl"
    with staging.write(name) as stream:
        for row in rejected:
            stream.write(orjson.dumps(_told(row), option=orjson.OPT_APPEND_NEWLINE))
    return {"name": name, "rows": len(rejected)}


def _told(row: Rejected) -> dict[str, Any]:
    """A rejected row as an auditor reads it: its place and shape, never its value."""
    told = asdict(row)
    return {
        "dataset": DATASET,
        **{key: told[key] for key in ("request_id", "column", "reason", "value_type", "value_length")},
    }
