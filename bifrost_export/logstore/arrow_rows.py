"""Rows of `logs` that are Arrow data already become a reading: for log stores of files, a lake or another database.

The rows have the columns of Bifrost's table by their names. Those that they lack count as null.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.contents import content_sources
from bifrost_export.logstore.endpoints import PASSTHROUGH
from bifrost_export.logstore.extra_columns import extra_fields
from bifrost_export.logstore.lookup import find_requests
from bifrost_export.logstore.port import COLUMNS, Reading, Requests, Totals
from bifrost_export.logstore.records import mapped
from bifrost_export.logstore.rows import CONTENT, ODD, PREFIX, RAW
from bifrost_export.thresholds import SUMMED_COST, SUMMED_TOKENS

COUNTED = ("status", "prompt_tokens", "completion_tokens", "cost")
"""The columns that `totals` adds up."""

_INSTANT = pa.timestamp("us", tz="UTC")
_BATCH = 20_000
_HIDDEN = "content_hidden"


def needed(schema: pa.Schema) -> list[str]:
    """Return the columns of `logs` that rows of a schema are made of."""
    wanted = [field.name for field in extra_fields(schema)]
    contents = content_sources(schema)
    return list(dict.fromkeys((*COLUMNS, *wanted, *contents, *([_HIDDEN] if contents else []))))


def totals(rows: pa.Table) -> Totals:
    """Return what rows hold, as `LogStore.count` tells it.

    Args:
        rows: With those of the columns `COUNTED` that the log store has.
    """
    ended = rows.filter(_ended(rows))
    costs = _within(_column(ended, "cost", pa.float64()), SUMMED_COST)
    return Totals(
        rows=len(ended),
        unsettled=len(rows) - len(ended),
        input_tokens=sum(_within(_column(ended, "prompt_tokens", pa.int64()), SUMMED_TOKENS)),
        output_tokens=sum(_within(_column(ended, "completion_tokens", pa.int64()), SUMMED_TOKENS)),
        cost_usd=math.fsum(costs),
        cost_scale=math.fsum(map(abs, costs)),
    )


def reading(rows: pa.Table, schema: pa.Schema) -> Reading:
    """Return the reading of a slice, as `LogStore.read` gives it; no filter is judged.

    Args:
        rows: All rows of the slice, in any order, with those of the columns `needed` that the log store has.
        schema: What is wanted.
    """
    found = Reading(totals(rows), iter(()))
    found.batches = _batches(rows, schema, found)
    return found


def requests(rows: pa.Table, ids: Sequence[str], schema: pa.Schema) -> Requests:
    """Return the requests of some ids, as `LogStore.lookup` gives them.

    Args:
        rows: At least those with these ids, with those of the columns `needed` that the log store has.
        ids: The ids.
        schema: What is wanted.
    """

    def ask(some: list[str]) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        named = rows.filter(pc.is_in(_column(rows, "id", pa.string()), value_set=pa.array(some, pa.string())))
        for raw, instants in _raw(named, schema):
            ended = _ended(raw)
            settled = mapped(raw.filter(ended), instants.filter(ended), schema, [])
            yield raw, settled

    return find_requests(ask, ids, schema)


def moments(times: pa.ChunkedArray, seconds: int) -> list[tuple[int, int]]:
    """Count rows by moments, as `slicing.cut_windows` takes them.

    Args:
        times: The rows' timestamps.
        seconds: How long a moment is.

    Returns:
        (start of the moment in microseconds since 1970 UTC, rows), in order.
    """
    length = seconds * 1_000_000
    micros = times.cast(_INSTANT, safe=False).cast(pa.int64())
    counts = pc.value_counts(pc.multiply(pc.divide(micros, length), length)).to_pylist()
    return sorted((each["values"], each["counts"]) for each in counts)


def _batches(rows: pa.Table, schema: pa.Schema, found: Reading) -> Iterator[pa.RecordBatch]:
    ended = rows.filter(_ended(rows))
    times, ids = _column(ended, "timestamp", _INSTANT), _column(ended, "id", pa.string())
    keys = pa.table({"timestamp": times, "id": ids})
    order = pc.sort_indices(keys, [("timestamp", "ascending"), ("id", "ascending")])
    for raw, instants in _raw(ended.take(order), schema):
        yield mapped(raw, instants, schema, found.rejected)


def _raw(rows: pa.Table, schema: pa.Schema) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """Rows of the shape `rows.RAW`, in batches, with their times in microseconds since 1970 UTC."""
    for batch in rows.combine_chunks().to_batches(_BATCH):
        times = _column(batch, "timestamp", _INSTANT).cast(pa.int64())
        yield pa.RecordBatch.from_pydict({**_record(batch), **_extra(batch, schema)}), times


def _record(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    found = {field.name: _column(rows, field.name, field.type) for field in RAW}
    found["odd"] = pa.nulls(len(rows), pa.string())
    found["recorded"] = _recorded(rows).cast(pa.int64())
    nobody = pc.equal(pc.fill_null(found["customer_id"], ""), "")
    failed = pc.fill_null(pc.not_equal(found["status"], "success"), True)
    passes = pc.is_in(found["object_type"], value_set=pa.array(PASSTHROUGH))
    for name, wanted in (("customer_ids", nobody), ("error_details", failed), ("params", passes)):
        found[name] = _only(found[name], wanted)
    return found


def _recorded(rows: pa.RecordBatch) -> pa.Array:
    """Whether the log store knows the tokens of a row."""
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    found = pc.fill_null(pc.not_equal(_column(rows, "token_usage", pa.string()), ""), False)
    for name in names:
        found = pc.or_(found, pc.fill_null(pc.not_equal(_column(rows, name, pa.int64()), 0), False))
    return found


def _extra(rows: pa.RecordBatch, schema: pa.Schema) -> dict[str, pa.Array]:
    fields, contents = extra_fields(schema), content_sources(schema)
    found = {PREFIX + field.name: _column(rows, field.name, field.type) for field in fields}
    if fields:
        found[ODD] = pa.nulls(len(rows), pa.string())
    hides = _column(rows, _HIDDEN, pa.bool_()) if contents else None
    for name in contents:
        found[CONTENT + name] = _only(_column(rows, name, pa.string()), pc.fill_null(pc.invert(hides), True))
    return found


def _column(rows: pa.Table | pa.RecordBatch, name: str, type_: pa.DataType) -> pa.Array:
    """A column as its type has it; null where the log store lacks it."""
    if name not in rows.schema.names:
        return pa.nulls(len(rows), type_)
    given = rows.column(name)
    # A real of more digits, or a time of nanoseconds, is cut; a whole number is never changed.
    is_cut = pa.types.is_floating(type_) or pa.types.is_timestamp(type_)
    try:
        if pa.types.is_string(given.type) and not pa.types.is_string(type_):
            raise pa.ArrowInvalid("it is text")
        return given.cast(type_, safe=not is_cut)
    except pa.ArrowException:
        raise LogStoreError(
            f"the column {name} of the log store is of type {given.type}, with values that are not of type {type_}",
            allowed=f"{type_}, or a type whose values fit into it",
            hint="Fix the column where the log store is written.",
        ) from None


def _ended(rows: pa.Table | pa.RecordBatch) -> pa.Array:
    return pc.fill_null(pc.not_equal(_column(rows, "status", pa.string()), "processing"), True)


def _only(texts: pa.Array, wanted: pa.Array) -> pa.Array:
    return pc.if_else(wanted, texts, pa.scalar(None, pa.string()))


def _within(numbers: Iterable[pa.Scalar], most: float) -> list[Any]:
    return [each for scalar in numbers if (each := scalar.as_py()) is not None and abs(each) <= most]
