"""Texts as SQLite's SQL writes them."""

from __future__ import annotations


def literal(text: str) -> str:
    """A text as SQL writes it, whatever it holds: by its bytes where it has characters that can't be seen.

    A NUL would end the statement.

    Raises:
        UnicodeEncodeError: It holds half of a surrogate pair.
    """
    if text.isprintable():
        text.encode()
        return "'" + text.replace("'", "''") + "'"
    return f"CAST(x'{text.encode().hex()}' AS TEXT)"
