"""Secrets that a command has resolved, and how they are kept out of everything it prints."""

from __future__ import annotations

import json

_SHORTEST = 4
_MASK = "***"


class Masker:
    """Learns secrets while a command runs, and masks them in text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def learn(self, secret: str) -> None:
        """Mask this value from now on, also as Python and JSON would quote it.

        One of fewer than 4 characters would tear holes into every word, and is left.
        """
        if len(secret) >= _SHORTEST:
            doubled = secret.replace("\\", "\\\\")
            self._secrets |= {secret, doubled, doubled.replace("'", "\\'"), repr(secret)[1:-1]}
            self._secrets |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}

    def mask(self, text: str) -> str:
        """The text with every learnt secret replaced, longer ones first."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return text
