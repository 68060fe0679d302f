"""Text that moves no cursor and hides nothing: for terminals and logs."""

from __future__ import annotations

import re

_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def printable(text: str) -> str:
    """Return a text in which control characters and those that turn the direction of writing are JSON's escapes.

    Line feeds stay.

    Args:
        text: From a document, a file's name or a row.
    """
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
