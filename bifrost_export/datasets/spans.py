"""Rows of the log store become spans, with attributes under OpenTelemetry's names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import orjson

from bifrost_export.hidden_columns import is_hidden
from bifrost_export.thresholds import ERRORS_FROM
from bifrost_export.window import UTC, micros, rfc3339

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.datasets.dataset import Options

OPERATIONS: Final = {
    **dict.fromkeys(("chat_completion", "chat_completion_stream", "chat.completion", "chat.completion.chunk"), "chat"),
    **dict.fromkeys(("responses", "responses_stream", "websocket_responses"), "chat"),
    **dict.fromkeys(("response", "response.completion.chunk"), "chat"),
    **dict.fromkeys(("text_completion", "text_completion_stream", "text.completion"), "text_completion"),
    **dict.fromkeys(("embedding", "list"), "embeddings"),
}
"""`object_type`, legacy values too -> OpenTelemetry's name of the operation; any other kind keeps its own word."""

SETTLEMENT: Final = "batch-cost:"
"""How the id of a row begins that settles the cost of a batch, long after the request that fetched its results."""

EXECUTE_TOOL: Final = "execute_tool"

NAMED: Final = {"session_id": "gen_ai.conversation.id"}
"""Extra fields that OpenTelemetry has a name for."""

LISTS: Final = (
    *("customer_ids", "customer_names", "team_ids", "team_names", "business_unit_ids", "business_unit_names"),
    *("budget_ids", "rate_limit_ids"),
)
"""Extra fields that hold a JSON array, and stand as one in the attributes."""

_BY_COLUMNS: Final = ("timestamp", "request_id", "trace_id", "latency_ms")
_LAST = micros(dt.datetime.max.replace(tzinfo=UTC))
_MILLISECOND = 1000


def request_spans(batch: pa.RecordBatch, schema: pa.Schema, data: Options) -> pa.RecordBatch:
    """A span for each request.

    Args:
        batch: Rows of the reading.
        schema: That of `traces`.
        data: What the export asks for.
    """
    import pyarrow as pa

    ids = batch.column("request_id")
    parents = pa.array(_parents(batch), pa.string())
    rows = _rows(batch)
    return _batch(
        schema,
        trace_id=_coalesced(parents, ids),
        span_id=ids,
        parent_span_id=parents,
        name=[_name(_operation(row), row["model"]) or "request" for row in rows],
        status=["ERROR" if _failed(row) else "OK" for row in rows],
        attributes=[_dumped(_of_request(row, data)) for row in rows],
        **_times(batch),
    )


def tool_spans(batch: pa.RecordBatch, schema: pa.Schema, data: Options) -> pa.RecordBatch:
    """A span for each tool call.

    Args:
        batch: Rows of `tool_call_columns`, with the trace of each.
        schema: That of `traces`.
        data: What the export asks for.
    """
    import pyarrow as pa

    rows = _rows(batch)
    return _batch(
        schema,
        trace_id=batch.column("trace_id"),
        span_id=batch.column("request_id"),
        parent_span_id=pa.array([row["llm_request_id"] or None for row in rows], pa.string()),
        name=[_name(EXECUTE_TOOL, row["tool_name"]) for row in rows],
        status=["OK" if row["status"] == "success" else "ERROR" for row in rows],
        attributes=[_dumped(_of_call(row, data)) for row in rows],
        **_times(batch),
    )


def trace_ids(batch: pa.RecordBatch) -> pa.Array:
    """The trace of each request.

    Args:
        batch: Rows with the columns of `traces.LINEAGE`.
    """
    import pyarrow as pa

    return _coalesced(pa.array(_parents(batch), pa.string()), batch.column("request_id"))


def _parents(batch: pa.RecordBatch) -> Iterator[str | None]:
    """Of a fallback attempt the first one, of a settlement its request; in others the column can hold a session."""
    columns = ("request_id", "fallback_index", "parent_request_id")
    for request_id, index, parent in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
        is_caused = (index is not None and index > 0) or request_id.startswith(SETTLEMENT)
        yield parent or None if is_caused and parent != request_id else None


