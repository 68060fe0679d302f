"""What the JSON texts of a log row say: status codes, latencies, passthrough requests, customers.

The texts are other programs' and can hold anything; what can't be read says nothing, and never stops a run. Each
function reads one text; the record mapping calls it once for each distinct text.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import orjson

from bifrost_export.thresholds import INT32_MAX

BEYOND_INT32 = -1
"""Stands for a status code that was recorded and does not fit INT32."""

CALLER_AT_FAULT = 400
GATEWAY_AT_FAULT = 500
"""What Bifrost answers where an error names no status code."""


@dataclass(frozen=True)
class ErrorFacts:
    """What `error_details` says.

    Args:
        code: The recorded status code, `BEYOND_INT32`, or None.
        default_code: What Bifrost answers where the error names no code.
        latency: Milliseconds, or None.
        kind: Bifrost's class of the error, else the provider's word for it, or None.
        word: The provider's code as text, or None.
        message: What was said of it, or None.
    """

    code: int | None = None
    default_code: int = GATEWAY_AT_FAULT
    latency: float | None = None
    kind: str | None = None
    word: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Passthrough:
    """What `params` says of a passthrough request.

    Args:
        path: The provider's path, or None.
        method: The HTTP method, or None.
        code: The recorded status code, `BEYOND_INT32`, or None.
    """

    path: str | None = None
    method: str | None = None
    code: int | None = None


def error_facts(text: str | None) -> ErrorFacts:
    """Read `error_details`."""
    details = _object(text)
    if not details:
        return ErrorFacts()
    extra, inner = (each if isinstance(each, dict) else {} for each in map(details.get, ("extra_fields", "error")))
    return ErrorFacts(
        _positive_code(details.get("status_code")),
        CALLER_AT_FAULT if details.get("is_bifrost_error") is False else GATEWAY_AT_FAULT,
        _real(extra.get("latency")),
        _text(extra.get("error_type")) or _text(inner.get("type")) or _text(details.get("type")),
        _word(inner.get("code")),
        # An abandoned request has a message and nothing else.
        _text(inner.get("message")) or _text(details.get("message")),
    )


def passthrough(text: str | None) -> Passthrough:
    """Read the `params` of a passthrough request."""
    params = _object(text)
    return Passthrough(
        _text(params.get("path")), _text(params.get("method")), _positive_code(params.get("status_code"))
    )


def first_customer(text: str | None) -> str:
    """The first of `customer_ids`, as text; `''` without one."""
    several = _value(text)
    if not isinstance(several, list) or not several or several[0] is None:
        return ""
    if isinstance(several[0], str):
        return _text(several[0]) or ""
    # Read again: orjson turns whole numbers beyond 64 bits into floats.
    return json.dumps(json.loads(text or "")[0], ensure_ascii=False)


def _value(text: str | None) -> Any:
    if not text:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:  # it also takes NaN and lone surrogates, which Python and Go write
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _object(text: str | None) -> dict[str, Any]:
    value = _value(text)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return value.encode(errors="replace").decode()
    return value


def _word(value: Any) -> str | None:
    """A code as text: foreign ones can be numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return _text(value if isinstance(value, str) else json.dumps(value))


def _real(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _positive_code(value: Any) -> int | None:
    """A status code above 0 as a number, or as text of digits; 0, a fraction or anything else is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value.lstrip("0")[:11] or "0")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return None
    return value if value <= INT32_MAX else BEYOND_INT32
