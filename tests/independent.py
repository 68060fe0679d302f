"""A second reading of a log store, row by row in plain Python, that shares no code with the package.

It follows the contract's record and the rules for odd rows word by word, without any thought for speed; tests compare
what an export has written with what stands here.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

COLUMNS = (
    *("timestamp", "request_id", "customer_id", "provider", "model", "endpoint", "method"),
    *("status_code", "latency_ms", "input_tokens", "output_tokens", "cost_usd"),
)
INT32 = range(-(2**31), 2**31)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)

# object_type, method, endpoint
ENDPOINTS = """
list_models                GET     /v1/models
text_completion            POST    /v1/completions
text_completion_stream     POST    /v1/completions
chat_completion            POST    /v1/chat/completions
chat_completion_stream     POST    /v1/chat/completions
responses                  POST    /v1/responses
responses_stream           POST    /v1/responses
websocket_responses        POST    /v1/responses
responses_retrieve         GET     /v1/responses/{response_id}
responses_retrieve_stream  GET     /v1/responses/{response_id}
responses_delete           DELETE  /v1/responses/{response_id}
responses_cancel           POST    /v1/responses/{response_id}/cancel
responses_input_items      GET     /v1/responses/{response_id}/input_items
compaction                 POST    /v1/responses/compact
count_tokens               POST    /v1/responses/input_tokens
embedding                  POST    /v1/embeddings
rerank                     POST    /v1/rerank
decisions                  POST    /v1/decisions
ocr                        POST    /v1/ocr
speech                     POST    /v1/audio/speech
speech_stream              POST    /v1/audio/speech
transcription              POST    /v1/audio/transcriptions
transcription_stream       POST    /v1/audio/transcriptions
image_generation           POST    /v1/images/generations
image_generation_stream    POST    /v1/images/generations
image_edit                 POST    /v1/images/edits
image_edit_stream          POST    /v1/images/edits
image_variation            POST    /v1/images/variations
video_generation           POST    /v1/videos
video_edit                 POST    /v1/videos/edits
video_retrieve             GET     /v1/videos/{video_id}
video_download             GET     /v1/videos/{video_id}/content
video_delete               DELETE  /v1/videos/{video_id}
video_list                 GET     /v1/videos
video_remix                POST    /v1/videos/{video_id}/remix
batch_create               POST    /v1/batches
batch_list                 GET     /v1/batches
batch_retrieve             GET     /v1/batches/{batch_id}
batch_cancel               POST    /v1/batches/{batch_id}/cancel
batch_results              GET     /v1/batches/{batch_id}/results
batch_delete               DELETE  /v1/batches/{batch_id}
file_upload                POST    /v1/files
file_list                  GET     /v1/files
file_retrieve              GET     /v1/files/{file_id}
file_delete                DELETE  /v1/files/{file_id}
file_content               GET     /v1/files/{file_id}/content
container_create           POST    /v1/containers
container_list             GET     /v1/containers
container_retrieve         GET     /v1/containers/{container_id}
container_delete           DELETE  /v1/containers/{container_id}
container_file_create      POST    /v1/containers/{container_id}/files
container_file_list        GET     /v1/containers/{container_id}/files
container_file_retrieve    GET     /v1/containers/{container_id}/files/{file_id}
container_file_delete      DELETE  /v1/containers/{container_id}/files/{file_id}
container_file_content     GET     /v1/containers/{container_id}/files/{file_id}/content
cached_content_create      POST    /genai/v1beta/cachedContents
cached_content_list        GET     /genai/v1beta/cachedContents
cached_content_retrieve    GET     /genai/v1beta/cachedContents/{name}
cached_content_update      PATCH   /genai/v1beta/cachedContents/{name}
cached_content_delete      DELETE  /genai/v1beta/cachedContents/{name}
mcp_tool_execution         POST    /v1/mcp/tool/execute
realtime                   GET     /v1/realtime
realtime.turn              GET     /v1/realtime
live.session               GET     /v1/realtime
"""
KNOWN = {name: (path, method) for name, method, path in (line.split() for line in ENDPOINTS.split("\n") if line)}
LEGACY = {
    "chat.completion": "chat_completion",
    "chat.completion.chunk": "chat_completion_stream",
    "text.completion": "text_completion",
    "list": "embedding",
    "audio.speech": "speech",
    "audio.speech.chunk": "speech_stream",
    "audio.transcription": "transcription",
    "audio.transcription.chunk": "transcription_stream",
    "response": "responses",
    "response.completion.chunk": "responses_stream",
}
TIME = re.compile(r"(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", flags=re.ASCII)


class RejectedRowError(Exception):
    """A row can't become a record; the one argument is the column."""