def _of_request(row: dict[str, Any], data: Options) -> Iterator[tuple[str, Any]]:
    yield "gen_ai.operation.name", _operation(row)
    yield "gen_ai.provider.name", row["provider"]
    yield "gen_ai.request.model", row["model"]
    yield "gen_ai.response.model", row["served_model"]
    yield "gen_ai.response.finish_reasons", [row["stop_reason"]] if row["stop_reason"] else None
    yield "gen_ai.usage.input_tokens", row["input_tokens"]
    yield "gen_ai.usage.output_tokens", row["output_tokens"]
    # A failure that nobody has named is told by its status, as OpenTelemetry advises.
    yield "error.type", (row["error_type"] or str(row["status_code"])) if _failed(row) else None
    yield "http.response.status_code", row["status_code"]
    yield "bifrost.object_type", row["object_type"]
    yield "bifrost.customer_id", row["customer_id"]
    yield "bifrost.cost_usd", row["cost_usd"]
    yield "bifrost.fallback_index", row["fallback_index"]
    yield from _extra(row, data)
    if data.include_content:
        yield "gen_ai.input.messages", row["request_content"]
        yield "gen_ai.output.messages", row["response_content"]


def _of_call(row: dict[str, Any], data: Options) -> Iterator[tuple[str, Any]]:
    yield "gen_ai.operation.name", EXECUTE_TOOL
    yield "gen_ai.tool.name", row["tool_name"]
    yield "error.type", None if row["status"] == "success" else row["error_type"] or "_OTHER"
    yield "bifrost.server_label", row["server_label"]
    yield "bifrost.customer_id", row["customer_id"]
    yield "bifrost.cost_usd", row["cost_usd"]
    yield from _extra(row, data)
    if data.include_content:
        yield "gen_ai.tool.call.arguments", row["tool_arguments"]
        yield "gen_ai.tool.call.result", row["tool_result"]


def _extra(row: dict[str, Any], data: Options) -> Iterator[tuple[str, Any]]:
    for name in data.extra_fields:
        value = row[name]
        if isinstance(value, dt.datetime):
            value = rfc3339(value)
        elif name in LISTS:
            value = _list(value)
        yield NAMED.get(name, f"bifrost.{name}"), value


def _list(text: str | None) -> Any:
    """An array that stands in a text; the text where it is none."""
    try:
        value = orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, list) else text


def _failed(row: dict[str, Any]) -> bool:
    return bool(row["status"] != "success" or row["status_code"] >= ERRORS_FROM)


def _operation(row: dict[str, Any]) -> str:
    kind = row["object_type"] or ""
    return OPERATIONS.get(kind, kind)


def _name(operation: str, of: str | None) -> str:
    return " ".join(word for word in (operation, of) if word)


def _dumped(pairs: Iterable[tuple[str, Any]]) -> str:
    """A JSON object in the order of the pairs; without those that say nothing."""
    return orjson.dumps(
        {key: value for key, value in pairs if value is not None and value != "" and value != []}
    ).decode()


def _times(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    import pyarrow as pa
    import pyarrow.compute as pc

    starts = batch.column("timestamp")
    # Whatever a latency says, no span ends before its start, nor beyond the calendar.
    latencies = pc.max_element_wise(batch.column("latency_ms").cast(pa.int64()), 0)
    ends = pc.add(starts.cast(pa.int64()), pc.multiply(latencies, _MILLISECOND))
    return {"start_time": starts, "end_time": pc.min_element_wise(ends, _LAST).cast(starts.type)}


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows without what is worked on by columns: to make a Python time of each costs as much as all the rest."""
    rows: list[dict[str, Any]] = batch.select(
        [name for name in batch.schema.names if name not in _BY_COLUMNS and not is_hidden(name)]
    ).to_pylist()
    return rows


def _coalesced(first: pa.Array, other: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(first, other)


def _batch(schema: pa.Schema, **columns: Any) -> pa.RecordBatch:
    import pyarrow as pa

    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
