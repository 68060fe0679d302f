"""Rows that the contract of log stores writes and reads, and where a log store of one's own takes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import pyarrow as pa

from bifrost_export.datasets import schema_of
from bifrost_export.filters.config import Filters
from bifrost_export.logstore.port import LogStore, Rejected, Removed, Totals
from bifrost_export.window import Window

DAY: Final = Window.parse("2026-03-01", "2026-03-02")
NEXT_DAY: Final = Window.parse("2026-03-02", "2026-03-03")
BOTH_DAYS: Final = Window(DAY.start, NEXT_DAY.end)
MICROSECOND: Final = dt.timedelta(microseconds=1)

SCHEMA: Final = schema_of("request_logs")
EXTRA: Final[dict[str, Any]] = {"team_id": "t-1", "number_of_retries": 2, "stream": True, "upstream_latency": 1.5}
"""Columns of `logs` that are exported under their own names."""

WIDE: Final = pa.schema(
    [
        *SCHEMA,
        pa.field("team_id", pa.string()),
        pa.field("number_of_retries", pa.int64()),
        pa.field("stream", pa.bool_()),
        pa.field("upstream_latency", pa.float64()),
    ]
)

_TEXTS = ("id", "status", "object_type", "provider", "model", "customer_id", "error_details", "team_id")
_REALS = ("latency", "cost", "upstream_latency")
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "number_of_retries")

TABLE: Final = pa.schema(
    [
        *((name, pa.timestamp("us", tz="UTC")) for name in ("timestamp", "created_at")),
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.float64()) for name in _REALS),
        *((name, pa.int64()) for name in _COUNTS),
        ("stream", pa.bool_()),
    ]
)
"""The columns of the rows that are written."""

LogRow = dict[str, Any]
"""Column of Bifrost's table `logs` -> value: text, whole number, real, truth value, or a time in UTC."""

Answer = TypeVar("Answer")


def row(number: int, at: dt.datetime | None = None, **over: Any) -> LogRow:
    """Return a row of a request that has ended.

    Args:
        number: Makes its id, and its time on the first day.
        at: Its time, if another.
        over: Columns with other values.
    """
    moment = at or DAY.start + dt.timedelta(minutes=number)
    return {
        "id": f"r{number:04}",
        "timestamp": moment,
        "created_at": moment,
        "status": "success",
        "object_type": "chat_completion",
        "provider": "openai",
        "model": "m-1",
        "customer_id": "c-1",
        "latency": 100.0,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "total_tokens": 30,
        "cost": 0.5,
        "error_details": None,
        "team_id": None,
        "number_of_retries": 0,
        "stream": False,
        "upstream_latency": None,
    } | over


def many(count: int) -> list[LogRow]:
    """Return rows of all sorts over both days, in no order of time."""
    length = (BOTH_DAYS.end - BOTH_DAYS.start) / count
    rows = [_one_of_many(number, BOTH_DAYS.start + length * number) for number in range(1, count)]
    return [*rows[1::2], *rows[::2], _one_of_many(count, BOTH_DAYS.start)]


def _one_of_many(number: int, at: dt.datetime) -> LogRow:
    failed = number % 5 == 0
    return row(
        number,
        at.replace(microsecond=number),
        provider=("openai", "anthropic", "mistral")[number % 3],
        model=f"m-{number % 4}",
        customer_id=None if number % 7 == 0 else f"c-{number % 4}",
        latency=None if number % 11 == 0 else float(number * 37 % 1_000),
        status="error" if failed else "success",
        error_details=f'{{"status_code": {(429, 500)[number % 2]}, "error": {{"message": "no"}}}}' if failed else None,
        prompt_tokens=number,
        completion_tokens=number * 2,
        total_tokens=number * 3,
        cost=number / 64,
    )


def kept_by(filters: Filters, record: dict[str, Any]) -> bool:
    """Return whether a record passes filters, by the words of the contract and by none of the package's code."""
    lists = {"providers": "provider", "models": "model", "customers": "customer_id", "status_codes": "status_code"}
    in_lists = all(
        record[column] in wanted for key, column in lists.items() if (wanted := getattr(filters, key)) is not None
    )
    least, most, errors = filters.min_latency_ms, filters.max_latency_ms, filters.has_errors
    slow = least is None or record["latency_ms"] >= least
    fast = most is None or record["latency_ms"] <= most
    return in_lists and slow and fast and (errors is None or (record["status_code"] >= 400) == errors)


@dataclass(frozen=True)
class Read:
    """What was read of a window.

    Args:
        table: The records.
        totals: Of the reading, once its batches have ended.
        rejected: The rows that are no record.
        removed: The rows that the log store left out.
    """

    table: pa.Table
    totals: Totals
    rejected: list[Rejected] = field(default_factory=list)
    removed: Removed = field(default_factory=Removed)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The records as Python values."""
        return list(self.table.to_pylist())

    @property
    def ids(self) -> list[str]:
        """Their ids, in their order."""
        return list(self.table.column("request_id").to_pylist())


@dataclass(frozen=True)
class Place:
    """A log store that a test fills.

    Args:
        open: Opens it.
        fill: Puts rows in the place of what was there; each has the same columns.
        state: What it holds, to be compared: nothing that is asked of a log store may change it.
        open_elsewhere: Opens one with a config that leads to no log store.
    """

    open: Callable[[], LogStore]
    fill: Callable[[Sequence[LogRow]], object]
    state: Callable[[], object]
    open_elsewhere: Callable[[], LogStore]

    def ask(self, question: Callable[[LogStore], Answer]) -> Answer:
        """Open it, ask, and close it."""
        with closing(self.open()) as store:
            return question(store)

    def count(self, window: Window) -> int:
        """Count the rows of a window."""
        return self.ask(lambda store: store.count(window).rows)

    def slices(self, windows: Sequence[Window], rows_per_slice: int, most: int) -> list[Window]:
        """Cut windows."""
        return self.ask(lambda store: store.slices(windows, rows_per_slice, most))

    def read(self, window: Window, schema: pa.Schema = SCHEMA, filters: Filters | None = None) -> Read:
        """Read a window to its end."""
        with closing(self.open()) as store:
            reading = store.read(window, schema, filters)
            table = pa.Table.from_batches(list(reading.batches), schema)
            return Read(table, reading.totals, reading.rejected, reading.removed)
