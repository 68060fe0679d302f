"""From rows to a partial result of an aggregation, and from the whole result to the columns of the metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.hidden_columns import MEASURED
from bifrost_export.thresholds import ERRORS_FROM, SUMMED_COST
from bifrost_export.transforms import exact_sums
from bifrost_export.transforms.metrics import PERCENTILES
from bifrost_export.transforms.partials import (
    GROUP,
    MAXIMA,
    MINIMA,
    Array,
    Partial,
    collapsed,
    combined,
    in_groups,
    numbered,
)

TOLD_APART: dict[str, tuple[str, ...]] = {
    "latencies": ("latency_ms",),
    "costs": ("exponent",),
    "customers": ("customer_id",),
}
"""Detail of a partial result -> what is told apart in it."""

_INT64 = np.iinfo(np.int64)
_OF_SUMS = {
    "errors": ("error_rate", "error_count", "success_count"),
    "latency": ("avg_latency",),
    "timed": ("avg_latency",),
    MINIMA: ("min_latency",),
    MAXIMA: ("max_latency",),
    "input_tokens": ("total_tokens", "total_input_tokens"),
    "output_tokens": ("total_tokens", "total_output_tokens"),
    "priced": ("total_cost", "avg_cost"),
}
_OF_DETAILS = {"latencies": tuple(PERCENTILES), "costs": ("total_cost", "avg_cost"), "customers": ("unique_customers",)}


@dataclass(frozen=True)
class Wanted:
    """What an aggregation has to measure.

    Args:
        keys: The columns that rows are grouped by; all are in the rows.
        metrics: The metrics.
    """

    keys: tuple[str, ...]
    metrics: tuple[str, ...]

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums of a partial result."""
        return ("rows", *(name for name, metrics in _OF_SUMS.items() if set(metrics) & set(self.metrics)))

    @property
    def told_apart(self) -> dict[str, tuple[str, ...]]:
        """The details of a partial result."""
        return {name: TOLD_APART[name] for name, metrics in _OF_DETAILS.items() if set(metrics) & set(self.metrics)}


def measure(rows: pa.Table, wanted: Wanted) -> Partial:
    """The partial result of some rows; at least one."""
    keys = rows.select(list(wanted.keys))
    numbers, first = numbered([_array(column) for column in keys.columns])
    order, starts = in_groups(numbers)
    sums = {name: combined(name, _SUMS[name](rows), order, starts) for name in wanted.sums}
    details = {
        name: collapsed(_DETAILS[name](rows, numbers.astype(np.int32)), told)
        for name, told in wanted.told_apart.items()
    }
    return Partial(keys.take(pa.array(first)), sums, details)


