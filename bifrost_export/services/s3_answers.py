"""What a `ClientError` of botocore's holds: the store's code and words, and whether the fault is likely to pass."""

from __future__ import annotations

from typing import Any

from bifrost_export.services.answers import said
from bifrost_export.services.s3_codes import LASTING, PASSING


def code_of(error: Any) -> str:
    """The store's own code of a `ClientError`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    """The HTTP status of a `ClientError`, 0 when there was none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def words_of(error: Any) -> str:
    """Return what the store says of a `ClientError`; botocore's own words for an answer without any are left out."""
    if code_of(error).isdecimal():
        return ""
    return str(error.response.get("Error", {}).get("Message") or "")


def is_passing(error: Any) -> bool:
    """Return whether a `ClientError` is likely to pass."""
    code, status = code_of(error), status_of(error)
    if code in LASTING or status in (501, 505, 507):
        return False
    return code in PASSING or status >= 500 or status in (408, 409, 425, 429)


def described(error: Any) -> str:
    """Return what the store answered: its code, its words, and its time where the clocks differ."""
    found = error.response.get("Error", {})
    words = words_of(error)
    if code_of(error) == "RequestTimeTooSkewed" and found.get("ServerTime"):
        words = f"{words.rstrip('.')} (sent at {found.get('RequestTime')}, the store has {found['ServerTime']})"
    return said(code_of(error) or status_of(error), words)
