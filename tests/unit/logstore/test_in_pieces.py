"""A window is asked for piece by piece: the pieces tile it, whatever is too slow or too much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.logstore.adaptive_pieces import SlowError, TooMuchError, in_pieces
from bifrost_export.window import Window, from_micros, micros


def window(start: int, length: int) -> Window:
    """A window of so many microseconds."""
    return Window(from_micros(start), from_micros(start + length))


@given(
    length=st.integers(1, 10_000),
    first=st.floats(0.001, 1.0),
    growth=st.floats(0.1, 8.0),
    slow=st.integers(1, 3_000),
    much=st.integers(1, 3_000),
)
def test_the_pieces_tile_the_window(length: int, first: float, growth: float, slow: int, much: int) -> None:
    """None is longer than what is quick enough and little enough, and none is left out or taken twice."""

    def ask(piece: Window) -> tuple[int, int]:
        start, end = micros(piece.start), micros(piece.end)
        if end - start > slow:
            raise SlowError("slow")
        if end - start > much:
            raise TooMuchError(much / (end - start))
        return start, end

    found = list(in_pieces(window(7, length), ask, first, lambda _: growth))

    edges = [7, *(end for _, end in found)]
    assert [start for start, _ in found] == edges[:-1]
    assert edges[-1] == 7 + length
    assert all(end - start <= min(slow, much) for start, end in found)


def test_what_stays_slow_fails_and_says_how_little_was_asked_for() -> None:
    """It is no use to go on."""

    def ask(piece: Window) -> None:
        raise SlowError("the log store stopped a statement")

    with pytest.raises(SlowError, match=r"even when only \[2026-03-01T00:00:00Z, 2026-03-01T00:00:02") as caught:
        list(in_pieces(Window.parse("2026-03-01", "2026-03-02"), ask))
    assert "index on timestamp" in str(caught.value)


def test_a_single_moment_that_is_slow_is_not_asked_for_again() -> None:
    """It can't be cut."""
    asked = []

    def ask(piece: Window) -> None:
        asked.append(piece)
        raise SlowError("slow")

    with pytest.raises(SlowError):
        list(in_pieces(window(0, 1), ask))
    assert len(asked) == 1
