"""The log store port: what a source of log rows does, whatever database it is.

A log store reads a slice in the order of (`timestamp` cut to microseconds, `id` by bytes), as record batches that
already have the record's columns, and says from the very snapshot of the rows what the books need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from bifrost_export.filters.config import Filters
    from bifrost_export.window import Window

COLUMNS = (
    *("id", "timestamp", "status", "created_at", "provider", "model", "object_type", "customer_id", "customer_ids"),
    *("latency", "prompt_tokens", "completion_tokens", "total_tokens", "token_usage", "cost", "error_details"),
    "params",
    "has_object",
)
"""The columns of `logs` that a record is made of; an older log store lacks some, and they count as null."""

TOOL_CALLS = "mcp_tool_logs"
"""The table of tool calls, which older log stores lack. It shares its times, its status, its customer, its latency, its
cost and its error with `logs`, and they are read in the same way."""


@dataclass(frozen=True)
class Totals:
    """What a slice holds, counted by the database.

    Args:
        rows: Rows that are not `processing`: the source count of the books.
        unsettled: Rows that are `processing`; they are not exported.
        input_tokens: Sum over all of `rows` whose value is a whole number within +-`SUMMED_TOKENS`.
        output_tokens: The same for the completion's tokens.
        cost_usd: Sum over all of `rows` whose value is a number within +-`SUMMED_COST`, in USD.
        cost_scale: Sum of their absolute values, to which a rounding error is compared.
    """

    rows: int = 0
    unsettled: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    cost_scale: float = 0.0


@dataclass(frozen=True)
class Removed:
    """Rows that a log store left out since the export's filters remove them, counted by the database.

    Args:
        rows: By the first rule that removes them.
        input_tokens: As in `Totals`.
        output_tokens: As in `Totals`.
        cost: Floats that add up to their costs, in USD, as good as exactly.
        cost_scale: Sum of the absolute values.
        in_doubt: Rows that a rule removes unless they are rejected: these have not been left out.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: tuple[float, ...] = ()
    cost_scale: float = 0.0
    in_doubt: int = 0

    def __add__(self, other: Removed) -> Removed:
        """Both together."""
        rules = dict.fromkeys((*self.rows, *other.rows))
        return Removed(
            {rule: self.rows.get(rule, 0) + other.rows.get(rule, 0) for rule in rules},
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            (*self.cost, *other.cost),
            self.cost_scale + other.cost_scale,
            self.in_doubt + other.in_doubt,
        )


@dataclass(frozen=True)
class Rejected:
    """A row that could not become a record: told by its place and shape, never by its value.

    Args:
        timestamp: Microseconds since 1970 UTC that place the row: of `timestamp`, else of `created_at`.
        request_id: The row's id, repaired where it is not UTF-8.
        column: The record's column that could not be filled.
        reason: What is wrong, in words.
        value_type: The value's type in the log store.
        value_length: Its length in bytes, or None for a number.
        input_tokens: What the row adds to `Totals.input_tokens`.
        output_tokens: What the row adds to `Totals.output_tokens`.
        cost_usd: What the row adds to `Totals.cost_usd`.
    """

    timestamp: int
    request_id: str
    column: str
    reason: str
    value_type: str
    value_length: int | None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0


OUTCOMES = ("completed", "gone", "broken", "skipped")
"""What becomes of a row that needed its offloaded payload: its object was read, is gone, is there but can't be read,
or there was no access. Only the first has more to export than the row itself."""


@dataclass
class Offloaded:
    """Rows that needed their offloaded payload, by what became of them; filled while a slice is read.

    Args:
        rows: By `OUTCOMES`.
        columns: The same by column of the payload that the row needed.
        reason: Why there was no access, when there was none.
    """

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    columns: dict[str, dict[str, int]] = field(default_factory=dict)
    reason: str | None = None

    def add(self, outcome: str, columns: Iterable[str]) -> None:
        """Count a row that needed some columns of its payload."""
        self.rows[outcome] += 1
        for column in columns:
            self.columns.setdefault(column, dict.fromkeys(OUTCOMES, 0))[outcome] += 1


@dataclass
class Reading:
    """One slice: read in one snapshot, or in pieces by time, each in one snapshot of its own.

    Args:
        totals: Counted by the database in the very snapshots of the rows; complete when `batches` ends.
        batches: Record batches of the dataset's schema, in row order, of some tens of thousands of rows at most. Rows
            that the filters remove, but that could have been rejected, may stand behind all others, in any order.
        rejected: Filled while `batches` is read; complete and in order of (timestamp, request_id) when it ends.
        offloaded: The same, of the rows whose payload is offloaded.
        removed: The rows of `totals` that are not among these; counted as `totals` are.
    """

    totals: Totals
    batches: Iterator[pa.RecordBatch]
    rejected: list[Rejected] = field(default_factory=list)
    offloaded: Offloaded = field(default_factory=Offloaded)
    removed: Removed = field(default_factory=Removed)


@dataclass(frozen=True)
class Requests:
    """Requests that were looked up by their ids.

    Args:
        rows: Those that can become a record, of the schema that was asked for, in no order.
        others: Ids of those that are there and can't: rejected, or still `processing`.
    """

    rows: pa.Table
    others: frozenset[str]


class LogStore(Protocol):
    """**Protocol.** A source of log rows. It is opened read-only and never creates or changes anything.

    These are the methods that every log store has. `bifrost_export.logstore.inspection.Inspected` has those that it
    may lack. Its class names the model of its config as `Config`, and is called with such a config.
    """

    kind: str

    def describe(self) -> dict[str, Any]:
        """Which log store this is, for manifest and messages; without secrets. `type` is its registered name."""
        ...

    def columns(self) -> frozenset[str]:
        """The columns that `logs` has here; older log stores lack some."""
        ...

    def slices(self, windows: Sequence[Window], rows_per_slice: int, most: int) -> list[Window]:
        """Cut windows into slices by counts of their own rows.

        Args:
            windows: Disjoint windows in order.
            rows_per_slice: How many rows a slice should hold, about.
            most: How many slices there may be; at least one a window comes back all the same.
        """
        ...

    def count(self, window: Window) -> Totals:
        """What a window holds, without reading its rows."""
        ...

    def read(self, window: Window, schema: pa.Schema, filters: Filters | None = None) -> Reading:
        """Read one slice; the caller reads `batches` to its end or closes the log store.

        Args:
            window: The slice.
            schema: The columns that are wanted: those of the record, and columns of `logs` by their own names.
            filters: Rows that these surely remove may be left out, and are counted in `Reading.removed`. The others
                are for whoever asks to filter.
        """
        ...

    def lookup(self, ids: Sequence[str], schema: pa.Schema) -> Requests:
        """Look requests up, wherever they lie in time.

        Args:
            ids: Some hundreds of them.
            schema: As for `read`.
        """
        ...

    def close(self) -> None:
        """Give back the connection."""
        ...
