"""Rows that test a reader of the log store: each is odd in one way that Bifrost, its past or its callers can cause."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bifrost_export.sample.sqlite_tables import RawText, add_rows
from tests.support.odd_times import edges, space_form, times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bifrost_export.window import Window

Row = dict[str, Any]

BASE: Row = {
    "object_type": "chat_completion",
    "provider": "openai",
    "model": "gpt-4o",
    "status": "success",
    "latency": 1250.0,
    "prompt_tokens": 100,
    "completion_tokens": 150,
    "total_tokens": 250,
    "token_usage": '{"prompt_tokens":100,"completion_tokens":150,"total_tokens":250}',
    "cost": 0.0045,
    "customer_id": "cust_abc123",
    "customer_ids": None,
    "error_details": "",
    "params": "",
}
_NOT_COUNTED: Row = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "token_usage": "", "cost": None}

OBJECT_TYPES = (
    *("list_models", "text_completion", "text_completion_stream", "chat_completion", "chat_completion_stream"),
    *("responses", "responses_stream", "responses_retrieve", "responses_retrieve_stream", "responses_delete"),
    *(
        "websocket_responses",
        "responses_cancel",
        "responses_input_items",
        "compaction",
        "count_tokens",
        "embedding",
        "rerank",
        "decisions",
    ),
    *("ocr", "speech", "speech_stream", "transcription", "transcription_stream", "image_generation"),
    *("image_generation_stream", "image_edit", "image_edit_stream", "image_variation", "video_generation"),
    *("video_edit", "video_retrieve", "video_download", "video_delete", "video_list", "video_remix", "batch_create"),
    *("batch_list", "batch_retrieve", "batch_cancel", "batch_results", "batch_delete", "file_upload", "file_list"),
    *("file_retrieve", "file_delete", "file_content", "container_create", "container_list", "container_retrieve"),
    *("container_delete", "container_file_create", "container_file_list", "container_file_retrieve"),
    *("container_file_delete", "container_file_content", "cached_content_create", "cached_content_list"),
    *("cached_content_retrieve", "cached_content_update", "cached_content_delete", "mcp_tool_execution", "realtime"),
    *("realtime.turn", "live.session", "something_new", "unknown", ""),
    *("chat.completion", "text.completion", "list", "audio.speech", "audio.transcription", "chat.completion.chunk"),
    *("audio.speech.chunk", "audio.transcription.chunk", "response", "response.completion.chunk"),
)
"""Every kind of request that is known, the names of former versions, and some that nobody knows."""

_ERROR_CLASSES = (
    *("caller_model_unknown", "caller_cancelled", "caller_invalid_request", "caller_bad_json", "policy_rate_limited"),
    *("policy_budget_exceeded", "policy_region", "provider_auth_failed", "provider_billing", "provider_rate_limited"),
    *("provider_overloaded", "provider_timeout", "provider_connection_failed", "provider_server_error"),
    *("provider_credentials_exhausted", "bifrost_dropped", "bifrost_internal", "_OTHER", "martian"),
)
_DETAILS: tuple[str | RawText | None, ...] = (
    *('{"status_code":429}', '{"status_code":"503"}', '{"status_code":429.0}', '{"status_code":0}'),
    *('{"status_code":"0"}', '{"status_code":-5}', '{"status_code":null}', '{"status_code":true}'),
    *('{"status_code":"teapot"}', '{"status_code":[429]}', '{"status_code":99999999999}'),
    *(
        '{"status_code":"99999999999"}',
        '{"status_code":2147483647}',
        '{"status_code":2147483648}',
        '{"status_code":429',
        "[429]",
        "429",
        '"429"',
        "null",
    ),
    *("", None, "{}", '{"message":"abandoned: no answer within 15m"}', '{"error":null}', '{"extra_fields":null}'),
    *('{"extra_fields":"x"}', '{"extra_fields":{"error_type":7}}', '{"extra_fields":{"error_type":""}}'),
    *('{"status_code":400,"error":{"message":"a\\u0000b"}}', '{"status_code":400,"error":{"message":"ü😀"}}'),
    RawText(b'{"status_code":400,"error":{"message":"\xff\xfe"}}'),
)
_LATENCIES = (
    *(0.0, 0.49999, 0.5, 1.5, 2.5, 3.5, -1.0, 2147483647.0, 2147483647.4, 2147483647.5, 2147483648.0, 3e9, -3e9),
    *("12abc", "", float("inf"), float("-inf"), 1e300, b"\x01"),
)
_TOKENS = (2147483647, 2147483648, -2147483648, -2147483649, -1, 2**63 - 1, 12.5, 1e300, "many", "", b"7")
_COSTS = (None, 0.0, 0, 7, -0.5, 1.23e-07, 1e15, 1e300, float("inf"), float("-inf"), "free", "", b"7", 0.1 + 0.2)
_CUSTOMERS: tuple[tuple[str | None, str | None], ...] = (
    *((None, None), ("", ""), ("", "[]"), (None, '["cust_a","cust_b"]'), ("", '["cust_a"]'), ("cust_x", '["cust_z"]')),
    *((None, '[7,"cust_b"]'), (None, '[null,"cust_b"]'), (None, '[""]'), (None, "cust_a,cust_b"), (None, '["cust_a"')),
    *((None, '{"a":1}'), (None, '"cust_a"'), (None, "null"), (None, '["cü😀"]'), ("cust \"q\", 'a'\n\tb", None)),
)
_PARAMS: tuple[str | None, ...] = (
    '{"method":"DELETE","path":"/v1/files/f1","status_code":204}',
    '{"method":"GET","path":"/v1/x","status_code":404}',
    '{"method":"GET","path":"/v1/x","status_code":"404"}',
    '{"method":"GET","path":"/v1/x","status_code":0}',
    '{"method":"GET","path":"/v1/x","status_code":99999999999}',
    '{"method":"","path":"","status_code":200}',
    '{"method":null,"path":7}',
    '{"path":"/v1/only-a-path"}',
    *('{"method":', "[]", "null", "{}", "", None),
)
_TEXTS = (
    'a,"b"\nü😀',
    "=cmd()|x",
    " spaces ",
    "tab\tCR\r\nLF",
    "'; DROP TABLE logs; --",
    "nul\x00inside",
    "é vs é",
    "",
)


def odd_rows(window: Window) -> list[Row]:
    """Odd rows in and around a window, each with an id that begins with `odd-`.

    Args:
        window: The window that a test exports; at least a few minutes long.

    Returns:
        Column -> value of `logs`; some values can only stand in SQLite.
    """
    inside = [*_outcomes(), *_numbers(), *_texts(), *_unsettled()]
    step = (window.end - window.start) / (len(inside) + 1)
    rows: list[Row] = []
    for number, row in enumerate(inside, start=1):
        time = space_form(window.start + number * step)
        rows.append({"id": f"odd-{number:04d}", "timestamp": time, "created_at": time, **row})
    for number, (timestamp, created_at) in enumerate((*times(window), *edges(window)), start=1):
        rows.append({"id": f"odd-time-{number:04d}", "timestamp": timestamp, "created_at": created_at, **BASE})
    return rows


def plant(path: Path, window: Window) -> int:
    """Insert the odd rows of a window into a log store that exists; gives how many."""
    return add_rows(path, odd_rows(window))


def _row(**over: Any) -> Row:
    return {**BASE, **over}


def _outcomes() -> Iterator[Row]:
    for status in ("error", "cancelled"):
        for details in _DETAILS:
            yield _row(status=status, error_details=details, **_NOT_COUNTED)
    for name in _ERROR_CLASSES:
        yield _row(status="error", error_details=json.dumps({"extra_fields": {"error_type": name}}), **_NOT_COUNTED)
    for kind in ("passthrough", "passthrough_stream"):
        for params in _PARAMS:
            yield _row(object_type=kind, params=params)
            yield _row(object_type=kind, params=params, status="error", **_NOT_COUNTED)
    yield _row(error_details='{"status_code":500}', latency=None)
    yield _row(params='{"method":"DELETE","path":"/x","status_code":500}')
    for kind in OBJECT_TYPES:
        yield _row(object_type=kind)


def _numbers() -> Iterator[Row]:
    for latency in _LATENCIES:
        yield _row(latency=latency)
    for extra in ('{"latency":87}', '{"latency":2.5}', '{"latency":3.5}', "{}", '{"latency":null}'):
        yield _row(latency=None, status="error", error_details=f'{{"extra_fields":{extra}}}', **_NOT_COUNTED)
    for tokens in _TOKENS:
        yield _row(prompt_tokens=tokens)
        yield _row(completion_tokens=tokens)
    for cost in _COSTS:
        yield _row(cost=cost)
    for total in (0, None, 7):
        for usage in ("", None, '{"total_tokens":0}'):
            yield _row(prompt_tokens=0, completion_tokens=0, total_tokens=total, token_usage=usage)
            yield _row(prompt_tokens=None, completion_tokens=None, total_tokens=total, token_usage=usage)
    yield _row(prompt_tokens=None, completion_tokens=7, total_tokens=7, token_usage=None)
    yield _row(prompt_tokens=5, completion_tokens=0, total_tokens=0, token_usage="")
    yield _row(latency="12abc", prompt_tokens="many", cost="free")


def _texts() -> Iterator[Row]:
    for own, several in _CUSTOMERS:
        yield _row(customer_id=own, customer_ids=several)
    for text in _TEXTS:
        yield _row(model=text)
        yield _row(provider=text)
    for text in _TEXTS[:-1]:
        yield _row(id=f"odd-id-{text}")
    for column in ("provider", "model", "customer_id", "object_type"):
        yield _row(**{column: RawText(b"\xff\xfe")})
    yield _row(id=RawText(b"odd-id-\xff"))


def _unsettled() -> Iterator[Row]:
    for latency in (None, 12.0, "12abc"):
        yield _row(status="processing", latency=latency, **_NOT_COUNTED)
