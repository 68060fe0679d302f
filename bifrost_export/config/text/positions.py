"""Where in a text each value stands, by its JSON pointer, and which keys stand twice."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isinf
from typing import Any, TypeVar

from bifrost_export.fields.pointer import pointer_of, steps_of, value_at

Mark = tuple[int, int]
"""Line and column, both from 1; a column counts characters."""

DEEPEST = 100
"""Levels of a document; what is nested deeper is refused, since no document needs it."""


TOO_BIG = "a number is too big"
TOO_DEEP = f"nested deeper than {DEEPEST} levels"
HALF = "a text holds half of a surrogate pair"
LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**64 - 1
"""Of whole numbers in a document, so that everything behind it can hold them."""


_INTEGER = re.compile(r"[-+]?[0-9]+")
_DIGITS = 20
_MOST_FLOAT = sys.float_info.max


class SyntaxFaultError(ValueError):
    """A text is no JSON, or no YAML.

    Args:
        message: What is wrong.
        line: From 1.
        column: From 1.
        hint: What to do.

    Attributes:
        lines: The text's lines, where it is one.
    """

    def __init__(self, message: str, line: int, column: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.hint = message, line, column, hint
        self.lines: list[str] = []


@dataclass(slots=True)
class Spot:
    """Where a value stands.

    Args:
        start: Where it begins.
        end: The place behind its last character.
        key: Where the key begins that holds it, or None in a list.
        parts: The spots of what it holds, by key or by the text of an index.
    """

    start: Mark
    end: Mark
    key: Mark | None = None
    parts: dict[str, Spot] = field(default_factory=dict)


@dataclass(frozen=True)
class Located:
    """Where everything in a text stands.

    Args:
        root: The spot of the whole value; None for a text without one.
        twice: Pointers of keys that stand twice in one object, with the place of the later one.
        former: The pointers of such keys, with the spots of the values that the later ones took the place of.
        odd: Pointers of values that can't be taken as they are written, with their places and what is wrong. Another
            value stands in for each, so that the rest of the document can be read.
    """

    root: Spot | None = None
    twice: tuple[tuple[str, Mark], ...] = ()
    former: tuple[tuple[str, Spot], ...] = ()
    odd: tuple[tuple[str, Mark, str], ...] = ()


class Text:
    """A text that was read. Its places are looked for when they are first asked for: a good document needs none.

    Args:
        value: What it says.
        lines: Its lines, as the places count them.
        locate: Finds the places.
        has_twice: Whether a key may stand twice in one object.
        has_odd: Whether a value may be none that can be taken as it is written.
    """

    def __init__(
        self,
        value: Any,
        lines: list[str],
        locate: Callable[[], Located],
        *,
        has_twice: bool = True,
        has_odd: bool = True,
    ) -> None:
        self.value = value
        self.lines = lines
        self._locate = locate
        self._has_twice = has_twice
        self._has_odd = has_odd

    def hide(self) -> None:
        """Forget the lines: nothing of the text may be shown."""
        self.lines = []

    @cached_property
    def _located(self) -> Located:
        return self._locate()

    @property
    def twice(self) -> Sequence[tuple[str, Mark]]:
        """Pointers of keys that stand twice in one object, with the place of the later one."""
        return self._located.twice if self._has_twice else ()

    @property
    def odd(self) -> Sequence[tuple[str, Mark, str]]:
        """Pointers of values that can't be taken as they are written, with their places and what is wrong."""
        return self._located.odd if self._has_odd else ()

    @cached_property
    def _twice_below(self) -> dict[str, list[tuple[str, Mark]]]:
        return _by_holder(self.twice)

    @cached_property
    def _odd_below(self) -> dict[str, list[tuple[str, Mark, str]]]:
        return _by_holder(self.odd)

    def twice_below(self, pointer: str) -> list[tuple[str, Mark]]:
        """What of `twice` lies at or below a pointer."""
        return self._twice_below.get(pointer, [])

    def odd_below(self, pointer: str) -> list[tuple[str, Mark, str]]:
        """What of `odd` lies at or below a pointer."""
        return self._odd_below.get(pointer, [])

    @property
    def is_empty(self) -> bool:
        """Whether no value has been read from it."""
        return self._located.root is None

    def spots(self) -> Iterator[tuple[str, Spot]]:
        """Every spot with its pointer; a list or object stands before what it holds."""
        return _below("", self._located.root) if self._located.root else iter(())

    def former(self) -> Iterator[tuple[str, Spot]]:
        """The same of the values that a later key of the same name took the place of."""
        return (each for pointer, spot in self._located.former for each in _below(pointer, spot))

    def place(self, pointer: str, of_key: bool = False) -> Mark:
        """The place of a value or its key; of the nearest that holds it when it stands nowhere itself."""
        spot = self._located.root
        if spot is None:
            return (1, 1)
        for step in steps_of(pointer):
            if step not in spot.parts:
                return spot.start
            spot = spot.parts[step]
        return (spot.key if of_key else None) or spot.start

    def at(self, pointer: str) -> Any:
        """The value at a pointer, or None where nothing stands."""
        return value_at(self.value, steps_of(pointer))


_Entry = TypeVar("_Entry", bound=tuple[Any, ...])


def _by_holder(entries: Sequence[_Entry]) -> dict[str, list[_Entry]]:
    """Entries by the pointers of all that holds them: a document of many exports asks for each export's own."""
    found: dict[str, list[_Entry]] = {}
    for entry in entries:
        pointer: str = entry[0]
        while True:
            found.setdefault(pointer, []).append(entry)
            if not pointer:
                break
            pointer = pointer.rpartition("/")[0]
    return found


def unread(lines: list[str]) -> Text:
    """A text that is no JSON or YAML: it has lines, and no value."""
    return Text(None, lines, Located)


def _below(pointer: str, spot: Spot) -> Iterator[tuple[str, Spot]]:
    waiting = [(pointer, spot)]
    while waiting:
        pointer, spot = waiting.pop()
        yield pointer, spot
        waiting += [(pointer + pointer_of(step), part) for step, part in reversed(spot.parts.items())]


def is_too_big(word: str) -> bool:
    """Return whether a number, as it is written, is beyond what a document may hold."""
    if _INTEGER.fullmatch(word):
        return len(word.lstrip("+-").lstrip("0")) > _DIGITS or not LEAST_INTEGER <= int(word) <= MOST_INTEGER
    return isinf(float(word))


def integer_of(word: str) -> int:
    """Return a whole number, or the nearest that a document may hold."""
    if not is_too_big(word):
        return int(word)
    return LEAST_INTEGER if word.startswith("-") else MOST_INTEGER


def float_of(word: str) -> float:
    """Return a number with a fraction or exponent, or the nearest that there is."""
    return max(-_MOST_FLOAT, min(float(word), _MOST_FLOAT))
