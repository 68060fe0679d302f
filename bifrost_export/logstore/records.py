"""Log rows become records, by columns (contract, section 4).

A field that can't be exported is blanked and a text with bad bytes is repaired: such a row carries its oddities. A row
whose status or status code can't be told is rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.hidden_columns import MEASURED, ODDITIES
from bifrost_export.logstore.contents import map_contents
from bifrost_export.logstore.details import (
    BEYOND_INT32,
    GATEWAY_AT_FAULT,
    error_facts,
    first_customer,
    passthrough,
)
from bifrost_export.logstore.endpoints import PASSTHROUGH, endpoint_of
from bifrost_export.logstore.extra_columns import map_extra
from bifrost_export.logstore.oddities import Odd, countable
from bifrost_export.logstore.port import Rejected
from bifrost_export.logstore.rejected import Faults, rejected_rows
from bifrost_export.logstore.repair import Text, whole_text
from bifrost_export.thresholds import INT32_MAX, INT32_MIN

FINAL = ("success", "error", "cancelled")
"""The statuses that a row ends in; `processing` rows are never handed to the mapping."""

_ERROR_COLUMNS = {"error_type": "kind", "error_code": "word", "error_message": "message"}
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
    faults, odd = Faults(), Odd()
    required = ("id", "provider", "model", "object_type", "customer_id")
    texts = {name: whole_text(raw.column(name), required=True) for name in required}
    for column, name in (("request_id", "id"), ("provider", "provider"), ("model", "model")):
        odd.repair(column, texts[name].broken)
    kinds = texts["object_type"]
    errors = _Facts(whole_text(raw.column("error_details")), error_facts)
    passing = _Facts(_only(whole_text(raw.column("params")), kinds.values, PASSTHROUGH), passthrough)
    latencies = _latencies(raw, errors, odd)
    inputs = _tokens(raw, "prompt_tokens", "input_tokens", odd)
    outputs = _tokens(raw, "completion_tokens", "output_tokens", odd)
    columns = {
        "timestamp": timestamps.cast(pa.timestamp("us", tz="UTC")),
        "request_id": texts["id"].values,
        "customer_id": _customers(texts["customer_id"], whole_text(raw.column("customer_ids")), odd),
        "provider": texts["provider"].values,
        "model": texts["model"].values,
        **_endpoints(kinds, passing, odd),
        "status_code": _status_codes(whole_text(raw.column("status"), required=True).values, errors, passing, faults),
        "latency_ms": pc.fill_null(latencies, 0),
        "input_tokens": inputs.shown,
        "output_tokens": outputs.shown,
        "cost_usd": _costs(raw, odd),
        MEASURED["latency_ms"]: latencies,
        MEASURED["input_tokens"]: inputs.counted,
        MEASURED["output_tokens"]: outputs.counted,
        **_wanted(raw, schema or pa.schema([]), errors, odd, read_times),
    }
    if schema is not None and ODDITIES in schema.names:
        columns[ODDITIES] = odd.column(raw)
    if not faults:
        return Mapped(columns, [])
    good = pc.invert(faults.any())
    records = {name: array.filter(good) for name, array in columns.items()}
    return Mapped(records, rejected_rows(raw, timestamps, faults))


def _wanted(
    raw: pa.RecordBatch,
    schema: pa.Schema,
    errors: _Facts,
    odd: Odd,
    read_times: Callable[[pa.Array], pa.Array],
) -> dict[str, pa.Array]:
    """What is wanted beside the record."""
    unknown = pa.nulls(len(raw), pa.string())
    told = {name: fact for name, fact in _ERROR_COLUMNS.items() if name in schema.names}
    for name, fact in told.items():
        odd.repair(name, errors.repaired(fact))
    return {
        **{name: _first(errors.column(fact, pa.string()), unknown) for name, fact in told.items()},
        **map_contents(raw, schema, odd),
        **map_extra(raw, schema, odd, read_times),
    }


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

    def __init__(self, texts: Text, read: Callable[[str | None], Any]) -> None:
        values = texts.values
        self.texts, self.read = texts, read
        self.empty = values.null_count == len(values)
        encoded = None if self.empty else values.dictionary_encode()
        self.indices = None if encoded is None else encoded.indices
        self.facts = [] if encoded is None else [read(text) for text in encoded.dictionary.to_pylist()]

    def column(self, name: str, type_: pa.DataType) -> pa.Array | None:
        """One attribute of what was read, by row; null where there was no text. None when there was none at all."""
        if self.empty:
            return None
        values = [getattr(each, name) for each in self.facts]
        return None if all(value is None for value in values) else pa.array(values, type_).take(self.indices)

    def repaired(self, name: str) -> pa.Array | None:
        """Return the rows whose attribute holds a byte that was repaired; None without any."""
        found = set()
        for row, marked in self.texts.marked.items():
            text = self.texts.values[row].as_py()
            if text is not None and getattr(self.read(text), name) != getattr(self.read(marked), name):
                found.add(row)
        return _rows(found, len(self.texts.values)) if found else None


def _rows(chosen: Collection[int], count: int) -> pa.Array:
    return pa.array([row in chosen for row in range(count)], pa.bool_())


def _only(texts: Text, kinds: pa.Array, wanted: tuple[str, ...]) -> Text:
    if texts.values.null_count == len(texts.values):
        return texts
    chosen = pc.is_in(kinds, value_set=pa.array(wanted))
    return Text(pc.if_else(chosen, texts.values, pa.scalar(None, pa.string())), texts.broken, texts.marked)


def _first(*arrays: pa.Array | None) -> pa.Array:
    given = [array for array in arrays if array is not None]
    return pc.coalesce(*given) if len(given) > 1 else given[0]


def _customers(own: Text, several: Text, odd: Odd) -> pa.Array:
    odd.repair("customer_id", own.broken)
    if several.values.null_count == len(several.values):
        return own.values
    encoded = several.values.dictionary_encode()
    firsts = pa.array([first_customer(text) for text in encoded.dictionary.to_pylist()], pa.string())
    customers = pc.if_else(pc.equal(own.values, ""), pc.fill_null(firsts.take(encoded.indices), ""), own.values)
    for row, marked in several.marked.items():
        if not own.values[row].as_py() and first_customer(marked) != customers[row].as_py():
            odd.repair("customer_id", _rows({row}, len(customers)))
    return customers


def _endpoints(kinds: Text, passing: _Facts, odd: Odd) -> dict[str, pa.Array]:
    odd.repair("endpoint", kinds.broken)
    odd.repair("endpoint", passing.repaired("path"))
    odd.repair("method", passing.repaired("method"))
    encoded = kinds.values.dictionary_encode()
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
    default = _first(errors.column("default_code", pa.int32()), pa.nulls(len(status), pa.int32()))
    failed = pc.coalesce(recorded, pc.if_else(cancelled, 499, pc.fill_null(default, GATEWAY_AT_FAULT)))
    codes = pc.coalesce(given, pc.if_else(success, 200, failed)).cast(pa.int32())
    faults.add("status_code", pc.equal(codes, BEYOND_INT32), None, "is beyond 32 bits")
    return codes


def _latencies(raw: pa.RecordBatch, errors: _Facts, odd: Odd) -> pa.Array:
    """Return latencies in whole milliseconds; null where a row's is unknown, or blanked."""
    text = odd.blanks.add_odd("latency_ms", raw.column("odd"), "latency")
    given = _first(raw.column("latency"), errors.column("latency", pa.float64()))
    if text is not None:  # what the error says stands in for an absent latency only
        given = pc.if_else(text, pa.scalar(None, pa.float64()), given)
    rounded = pc.round(given, round_mode="half_to_even")
    # The comparison is turned round so that a NaN fails it.
    fits = pc.and_(pc.greater_equal(rounded, float(INT32_MIN)), pc.less_equal(rounded, float(INT32_MAX)))
    if pc.all(fits, min_count=0).as_py():
        return rounded.cast(pa.int32())
    odd.blanks.add("latency_ms", pc.invert(fits), "latency", _NOT_INT32)
    return pc.if_else(fits, rounded, pa.scalar(None, pa.float64())).cast(pa.int32())


