"""Ask for a window piece by piece, each as large as the log store answers in good time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from bifrost_export.errors import LogStoreBusyError
from bifrost_export.window import Window, from_micros, micros

Answer = TypeVar("Answer")

_PATIENCE = 16
_SLOW = "Is the server overloaded, or its index on timestamp missing? Bifrost builds it in the background."


class SlowError(LogStoreBusyError):
    """A piece took longer than a good guest may."""


class TooMuchError(Exception):
    """A piece holds more than may be taken at once.

    Args:
        share: What part of it would be right, more than 0 and less than 1.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share


def in_pieces(
    window: Window,
    ask: Callable[[Window], Answer],
    first: float = 1.0,
    growth: Callable[[Answer], float] = lambda answer: 1.0,
) -> Generator[Answer, None, None]:
    """The answers for pieces that tile a window, in order.

    Args:
        window: The window.
        ask: Answers for one piece; a piece of one microsecond is never too much.
        first: What part of the window the first piece is.
        growth: How many times longer the piece after an answer may be.

    Raises:
        SlowError: Even a small piece takes too long.
    """
    start, end = micros(window.start), micros(window.end)
    span, slow = max(1, int((end - start) * first)), 0
    while start < end:
        length = min(span, end - start)
        piece = Window(from_micros(start), from_micros(start + length))
        try:
            answer = ask(piece)
        except TooMuchError as error:
            span = max(1, min(length - 1, int(length * error.share)))
            continue
        except SlowError as error:
            slow += 1
            if slow == _PATIENCE or length == 1:
                raise SlowError(f"{error.message}, even when only {piece} was asked for", hint=_SLOW) from None
            span = length // 2
            continue
        slow = 0
        yield answer
        start += length
        span = max(1, int(span * growth(answer)))
