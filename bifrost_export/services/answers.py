"""The words of a store or service about an error, made safe to show: one line, short, without signatures."""

from __future__ import annotations

import re

LONGEST = 300
"""Characters of an answer that are shown."""
_MASK = "***"
_SECRETS = (
    re.compile(r"\bsig=[^&\s]+", re.IGNORECASE),
    re.compile(r"\bBearer\s+\S+", re.IGNORECASE),
    re.compile(r"\bya29\.\S+"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"),
    re.compile(r"(?<=://)[^/@\s]*@"),
)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_ABOUT_THE_REQUEST = re.compile(r"^\s*(?:RequestId|ErrorCode|Time)\s*:.*", re.IGNORECASE | re.DOTALL | re.MULTILINE)


def safe(text: object) -> str:
    """Return a text that a service has sent, fit for a message.

    Args:
        text: What was sent; None and anything but a text count as nothing.
    """
    if not isinstance(text, str):
        return ""
    line = _UNSEEN.sub(" ", _ABOUT_THE_REQUEST.sub("", text)).strip()
    for pattern in _SECRETS:
        line = pattern.sub(_MASK, line)
    line = " ".join(line.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3].rstrip()}..."


def said(code: object, text: object) -> str:
    """Return a code and the words that go with it: `NoSuchBucket: The specified bucket does not exist`."""
    words = safe(text).rstrip(".")
    return f"{code}: {words}" if words and words != str(code) else f"{code}"