@dataclass(frozen=True)
class _Tokens:
    """Token counts of rows: as the record shows them, and as they are added up."""

    shown: pa.Array
    counted: pa.Array


def _tokens(raw: pa.RecordBatch, name: str, column: str, odd: Odd) -> _Tokens:
    text = odd.blanks.add_odd(column, raw.column("odd"), name)
    recorded = pc.equal(raw.column("recorded"), 1)
    counts = pc.if_else(recorded, pc.fill_null(raw.column(name), 0), pa.scalar(None, pa.int64()))
    if text is not None:
        counts = pc.if_else(text, pa.scalar(None, pa.int64()), counts)
    fits = pc.and_(pc.greater_equal(counts, INT32_MIN), pc.less_equal(counts, INT32_MAX))
    if pc.all(fits, min_count=0).as_py():
        return _Tokens(counts.cast(pa.int32()), counts)
    odd.blanks.add(column, pc.invert(fits), name, _NOT_INT32)
    counted = countable(counts)
    odd.tokens[column] = pc.if_else(fits, pa.scalar(None, pa.int64()), counted)
    return _Tokens(pc.if_else(fits, counts, pa.scalar(None, pa.int64())).cast(pa.int32()), counted)


def _costs(raw: pa.RecordBatch, odd: Odd) -> pa.Array:
    odd.blanks.add_odd("cost_usd", raw.column("odd"), "cost")
    costs = raw.column("cost")
    finite = pc.is_finite(costs)
    if pc.all(finite, min_count=0).as_py():
        return costs
    odd.blanks.add("cost_usd", pc.invert(finite), "cost", "is not finite")
    return pc.if_else(finite, costs, pa.scalar(None, pa.float64()))