NAMES = (
    *("id", "timestamp", "created_at", "object_type", "provider", "model", "status", "latency", "cost"),
    *("customer_id", "customer_ids", "prompt_tokens", "completion_tokens", "total_tokens", "token_usage"),
    *("error_details", "params"),
)
LogStore = Path | list[dict[str, Any]]
"""A SQLite file, or the rows of another log store as `log_rows` gives them."""


def rows(
    log_store: LogStore, start: dt.datetime, end: dt.datetime
) -> tuple[list[dict[str, Any]], list[tuple[str, str]], int]:
    """What an export of `[start, end)` has to hold.

    Returns:
        The records in their order, `timestamp` in microseconds since 1970 UTC; the rejected rows as (id, column) in
        the order of their times and ids; and how many rows of the window have not settled.
    """
    records, rejected, unsettled = [], [], 0
    low, high = micros(start), micros(end)
    for row in log_rows(log_store):
        own = instant(row["timestamp"])
        placed = instant(row["created_at"]) if own is None else own
        if placed is None or not low <= placed < high:
            continue
        if row["status"] == b"processing":
            unsettled += 1
            continue
        key = (placed, as_bytes(row["id"]))
        try:
            records.append((key, record(row, own)))
        except RejectedRowError as reason:
            rejected.append((key, str(reason)))
    records.sort(key=lambda pair: pair[0])
    rejected.sort(key=lambda pair: pair[0])
    return [r for _, r in records], [(repaired(key[1]), column) for key, column in rejected], unsettled


def unplaced(log_store: LogStore) -> int:
    """Rows whose time can't be read from `timestamp` nor from `created_at`."""
    return sum(instant(row["timestamp"]) is None and instant(row["created_at"]) is None for row in log_rows(log_store))


def object_types(path: Path) -> Counter[str]:
    """How often each kind of request stands in the log store."""
    return Counter(as_bytes(row["object_type"]).decode(errors="replace") for row in log_rows(path))


