"""Where in a text each value stands, by its JSON pointer, and which keys stand twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Mark = tuple[int, int]
"""Line and column, both from 1; a column counts characters."""

DEEPEST = 100
"""Levels of a document; what is nested deeper is refused, since no document needs it."""


class SyntaxFaultError(ValueError):
    """A text is no JSON, or no YAML.

    Args:
        message: What is wrong.
        line: From 1.
        column: From 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass
class Text:
    """A text that was read.

    Args:
        value: What it says.
        lines: Its lines, as the places count them.
        places: JSON pointer -> where the value begins.
        ends: JSON pointer -> the place behind the value's last character.
        keys: JSON pointer -> where the key begins that holds the value.
        twice: Pointers of keys that stand twice in one object, with the place of the later one.
    """

    value: Any = None
    lines: list[str] = field(default_factory=list)
    places: dict[str, Mark] = field(default_factory=dict)
    ends: dict[str, Mark] = field(default_factory=dict)
    keys: dict[str, Mark] = field(default_factory=dict)
    twice: list[tuple[str, Mark]] = field(default_factory=list)

    def place(self, pointer: str, of_key: bool = False) -> Mark | tuple[None, None]:
        """The place of a value or its key; of the nearest that holds it when it stands nowhere itself."""
        while pointer not in self.places and pointer:
            pointer, of_key = pointer.rpartition("/")[0], False
        key = self.keys.get(pointer) if of_key else None
        return key or self.places.get(pointer) or (None, None)

    def at(self, pointer: str) -> Any:
        """The value at a pointer, or None where nothing stands."""
        return value_at(self.value, steps_of(pointer))

    def add_key(self, pointer: str, mark: Mark, *, again: bool) -> None:
        """Note where a key stands; the places below a former key of that name are forgotten, as its value is."""
        if again:
            self.twice.append((pointer, mark))
            for known in (self.places, self.ends, self.keys):
                for each in [each for each in known if each == pointer or each.startswith(f"{pointer}/")]:
                    del known[each]
        self.keys[pointer] = mark


def pointer_of(*steps: object) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def steps_of(pointer: str) -> list[str]:
    """The steps of a JSON pointer, as text."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def value_at(value: Any, steps: Sequence[str]) -> Any:
    """The value that the steps of a JSON pointer lead to, or None where nothing stands."""
    for step in steps:
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return None
    return value