def _array(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _column(rows: pa.Table, name: str) -> pa.ChunkedArray:
    """What was measured where it is there, else what the record shows."""
    hidden = MEASURED.get(name)
    return rows.column(hidden if hidden in rows.column_names else name)


def _whole(rows: pa.Table, name: str, null: int) -> Array:
    whole: Array = _array(_column(rows, name).cast(pa.int64()).fill_null(null)).to_numpy(zero_copy_only=False)
    return whole


def _costs(rows: pa.Table) -> tuple[pa.Array, pa.Array]:
    """The costs, and which of them are added up."""
    costs = _array(rows.column("cost_usd"))
    return costs, pc.less_equal(pc.abs(costs), SUMMED_COST).fill_null(False)


def _as_whole(truths: pa.Array) -> Array:
    whole: Array = truths.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return whole


_SUMS: dict[str, Callable[[pa.Table], Array]] = {
    "rows": lambda rows: np.ones(rows.num_rows, np.int64),
    "errors": lambda rows: (_whole(rows, "status_code", 0) >= ERRORS_FROM).astype(np.int64),
    "latency": lambda rows: _whole(rows, "latency_ms", 0),
    "timed": lambda rows: _as_whole(_array(_column(rows, "latency_ms").is_valid())),
    MINIMA: lambda rows: _whole(rows, "latency_ms", _INT64.max),
    MAXIMA: lambda rows: _whole(rows, "latency_ms", _INT64.min),
    "input_tokens": lambda rows: _whole(rows, "input_tokens", 0),
    "output_tokens": lambda rows: _whole(rows, "output_tokens", 0),
    "priced": lambda rows: _as_whole(_costs(rows)[1]),
}


def _latencies(rows: pa.Table, groups: Array) -> pa.Table:
    latencies = _array(_column(rows, "latency_ms"))
    ones = pa.array(np.ones(len(groups), np.int64))
    table = pa.table({GROUP: groups, "latency_ms": latencies, "times": ones})
    return table.filter(latencies.is_valid()) if latencies.null_count else table


def _exponents(rows: pa.Table, groups: Array) -> pa.Table:
    costs, summed = _costs(rows)
    exponents, high, low = exact_sums.split(costs.filter(summed).to_numpy(zero_copy_only=False))
    columns = {"exponent": exponents.astype(np.int16), "high": high, "low": low}
    return pa.table({GROUP: pa.array(groups).filter(summed), **columns})


def _customers(rows: pa.Table, groups: Array) -> pa.Table:
    customers = _array(rows.column("customer_id"))
    table = pa.table({GROUP: groups, "customer_id": customers})
    return table.filter(pc.not_equal(customers, "").fill_null(False))


_DETAILS: dict[str, Callable[[pa.Table, Array], pa.Table]] = {
    "latencies": _latencies,
    "costs": _exponents,
    "customers": _customers,
}


def result(partial: Partial, wanted: Wanted, schema: pa.Schema) -> pa.Table:
    """The rows of the aggregation, in order of their groups: text by its bytes, nulls last.

    Args:
        partial: All of some groups.
        wanted: What was measured.
        schema: Of the rows: keys, then metrics.
    """
    costs = _CostsOfGroups(partial) if "costs" in partial.details else None
    made = {name: _metric(name, partial, costs) for name in wanted.metrics}
    columns = [*partial.keys.columns, *(made[name] for name in wanted.metrics)]
    table = pa.table([_typed(column, field) for column, field in zip(columns, schema, strict=True)], schema=schema)
    return table.take(order_of(table, len(wanted.keys)))


def order_of(table: pa.Table, keys: int) -> pa.Array:
    """The order of rows by their first columns."""
    names = [str(index) for index in range(keys)]
    sortable = pa.table([_sortable(table.column(index)) for index in range(keys)], names=names)
    return pc.sort_indices(sortable, sort_keys=[(name, "ascending") for name in names])


def _sortable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column


def _typed(column: Any, field: pa.Field) -> Any:
    return column if column.type == field.type else column.cast(field.type)


def _metric(name: str, partial: Partial, costs: _CostsOfGroups | None) -> pa.Array:
    if name in PERCENTILES:
        return _percentiles(partial, PERCENTILES[name])
    if name in ("total_cost", "avg_cost") and costs is not None:
        return costs.total if name == "total_cost" else costs.mean
    return _METRICS[name](partial)


def _rate(part: Array, whole: Array) -> pa.Array:
    none = whole == 0
    return pa.array(part / np.where(none, 1, whole), mask=none)


def _extreme(name: str, none: int) -> Callable[[Partial], pa.Array]:
    return lambda partial: pa.array(partial.sums[name], mask=partial.sums[name] == none)


def _different_customers(partial: Partial) -> pa.Array:
    groups = partial.details["customers"].column(GROUP).to_numpy()
    return pa.array(np.bincount(groups, minlength=partial.keys.num_rows))


_METRICS: dict[str, Callable[[Partial], pa.Array]] = {
    "count": lambda partial: pa.array(partial.sums["rows"]),
    "total_requests": lambda partial: pa.array(partial.sums["rows"]),
    "avg_latency": lambda partial: _rate(partial.sums["latency"], partial.sums["timed"]),
    "min_latency": _extreme(MINIMA, _INT64.max),
    "max_latency": _extreme(MAXIMA, _INT64.min),
    "total_tokens": lambda partial: pa.array(partial.sums["input_tokens"] + partial.sums["output_tokens"]),
    "total_input_tokens": lambda partial: pa.array(partial.sums["input_tokens"]),
    "total_output_tokens": lambda partial: pa.array(partial.sums["output_tokens"]),
    "error_rate": lambda partial: _rate(partial.sums["errors"], partial.sums["rows"]),
    "error_count": lambda partial: pa.array(partial.sums["errors"]),
    "success_count": lambda partial: pa.array(partial.sums["rows"] - partial.sums["errors"]),
    "unique_customers": _different_customers,
}


class _CostsOfGroups:
    """The costs of each group: null where nothing was priced."""

    def __init__(self, partial: Partial) -> None:
        table = partial.details["costs"]
        columns = {name: table.column(name).to_numpy() for name in table.column_names}
        order = np.argsort(columns[GROUP], kind="stable")
        exponents = columns["exponent"].astype(np.int64)[order]
        pieces = (columns[GROUP][order], exponents, columns["high"][order], columns["low"][order])
        totals, priced = exact_sums.totals(*pieces, partial.keys.num_rows), partial.sums["priced"]
        self.total = pa.array(totals, mask=priced == 0)
        self.mean = _rate(totals, priced)


def _percentiles(partial: Partial, percent: int) -> pa.Array:
    """Between the two latencies beside the place of the percentile, as numpy's `linear` method has it."""
    table = partial.details["latencies"]
    groups, latencies = table.column(GROUP).to_numpy(), table.column("latency_ms").to_numpy()
    order = np.lexsort((latencies, groups))
    latencies, groups, times = (
        latencies[order].astype(np.float64),
        groups[order],
        table.column("times").to_numpy()[order],
    )
    upto = np.cumsum(times)
    counts = _counts(groups, times, partial.keys.num_rows)
    begins = np.cumsum(counts) - counts
    whole, rest = np.divmod(np.maximum(counts - 1, 0) * percent, 100)
    none = counts == 0
    if not len(upto):
        return pa.nulls(len(counts), pa.float64())
    last = np.maximum(begins + np.maximum(counts - 1, 0), 0)
    low = _at(upto, latencies, np.minimum(begins + whole, last))
    high = _at(upto, latencies, np.minimum(begins + whole + 1, last))
    return pa.array(low + (high - low) * (rest / 100), mask=none)


def _counts(groups: Array, times: Array, count: int) -> Array:
    ends = np.searchsorted(groups, np.arange(count + 1))
    upto = np.concatenate([[0], np.cumsum(times)])
    return np.diff(upto[ends])


def _at(upto: Array, latencies: Array, places: Sequence[int] | Array) -> Array:
    found = np.searchsorted(upto, places, side="right")
    return latencies[np.minimum(found, len(latencies) - 1)]
