"""How one value is masked: the methods of `anonymize`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import orjson

REDACTED = "[REDACTED]"
"""What `redact` puts in place of a value."""

KEPT = 4
"""Characters at its end that `mask` keeps of a value."""
MASKED_WHOLE = 8
"""A value of so many characters or fewer is masked whole."""

Mask = Callable[[str], str | None]
_BLOCK = 64


def hash_with(key: str | None) -> Mask:
    """HMAC-SHA-256 with a key, else SHA-256, as 64 lower-case hex digits.

    Args:
        key: UTF-8 of it is HMAC's key.
    """
    if key is None:
        return lambda value: hashlib.sha256(value.encode()).hexdigest()
    secret = key.encode()
    secret = hashlib.sha256(secret).digest() if len(secret) > _BLOCK else secret
    secret = secret.ljust(_BLOCK, b"\0")
    # Both halves of HMAC are keyed once: a copy costs a third of a new one for each value.
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in secret))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in secret))

    def keyed(value: str) -> str:
        first, second = inner.copy(), outer.copy()
        first.update(value.encode())
        second.update(first.digest())
        return second.hexdigest()

    return keyed


def hide(value: str) -> str:
    """Each character as `*`, but for the last four of a value that is long enough."""
    shown = KEPT if len(value) > MASKED_WHOLE else 0
    return "*" * (len(value) - shown) + value[len(value) - shown :]


def _redact(value: str) -> str:
    return REDACTED


def _leave_nothing(value: str) -> None:
    return None


def mask_of(method: str, key: str | None) -> Mask:
    """The mask of a method; `''` stays `''`, since it tells that there is no value.

    Args:
        method: `hash`, `mask`, `redact`, `null` or `drop`; for the last two nothing is left of a value.
        key: Of `hash`.
    """
    masks: dict[str, Mask] = {"hash": hash_with(key), "mask": hide, "redact": _redact}
    mask = masks.get(method, _leave_nothing)
    return lambda value: mask(value) if value else value


def mask_list(text: str, mask: Mask) -> str | None:
    """A JSON array of values, each masked; a text that is no array is masked as one value."""
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError:
        return mask(text)
    return orjson.dumps([_masked(each, mask) for each in values]).decode() if isinstance(values, list) else mask(text)


def mask_object(text: str, mask: Mask, keys: Iterable[str]) -> str | None:
    """A JSON object, masked under some of its keys; a text that is no object is masked as one value."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return mask(text)
    if not isinstance(found, dict):
        return mask(text)
    for key in keys:
        if key in found:
            found[key] = _masked(found[key], mask)
    return orjson.dumps(found).decode()


def _masked(value: Any, mask: Mask) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_masked(each, mask) for each in value]
    if isinstance(value, dict):
        return {key: _masked(each, mask) for key, each in value.items()}
    return mask(value if isinstance(value, str) else orjson.dumps(value).decode())
