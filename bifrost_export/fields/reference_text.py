"""The syntax of references: `${NAME}`, `${NAME:-default}` and `env.NAME`."""

from __future__ import annotations

import re
from collections.abc import Iterator

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


_BROKEN = re.compile(r"\$\{(?![A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\})")


_ENV = re.compile(r"env\.([A-Za-z_][A-Za-z0-9_]*)")


def references_in(text: str) -> Iterator[tuple[str, str | None]]:
    """The names that a text refers to, each with its default or None."""
    whole = _ENV.fullmatch(text)
    if whole:
        yield whole[1], None
        return
    for match in _REFERENCE.finditer(text):
        yield match[1], match[2]


def is_literal(text: str) -> bool:
    """Whether a text has anything but references without a default in it."""
    if not text or _ENV.fullmatch(text):
        return False
    return any(default for _, default in references_in(text)) or bool(_REFERENCE.sub("", text))


def without_references(text: str) -> str:
    """A text with an `x` in place of each reference."""
    return "x" if _ENV.fullmatch(text) else _REFERENCE.sub("x", text)


def is_broken(text: str) -> bool:
    """Whether a `${` stands in a text that begins no reference."""
    return bool(_BROKEN.search(text))


def has_references(text: str) -> bool:
    """Return whether a text refers to anything."""
    return any(True for _ in references_in(text))
