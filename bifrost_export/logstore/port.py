"""The log store port: what a source of log rows does, whatever database it is.

A log store reads a slice in the order of (`timestamp` cut to microseconds, `id` by bytes), as record batches that
already have the record's columns, and says from the very snapshot of the rows what the books need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from bifrost_export.window import Window

COLUMNS = (
    *("id", "timestamp", "status", "created_at", "provider", "model", "object_type", "customer_id", "customer_ids"),
    *("latency", "prompt_tokens", "completion_tokens", "total_tokens", "token_usage", "cost", "error_details"),
    "params",
)
"""The columns of `logs` that a record is made of; an older log store lacks some, and they count as null."""

SUMMED_COST = 1e300
"""A cost beyond this, either way, is exported and not added up: a sum of the others could not overflow."""


@dataclass(frozen=True)
class Totals:
    """What a slice holds, counted by the database.

    Args:
        rows: Rows that are not `processing`: the source count of the books.
        unsettled: Rows that are `processing`; they are not exported.
        input_tokens: Sum over all of `rows` whose value is a whole number within INT32.
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
class Rejected:
    """A row that could not become a record: told by its place and shape, never by its value.

    Args:
        timestamp: Microseconds since 1970 UTC that place the row: of `timestamp`, else of `created_at`.
        request_id: The row's id, with what is no UTF-8 replaced.
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


@dataclass
class Reading:
    """One slice: read in one snapshot, or in pieces by time, each in one snapshot of its own.

    Args:
        totals: Counted by the database in the very snapshots of the rows; complete when `batches` ends.
        batches: Record batches of the dataset's schema, in row order, of some tens of thousands of rows at most.
        rejected: Filled while `batches` is read; complete and in order of (timestamp, request_id) when it ends.
    """

    totals: Totals
    batches: Iterator[pa.RecordBatch]
    rejected: list[Rejected] = field(default_factory=list)


class LogStore(Protocol):
    """**Protocol.** A source of log rows. It is opened read-only and never creates or changes anything."""

    kind: str

    def describe(self) -> dict[str, Any]:
        """Which log store this is, for manifest and messages; without secrets."""
        ...

    def columns(self) -> frozenset[str]:
        """The columns that `logs` has here; older log stores lack some."""
        ...

    def cuts(self, windows: Sequence[Window], rows_per_slice: int, most: int) -> list[Window]:
        """Cut windows into slices by counts of their own rows.

        Args:
            windows: Disjoint windows in order.
            rows_per_slice: How many rows a slice should hold, about.
            most: How many slices there may be; at least one a window comes back all the same.
        """
        ...

    @classmethod
    def sql(cls, window: Window, schema: pa.Schema) -> list[str]:
        """What a run of the window asks a log store that has all columns, in order; nothing is opened."""
        ...

    def newest(self) -> dt.datetime | None:
        """Time of the newest row, whatever its status; None without a row whose time can be read."""
        ...

    def is_indexed(self) -> bool:
        """Whether an index finds the rows of a window by their time, so that not the whole table is read."""
        ...

    def count(self, window: Window) -> Totals:
        """What a window holds, without reading its rows."""
        ...

    def unplaced(self) -> int:
        """Rows of the whole table whose time can't be read from `timestamp` nor from `created_at`."""
        ...

    def read(self, window: Window, schema: pa.Schema) -> Reading:
        """Read one slice; the caller reads `batches` to its end or closes the log store.

        Args:
            window: The slice.
            schema: The columns that are wanted: those of the record, and columns of `logs` by their own names.
        """
        ...

    def close(self) -> None:
        """Give back the connection."""
        ...
