"""No text of a document or a row moves a cursor, hides what follows or turns the direction of writing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.redaction.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\tc\0", "a\\x0db\tc\\x00"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("two\nlines", "two\nlines"),
        ("Zürich 東京 👩‍💻", "Zürich 東京 👩‍💻"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    """Everything else stays as it is."""
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Line feeds and tabs aside; and what is printable already doesn't change."""
    shown = printable(text)

    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") and each not in "\t\n"]
    assert printable(shown) == shown
