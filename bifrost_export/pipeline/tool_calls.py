"""Rows of `mcp_tool_logs` on their way to `traces`: each follows the request that caused it (protocol, section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.columns import arrow_schema
from bifrost_export.datasets.reading import columns_read
from bifrost_export.datasets.spans import tool_spans, trace_ids
from bifrost_export.datasets.tool_calls import ARGUMENTS, FOUND, IS_REMOVED, RESULT, TRACE_ID, tool_call_columns
from bifrost_export.datasets.traces import HIDDEN, LINEAGE
from bifrost_export.filters.row_filter import RowFilter
from bifrost_export.hidden_columns import ODDITIES_COLUMN
from bifrost_export.logstore.contents import content_sources
from bifrost_export.logstore.lookup import AT_ONCE, WIDE_AT_ONCE
from bifrost_export.pipeline.books import Books, Change, Sums
from bifrost_export.pipeline.flows import TOOL_CALLS
from bifrost_export.pipeline.odd_counts import OddCounts
from bifrost_export.window import merge, micros

if TYPE_CHECKING:
    from bifrost_export.config.models.export import Data
    from bifrost_export.logstore.port import LogStore
    from bifrost_export.pipeline.odd_rows import OddRows
    from bifrost_export.pipeline.plan_document import Plan

REQUEST = "request"
"""The rule that removes a call: the filters remove the request that caused it."""

SPAN_ORDER = ("start_time", "span_id")
"""Of the rows of `traces`."""

_KEY = "request_id"


def read_schema(data: Data) -> pa.Schema:
    """The schema of the calls as the log store gives them."""
    return arrow_schema((*tool_call_columns(data), ODDITIES_COLUMN))


def staged_schema(data: Data) -> pa.Schema:
    """The schema of the calls as `extract` stages them, with what was found out of their requests."""
    return arrow_schema((*tool_call_columns(data), *FOUND, ODDITIES_COLUMN))


class Causes:
    """Finds out about the requests that caused calls.

    Args:
        log_store: Where they are.
        plan: The run's plan.
    """

    def __init__(self, log_store: LogStore, plan: Plan) -> None:
        self.log_store = log_store
        self.data = plan.export.data
        self.row_filter = RowFilter(self.data.filters)
        self.schema = _causes_schema(self.data, self.row_filter)
        self.at_once = WIDE_AT_ONCE if content_sources(self.schema) else AT_ONCE
        read = merge(each.window for each in plan.slices if each.kind == "rows")
        self.times = [(micros(each.start), micros(each.end)) for each in read]

    def of(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The calls, with the trace of each, and whether the filters take it along."""
        schema = staged_schema(self.data)
        for batch in batches:
            causes = batch.column("llm_request_id").to_pylist()
            found = self._found(causes)
            pairs = list(zip(batch.column(_KEY).to_pylist(), causes, strict=True))
            arrays = {name: batch.column(name) for name in batch.schema.names}
            traces = [found.traces.get(cause, cause) if cause else call for call, cause in pairs]
            arrays[TRACE_ID.name] = pa.array(traces, pa.string())
            arrays[IS_REMOVED.name] = pa.array([cause in found.removed for cause in causes], pa.bool_())
            if self.data.include_content:
                shown = pa.array([cause not in found.hidden for cause in causes], pa.bool_())
                for name in (ARGUMENTS.name, RESULT.name):
                    arrays[name] = pc.if_else(shown, arrays[name], pa.scalar(None, pa.string()))
            yield pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)

    def _found(self, causes: Iterable[str | None]) -> _Found:
        """What there is to know of some requests; their rows are in memory a few hundred at a time."""
        found = _Found()
        ids = list(dict.fromkeys(cause for cause in causes if cause))
        for first in range(0, len(ids), self.at_once):
            requests = self.log_store.lookup(ids[first : first + self.at_once], self.schema)
            for batch in requests.rows.to_batches():
                found.traces |= zip(batch.column(_KEY).to_pylist(), trace_ids(batch).to_pylist(), strict=True)
                found.removed |= self._removed(batch)
                if self.data.include_content:
                    found.hidden |= _ids(batch.filter(batch.column(HIDDEN.name)))
            # Nobody knows whether a request that can't be read hides its contents.
            found.hidden |= requests.others
        return found

    def _removed(self, batch: pa.RecordBatch) -> set[str]:
        """Requests that this run reads, and filters out."""
        if self.row_filter.is_empty:
            return set()
        moments = batch.column("timestamp").cast(pa.int64()).to_pylist()
        is_read = [any(low <= each < high for low, high in self.times) for each in moments]
        read = batch.filter(pa.array(is_read, pa.bool_()))
        kept, _ = self.row_filter.apply(read)
        return _ids(read) - _ids(kept)


@dataclass
class _Found:
    """What was found out about requests.

    Args:
        traces: Id -> trace.
        removed: Those that this run filters out.
        hidden: Those whose contents Bifrost hides, so that those of their calls stay hidden too.
    """

    traces: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)


def _ids(batch: pa.RecordBatch) -> set[str]:
    return set(batch.column(_KEY).to_pylist())


def _causes_schema(data: Data, row_filter: RowFilter) -> pa.Schema:
    """What is read of the requests: to know which the filters remove, all that could make a row of them be rejected."""
    read = () if row_filter.is_empty else columns_read(data)
    hidden = (HIDDEN,) if data.include_content else ()
    return arrow_schema({column.name: column for column in (*read, *LINEAGE, *hidden)}.values())


class ToolSpans:
    """The calls of a slice that stay, as spans.

    Args:
        schema: That of `traces`.
        data: What the export asks for.
        odd: Gets those of them that are odd.
    """

    def __init__(self, schema: pa.Schema, data: Data, odd: OddRows) -> None:
        self.schema, self.data, self.odd = schema, data, odd
        self.given, self.kept = Sums(), Sums()

    def of(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Make them batch by batch."""
        for batch in batches:
            kept = batch.filter(pc.invert(batch.column("is_removed")))
            self.given += Sums.of_batch(batch)
            self.kept += Sums.of_batch(kept)
            self.odd.add(TOOL_CALLS, kept)
            if kept.num_rows:
                yield tool_spans(kept, self.schema, self.data)

    def booked(self, read: Books) -> Books:
        """The books of the calls, from those of what was read."""
        removed = self.given - self.kept
        rules = {REQUEST: removed.rows} if removed.rows else {}
        odd = self.odd.by_dataset.get(TOOL_CALLS, OddCounts())
        return replace(read, kept=self.kept, staged=self.kept, filtered=removed, filtered_by=rules, odd=odd)


def joined(requests: Books, calls: Books, staged: Sums) -> Books:
    """The books of `traces`: those of its requests, with the calls that came to them.

    Args:
        requests: The books of the spans that requests became.
        calls: Those of the calls.
        staged: All spans, measured where they were written.
    """
    # What was written, less the calls that were counted before, must be the requests' spans.
    told = Sums(staged.rows - calls.staged.rows)
    return requests.changed([Change(TOOL_CALLS, requests.staged, staged, told, ("rows",))], staged)
