"""Log rows become records, by columns; a row that can't become one is rejected and told (contract, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.logstore.details import (
    BEYOND_INT32,
    INT32_MAX,
    INT32_MIN,
    error_facts,
    first_customer,
    passthrough,
)
from bifrost_export.logstore.endpoints import PASSTHROUGH, endpoint_of
from bifrost_export.logstore.extra_columns import map_extra
from bifrost_export.logstore.port import Rejected
from bifrost_export.logstore.rejecting import Faults, rejected_rows, whole_text

FINAL = ("success", "error", "cancelled")
"""The statuses that a row ends in; `processing` rows are never handed to the mapping."""

_NOT_INT32 = "does not fit into 32 bits, or is not finite"


@dataclass
class Mapped:
    """Records, and the rows that could not become one.

    Args:
        records: Arrays by column name, all of the same length.
        rejected: In the order of the rows.
    """

    records: dict[str, pa.Array]
    rejected: list[Rejected]

    def batch(self, schema: pa.Schema) -> pa.RecordBatch:
        """The records with the columns of a dataset."""
        return pa.RecordBatch.from_arrays([self.records[field.name] for field in schema], schema=schema)


def _no_texts(texts: pa.Array) -> pa.Array:
    return pa.nulls(len(texts), pa.int64())


def to_records(
    raw: pa.RecordBatch,
    timestamps: pa.Array,
    schema: pa.Schema | None = None,
    read_times: Callable[[pa.Array], pa.Array] = _no_texts,
) -> Mapped:
    """Map rows.

    Args:
        raw: Rows of the shape `rows.RAW`, maybe with others columns, and with those of `extra_columns`.
        timestamps: Their instants, microseconds since 1970 UTC.
        schema: What is wanted beside the record.
        read_times: Reads times that the log store holds as text, as microseconds since 1970 UTC.
    """
    faults = Faults()
    required = ("id", "provider", "model", "object_type", "customer_id")
    texts = {name: whole_text(raw.column(name), required=True) for name in required}
    for column, name in (
        ("endpoint", "object_type"),
        ("request_id", "id"),
        ("customer_id", "customer_id"),
        ("provider", "provider"),
        ("model", "model"),
    ):
        faults.add(column, texts[name].broken, name, "is no valid UTF-8")
    kinds = texts["object_type"].values
    errors = _Facts(whole_text(raw.column("error_details")).values, error_facts)
    passing = _Facts(_only(whole_text(raw.column("params")).values, kinds, PASSTHROUGH), passthrough)
    columns = {
        "timestamp": timestamps.cast(pa.timestamp("us", tz="UTC")),
        "request_id": texts["id"].values,
        "customer_id": _customers(texts["customer_id"].values, whole_text(raw.column("customer_ids")).values),
        "provider": texts["provider"].values,
        "model": texts["model"].values,
        **_endpoints(kinds, passing),
        "status_code": _status_codes(whole_text(raw.column("status"), required=True).values, errors, passing, faults),
        "latency_ms": _latencies(raw, errors, faults),
        "input_tokens": _tokens(raw, "prompt_tokens", "input_tokens", faults),
        "output_tokens": _tokens(raw, "completion_tokens", "output_tokens", faults),
        "cost_usd": _costs(raw, faults),
        **map_extra(raw, schema or pa.schema([]), faults, read_times),
    }
    if not faults:
        return Mapped(columns, [])
    good = pc.invert(faults.any())
    return Mapped({name: array.filter(good) for name, array in columns.items()}, rejected_rows(raw, timestamps, faults))


def mapped(
    rows: pa.RecordBatch,
    instants: pa.Array,
    schema: pa.Schema,
    rejected: list[Rejected],
    read_times: Callable[[pa.Array], pa.Array] = _no_texts,
) -> pa.RecordBatch:
    """Map rows to the columns of a dataset.

    Args:
        rows: Rows with the columns of `rows.RAW`, maybe among others.
        instants: Microseconds since 1970 UTC; rows without one are told elsewhere, and left out here.
        schema: The dataset's: columns of the record, and columns of `logs` by their names.
        rejected: Gets the rows that could not become a record.
        read_times: As in `to_records`.
    """
    if instants.null_count:
        known = instants.is_valid()
        rows, instants = rows.filter(known), instants.filter(known)
    found = to_records(rows, instants, schema, read_times)
    rejected.extend(found.rejected)
    return found.batch(schema)


class _Facts:
    """What texts say, each distinct text read once.

    Args:
        texts: Null where there is nothing to read.
        read: Reads one text.
    """

    def __init__(self, texts: pa.Array, read: Callable[[str | None], Any]) -> None:
        self.empty = texts.null_count == len(texts)
        encoded = None if self.empty else texts.dictionary_encode()
        self.indices = None if encoded is None else encoded.indices
        self.facts = [] if encoded is None else [read(text) for text in encoded.dictionary.to_pylist()]

    def column(self, name: str, type_: pa.DataType) -> pa.Array | None:
        """One attribute of what was read, by row; null where there was no text. None when there was none at all."""
        if self.empty:
            return None
        values = [getattr(each, name) for each in self.facts]
        return None if all(value is None for value in values) else pa.array(values, type_).take(self.indices)


def _only(texts: pa.Array, kinds: pa.Array, wanted: tuple[str, ...]) -> pa.Array:
    if texts.null_count == len(texts):
        return texts
    return pc.if_else(pc.is_in(kinds, value_set=pa.array(wanted)), texts, pa.scalar(None, pa.string()))


def _first(*arrays: pa.Array | None) -> pa.Array:
    given = [array for array in arrays if array is not None]
    return pc.coalesce(*given) if len(given) > 1 else given[0]


def _customers(own: pa.Array, several: pa.Array) -> pa.Array:
    if several.null_count == len(several):
        return own
    encoded = several.dictionary_encode()
    firsts = pa.array([first_customer(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return pc.if_else(pc.equal(own, ""), pc.fill_null(firsts.take(encoded.indices), ""), own)


def _endpoints(kinds: pa.Array, passing: _Facts) -> dict[str, pa.Array]:
    encoded = kinds.dictionary_encode()
    known = [endpoint_of(kind) for kind in encoded.dictionary.to_pylist()]
    endpoints = pa.array([endpoint for endpoint, _ in known], pa.string()).take(encoded.indices)
    methods = pa.array([method for _, method in known], pa.string()).take(encoded.indices)
    return {
        "endpoint": _first(passing.column("path", pa.string()), endpoints),
        "method": _first(passing.column("method", pa.string()), methods),
    }


def _status_codes(status: pa.Array, errors: _Facts, passing: _Facts, faults: Faults) -> pa.Array:
    faults.add("status_code", pc.invert(pc.is_in(status, value_set=pa.array(FINAL))), "status", "is no known status")
    given = _first(passing.column("code", pa.int32()), pa.nulls(len(status), pa.int32()))
    success = pc.equal(status, "success")
    cancelled = pc.equal(status, "cancelled")
    recorded = _first(errors.column("code", pa.int32()), pa.nulls(len(status), pa.int32()))
    by_class = _first(errors.column("class_code", pa.int32()), pa.array([500], pa.int32()).take(_zeros(len(status))))
    failed = pc.coalesce(recorded, pc.if_else(cancelled, 499, pc.fill_null(by_class, 500)))
    codes = pc.coalesce(given, pc.if_else(success, 200, failed)).cast(pa.int32())
    faults.add("status_code", pc.equal(codes, BEYOND_INT32), None, "is beyond 32 bits")
    return codes


def _zeros(count: int) -> pa.Array:
    return pa.nulls(count, pa.int32()).fill_null(0)


def _latencies(raw: pa.RecordBatch, errors: _Facts, faults: Faults) -> pa.Array:
    faults.add_odd("latency_ms", raw.column("odd"), "latency")
    given = _first(raw.column("latency"), errors.column("latency", pa.float64()))
    rounded = pc.round(pc.fill_null(given, 0.0), round_mode="half_to_even")
    # The comparison is turned round so that a NaN fails it.
    fits = pc.and_(pc.greater_equal(rounded, float(INT32_MIN)), pc.less_equal(rounded, float(INT32_MAX)))
    faults.add("latency_ms", pc.invert(fits), "latency", _NOT_INT32)
    return pc.if_else(fits, rounded, 0.0).cast(pa.int32())


def _tokens(raw: pa.RecordBatch, name: str, column: str, faults: Faults) -> pa.Array:
    faults.add_odd(column, raw.column("odd"), name)
    counts = pc.fill_null(raw.column(name), 0)
    fits = pc.and_(pc.greater_equal(counts, INT32_MIN), pc.less_equal(counts, INT32_MAX))
    faults.add(column, pc.invert(fits), name, _NOT_INT32)
    recorded = pc.equal(raw.column("recorded"), 1)
    return pc.if_else(pc.and_(fits, recorded), counts, pa.scalar(None, pa.int64())).cast(pa.int32())


def _costs(raw: pa.RecordBatch, faults: Faults) -> pa.Array:
    faults.add_odd("cost_usd", raw.column("odd"), "cost")
    costs = raw.column("cost")
    faults.add("cost_usd", pc.invert(pc.fill_null(pc.is_finite(costs), True)), "cost", "is not finite")
    return costs
