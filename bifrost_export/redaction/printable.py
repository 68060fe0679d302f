"""Text that a terminal or a log may be given: what would steer it is written as an escape."""

from __future__ import annotations

import re

_STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters but tab and line feed, and what turns the direction of a text round or hides in it."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def printable(text: str) -> str:
    r"""Return a text with an escape such as `\x1b` or `\u202e` for each character that steers a terminal."""
    return _STEERS.sub(_escape, text)


def printable_json(text: str) -> str:
    r"""Return JSON that reads back as the same, with `\u009b` and the like for what steers a terminal."""
    return _STEERS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def has_control(text: str) -> bool:
    """Return whether a text holds a control character, a tab or the end of a line."""
    return bool(_CONTROL.search(text))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
