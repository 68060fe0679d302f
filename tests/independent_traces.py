"""A second reading of what `traces` has to hold, in plain Python over sqlite3, that shares no code with the package."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.independent import (
    NAMES,
    RejectedRowError,
    as_bytes,
    extra,
    instant,
    json_object,
    micros,
    record,
    text,
    words,
)

OPERATIONS = """
chat             chat_completion chat_completion_stream responses responses_stream websocket_responses
chat             chat.completion chat.completion.chunk response response.completion.chunk
text_completion  text_completion text_completion_stream text.completion
embeddings       embedding list
"""
BY_KIND = {kind: name for name, *kinds in (line.split() for line in OPERATIONS.strip().split("\n")) for kind in kinds}
Record = dict[str, Any]


@dataclass
class Spans:
    """What is expected.

    Args:
        rows: In their order; times in microseconds since 1970 UTC, attributes as an object.
        calls: Tool calls of the window by what becomes of them.
        rejected: Ids of the requests and calls that can't become a span.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    calls: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("source", "kept", "filtered", "rejected", "unsettled"), 0)
    )
    rejected: list[str] = field(default_factory=list)


def spans(path: Path, start: dt.datetime, end: dt.datetime, keeps: Callable[[Record], bool]) -> Spans:
    """The spans of `[start, end)`, of the requests that `keeps` keeps and of the calls that go with them."""
    found = Spans()
    low, high = micros(start), micros(end)
    requests = all_rows(path, "logs")
    known = {as_bytes(row["id"]): row for row in requests}
    removed: set[bytes] = set()
    for row in requests:
        own, placed = times(row)
        if placed is None or not low <= placed < high or row["status"] == b"processing":
            continue
        try:
            made = request_span(row, own)
        except RejectedRowError:
            found.rejected.append(text(row["id"]))
            continue
        if keeps(made["record"]):
            found.rows.append(made["span"])
        else:
            removed.add(as_bytes(row["id"]))
    for call in all_rows(path, "mcp_tool_logs"):
        own, placed = times(call)
        if placed is None or not low <= placed < high:
            continue
        if call["status"] == b"processing":
            found.calls["unsettled"] += 1
            continue
        found.calls["source"] += 1
        try:
            span = call_span(call, own, known)
        except RejectedRowError:
            found.calls["rejected"] += 1
            found.rejected.append(text(call["id"]))
            continue
        if as_bytes(call["llm_request_id"]) in removed:
            found.calls["filtered"] += 1
        else:
            found.calls["kept"] += 1
            found.rows.append(span)
    found.rows.sort(key=lambda row: (row["start_time"], row["span_id"].encode()))
    return found


def all_rows(path: Path, table: str) -> list[dict[str, Any]]:
    """Every row, texts as bytes."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [as_bytes(column[0]).decode() for column in cursor.description]
        return [dict.fromkeys(NAMES) | dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def times(row: dict[str, Any]) -> tuple[int | None, int | None]:
    """What the row's own time says, and the time that places the row."""
    own = instant(row["timestamp"])
    return own, instant(row["created_at"]) if own is None else own


def request_span(row: dict[str, Any], own: int | None) -> dict[str, Any]:
    """A request as a record and as a span."""
    made = record(row, own)
    kind, status = text(row["object_type"]), row["status"]
    failed = status != b"success" or made["status_code"] >= 400
    parent, stop = first_attempt(row), text(row["stop_reason"])
    operation = BY_KIND.get(kind, kind)
    attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": made["provider"],
        "gen_ai.request.model": made["model"],
        "gen_ai.response.model": text(row["served_model"]),
        "gen_ai.response.finish_reasons": [stop] if stop else None,
        "gen_ai.usage.input_tokens": made["input_tokens"],
        "gen_ai.usage.output_tokens": made["output_tokens"],
        "error.type": (error_type(row) or str(made["status_code"])) if failed else None,
        "http.response.status_code": made["status_code"],
        "bifrost.object_type": kind,
        "bifrost.customer_id": made["customer_id"],
        "bifrost.cost_usd": made["cost_usd"],
        "bifrost.fallback_index": row["fallback_index"],
    }
    name = " ".join(word for word in (operation, made["model"]) if word) or "request"
    ids = {"trace_id": parent or made["request_id"], "span_id": made["request_id"], "parent_span_id": parent}
    return {"record": made, "span": span(ids, name, made, not failed, attributes)}


def call_span(call: dict[str, Any], own: int | None, known: dict[bytes, dict[str, Any]]) -> dict[str, Any]:
    """A tool call as a span."""
    made = record(call, own)
    tool, server = text(call["tool_name"]), text(call["server_label"])
    cause = text(call["llm_request_id"])
    good = call["status"] == b"success"
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "error.type": None if good else error_type(call) or "_OTHER",
        "bifrost.server_label": server,
        "bifrost.customer_id": made["customer_id"],
        "bifrost.cost_usd": made["cost_usd"],
    }
    ids = {"trace_id": trace_of(cause, known) or made["request_id"], "span_id": made["request_id"]}
    return span({**ids, "parent_span_id": cause or None}, f"execute_tool {tool}".strip(), made, good, attributes)


def span(ids: dict[str, Any], name: str, made: Record, good: bool, attributes: dict[str, Any]) -> dict[str, Any]:
    """One row of the dataset."""
    start = made["timestamp"]
    return {
        **ids,
        "name": name,
        "start_time": start,
        "end_time": start + 1000 * max(0, made["latency_ms"]),
        "status": "OK" if good else "ERROR",
        "attributes": json.dumps({key: each for key, each in attributes.items() if each not in (None, "")}),
    }


def trace_of(cause: str, known: dict[bytes, dict[str, Any]]) -> str:
    """The trace of the request that caused a call, as far as that request can be read."""
    row = known.get(cause.encode())
    if row is None:
        return cause
    try:
        record(row, instant(row["timestamp"]))
        return first_attempt(row) or cause
    except RejectedRowError:
        return cause


def first_attempt(row: dict[str, Any]) -> str | None:
    """Of a fallback attempt, the first one; of a settlement, the request that fetched the results."""
    parent = text(row["parent_request_id"])
    is_caused = (row["fallback_index"] or 0) > 0 or as_bytes(row["id"]).startswith(b"batch-cost:")
    return (parent or None) if is_caused else None


def error_type(row: dict[str, Any]) -> str | None:
    """What the error calls itself."""
    details = json_object(row["error_details"])
    inner = details.get("error") if isinstance(details.get("error"), dict) else {}
    given = (extra(details).get("error_type"), inner.get("type"), details.get("type"))
    return next((word for word in map(words, given) if word), None)