def log_rows(log_store: LogStore) -> list[dict[str, Any]]:
    """Every row of `logs`, texts as bytes, None for the columns that this table lacks."""
    if not isinstance(log_store, Path):
        return log_store
    with closing(sqlite3.connect(f"file:{log_store}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        present = {as_bytes(column[1]).decode() for column in connection.execute("PRAGMA table_info(logs)")}
        wanted = [name for name in NAMES if name in present]
        found = connection.execute(f"SELECT {', '.join(wanted)} FROM logs").fetchall()
    return [dict.fromkeys(NAMES) | dict(zip(wanted, values, strict=True)) for values in found]


def record(row: dict[str, Any], own: int | None) -> dict[str, Any]:
    """The record that a row becomes; `own` is what its `timestamp` says.

    Raises:
        RejectedRowError: With the first column that can't be filled.
    """
    if own is None:
        raise RejectedRowError("timestamp")
    kind = text(row["object_type"])
    passthrough = json_object(row["params"]) if kind in {"passthrough", "passthrough_stream"} else {}
    path, method = KNOWN.get(LEGACY.get(kind, kind), (f"/v1/{kind}", "POST"))
    details = {} if row["status"] == b"success" else json_object(row["error_details"])
    return {
        "timestamp": own,
        "request_id": text(row["id"]),
        "customer_id": customer(row),
        "provider": text(row["provider"]),
        "model": text(row["model"]),
        "endpoint": words(passthrough.get("path")) or path,
        "method": words(passthrough.get("method")) or method,
        "status_code": status_code(row["status"], passthrough, details),
        "latency_ms": latency(row["latency"], details),
        "input_tokens": tokens(row, "prompt_tokens"),
        "output_tokens": tokens(row, "completion_tokens"),
        "cost_usd": cost(row["cost"]),
    }


def micros(moment: dt.datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def instant(value: object) -> int | None:
    """The microseconds of a time as it stands in the log store, cut; None when it can't be read."""
    match = TIME.fullmatch(as_bytes(value).decode(errors="replace")) if isinstance(value, bytes) else None
    if match is None:
        return None
    day, separator, clock, fraction, zone = match.groups(default="")
    migrated = separator == "T" and zone == "Z" and len(fraction) < 3
    digits = fraction.rjust(3, "0") if migrated and fraction else fraction
    try:
        whole = dt.datetime.fromisoformat(f"{day}T{clock}{zone.replace('Z', '+00:00')}")
        return micros(whole) + int(digits.ljust(6, "0")[:6])
    except (ValueError, OverflowError):
        return None


def as_bytes(value: object) -> bytes:
    """Text as it stands in the file; what isn't there is empty."""
    return value if isinstance(value, bytes) else b"" if value is None else str(value).encode()


def repaired(value: bytes) -> str:
    """Bytes as text, with U+FFFD for each byte that is no part of a character."""
    found, rest = "", value
    while rest:
        for length in (1, 2, 3, 4):
            try:
                found, rest = found + rest[:length].decode(), rest[length:]
                break
            except UnicodeDecodeError:
                continue
        else:
            found, rest = found + "\ufffd", rest[1:]
    return found


def text(value: object) -> str:
    """A text for a required column: NULL is the empty one."""
    return repaired(as_bytes(value))


def words(value: object) -> str:
    """A text out of a JSON object, or nothing."""
    return value if isinstance(value, str) else ""


def json_value(value: object) -> Any:
    """What a column's JSON text holds; None for what is no JSON."""
    try:
        return json.loads(repaired(as_bytes(value)))
    except ValueError:
        return None


def json_object(value: object) -> dict[str, Any]:
    """The object that a column's JSON text holds, or an empty one."""
    parsed = json_value(value)
    return parsed if isinstance(parsed, dict) else {}


def customer(row: dict[str, Any]) -> str:
    """`customer_id`, else the first of `customer_ids`, else nothing."""
    own = text(row["customer_id"])
    several = json_value(row["customer_ids"])
    if own or not isinstance(several, list) or not several or several[0] is None:
        return own
    return several[0] if isinstance(several[0], str) else json.dumps(several[0], ensure_ascii=False)


def positive_code(value: object) -> int | None:
    """A status code above 0: a whole number, as a number or in text; None when there is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return None
    if value not in INT32:
        raise RejectedRowError("status_code")
    return value


def status_code(status: bytes, passthrough: dict[str, Any], details: dict[str, Any]) -> int:
    """The HTTP status by the six rules, in their order; a row that has not ended in a known way has none."""
    if status not in {b"success", b"error", b"cancelled"}:
        raise RejectedRowError("status_code")
    code = positive_code(passthrough.get("status_code"))
    if code is not None:
        return code
    if status == b"success":
        return 200
    code = positive_code(details.get("status_code"))
    if code is not None:
        return code
    if status == b"cancelled":
        return 499
    return 400 if details.get("is_bifrost_error") is False else 500


def extra(details: dict[str, Any]) -> dict[str, Any]:
    """The error's `extra_fields`, when they are an object."""
    fields = details.get("extra_fields")
    return fields if isinstance(fields, dict) else {}


def known_latency(value: object, details: dict[str, Any]) -> int | None:
    """Milliseconds, rounded half to even; the error's own when the column has none; None when nobody knows."""
    if value is None:
        value = extra(details).get("latency")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return round(value) if math.isfinite(value) and round(value) in INT32 else None


def without_latency(log_store: LogStore) -> set[str]:
    """The ids of the rows whose latency nobody knows."""
    return {
        repaired(as_bytes(row["id"]))
        for row in log_rows(log_store)
        if known_latency(row["latency"], {} if row["status"] == b"success" else json_object(row["error_details"]))
        is None
    }


def latency(value: object, details: dict[str, Any]) -> int:
    """The same with 0 for None."""
    return known_latency(value, details) or 0


def counted_tokens(row: dict[str, Any], source: str) -> int | None:
    """A count of tokens; None when nothing was recorded in any of the four columns, or there is no whole number."""
    counts = [row[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
    if all(count in (None, 0) for count in counts) and not row["token_usage"]:
        return None
    value = 0 if row[source] is None else row[source]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) else None


def tokens(row: dict[str, Any], source: str) -> int | None:
    """The same, None beyond 32 bits."""
    value = counted_tokens(row, source)
    return value if value is not None and value in INT32 else None


def cost(value: object) -> float | None:
    """USD, or None when the request was not priced, or nobody can tell."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
