"""Read JSON, and tell where in the text each value stands."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from bifrost_export.config.positions import DEEPEST, Mark, SyntaxFaultError, Text, pointer_of

_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
# Python's reader takes these, and they are no JSON.
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")


def read_json(text: str) -> Text:
    """Read a JSON document.

    Raises:
        SyntaxFaultError: It is no JSON, is nested too deep, or holds half of a surrogate pair.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise SyntaxFaultError(f"no JSON: {error.msg}", error.lineno, error.colno) from None
    except RecursionError:
        raise SyntaxFaultError("no JSON that can be read: it is nested too deep", 1, 1) from None
    except ValueError:
        raise SyntaxFaultError("no JSON that can be read: a number in it has thousands of digits", 1, 1) from None
    return _Scanner(text, value).read()


@dataclass
class _Frame:
    """An object or array that is open."""

    pointer: str
    is_array: bool
    index: int = 0
    key: str | None = None
    seen: set[str] = field(default_factory=set)

    @property
    def inner(self) -> str:
        return self.pointer + pointer_of(self.index if self.is_array else self.key)


class _Scanner:
    """Finds the places in a text that is known to be JSON."""

    def __init__(self, text: str, value: Any) -> None:
        self.text = text
        self.found = Text(value, text.split("\n"))
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.frames: list[_Frame] = []

    def read(self) -> Text:
        for match in _WORD.finditer(self.text):
            self._take(match[0], self._mark(match.start()), self._mark(match.end()))
        return self.found

    def _take(self, word: str, start: Mark, end: Mark) -> None:
        top = self.frames[-1] if self.frames else None
        if word == ":":
            return
        if word == ",":
            self._step()
        elif word in ("]", "}"):
            self.found.ends[self.frames.pop().pointer] = end
        elif top is not None and not top.is_array and top.key is None:
            top.key = _text(word, start)
            self.found.add_key(top.inner, start, again=top.key in top.seen)
            top.seen.add(top.key)
        else:
            self._value(word, top.inner if top else "", start, end)

    def _step(self) -> None:
        top = self.frames[-1]
        top.index, top.key = top.index + 1, None

    def _value(self, word: str, pointer: str, start: Mark, end: Mark) -> None:
        self.found.places[pointer] = start
        if word in ("[", "{"):
            if len(self.frames) == DEEPEST:
                raise SyntaxFaultError(f"nested deeper than {DEEPEST} levels", *start)
            self.frames.append(_Frame(pointer, word == "["))
            return
        if word in _NO_NUMBERS:
            raise SyntaxFaultError(f"no JSON: {word} is no number", *start)
        if word.startswith('"'):
            _text(word, start)
        self.found.ends[pointer] = end

    def _mark(self, offset: int) -> Mark:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


def _text(word: str, start: Mark) -> str:
    value = str(json.loads(word))
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SyntaxFaultError("no JSON that can be read: a text holds half of a surrogate pair", *start) from None
    return value
