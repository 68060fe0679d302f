"""Read JSON, and tell where in the text each value stands."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import partial
from math import isinf
from typing import Any

from bifrost_export.config.positions import DEEPEST, Located, Mark, Spot, SyntaxFaultError, Text, pointer_of

_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
# Python's reader takes these, and they are no JSON.
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
_COMMA = "A comma stands before the closing bracket: take it away."
_FAULTS = {
    re.compile(r",\s*[}\]]"): _COMMA,  # where a newer Python finds it
    re.compile(r"//|/\*|#"): "JSON has no comments; YAML has.",
    re.compile(r"'"): "JSON texts stand in double quotes.",
    re.compile(r"(True|False|None)\b"): "JSON writes true, false and null.",
    re.compile(r"[A-Za-z_]"): "JSON texts and keys stand in double quotes.",
    re.compile(r"\Z"): "The text ends too early: a bracket or a quote is open.",
}
"""What begins at the place where Python's reader stops -> what to do."""
_MESSAGES = {"Invalid control character at": "a line ends, or a control character stands, inside a text"}
_MESSAGES |= {"Extra data": "something stands behind the end of the document"}
_HINTS = {
    "Invalid control character at": "A quote is missing at the end of the text, or a line break isn't written as \\n."
}
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(text: str) -> Text:
    """Read a JSON document.

    Raises:
        SyntaxFaultError: It is no JSON, is nested too deep, or holds half of a surrogate pair or a number that is none.
    """
    seen = _Seen()
    try:
        value = json.loads(
            text, object_pairs_hook=seen.object, parse_constant=seen.no_number, parse_float=seen.float_of
        )
    except json.JSONDecodeError as error:
        raise _fault(text, error) from None
    except RecursionError:
        raise SyntaxFaultError("no JSON that can be read: it is nested too deep", 1, 1) from None
    except ValueError:
        raise SyntaxFaultError("no JSON that can be read: a number in it has thousands of digits", 1, 1) from None
    locate = partial(_Scanner(text).read)
    found = Text(value, text.split("\n"), locate, has_twice=seen.twice)
    if seen.odd_number or _SURROGATE.search(text) or _is_deep(value):
        locate()  # which knows the place of the fault
    return found


def _fault(text: str, error: json.JSONDecodeError) -> SyntaxFaultError:
    """What Python's reader says; of a fault at the text's end, the place is behind its last character."""
    if not text.strip():
        return SyntaxFaultError("empty", 1, 1)
    lines = text.rstrip().split("\n")
    place = (error.lineno, error.colno) if error.lineno <= len(lines) else (len(lines), len(lines[-1]) + 1)
    return SyntaxFaultError(f"no JSON: {_MESSAGES.get(error.msg, error.msg)}", *place, _hint(text, error))


def _hint(text: str, error: json.JSONDecodeError) -> str | None:
    if error.msg in _HINTS:
        return _HINTS[error.msg]
    found = (hint for pattern, hint in _FAULTS.items() if pattern.match(text, error.pos))
    if text[: error.pos].rstrip().endswith(",") and text[error.pos : error.pos + 1] in ("}", "]"):
        return _COMMA
    return next(found, None)


@dataclass
class _Seen:
    """What Python's reader meets and keeps silent about."""

    twice: bool = False
    odd_number: bool = False

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self.twice |= len(made) < len(pairs)
        return made

    def no_number(self, word: str) -> float:
        self.odd_number = True
        return float(word)

    def float_of(self, word: str) -> float:
        number = float(word)
        self.odd_number |= isinf(number)
        return number


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [each for each in level if isinstance(each, dict | list)]
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


@dataclass
class _Frame:
    """An object or array that is open."""

    spot: Spot
    is_array: bool
    index: int = 0
    key: str | None = None
    key_mark: Mark | None = None

    @property
    def step(self) -> str:
        return str(self.index) if self.is_array else str(self.key)


@dataclass
class _Scanner:
    """Finds the places in a text that is known to be JSON."""

    text: str
    frames: list[_Frame] = field(default_factory=list)
    twice: list[tuple[str, Mark]] = field(default_factory=list)
    former: list[tuple[str, Spot]] = field(default_factory=list)
    root: Spot | None = None

    def read(self) -> Located:
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        for match in _WORD.finditer(self.text):
            start, end = match.span()
            line = bisect_right(starts, start)
            begin = (line, start - starts[line - 1] + 1)
            self._take(match[0], begin, (line, end - starts[line - 1] + 1))
        return Located(self.root, tuple(self.twice), tuple(self.former))

    def _take(self, word: str, start: Mark, end: Mark) -> None:
        top = self.frames[-1] if self.frames else None
        if word == ":":
            return
        if word == ",":
            self._step()
        elif word in ("]", "}"):
            self.frames.pop().spot.end = end
        elif top is not None and not top.is_array and top.key is None:
            self._key(top, _text(word, start), start)
        else:
            self._value(word, Spot(start, end))

    def _step(self) -> None:
        top = self.frames[-1]
        top.index, top.key = top.index + 1, None

    def _key(self, top: _Frame, key: str, start: Mark) -> None:
        top.key, top.key_mark = key, start
        if key in top.spot.parts:
            pointer = pointer_of(*(frame.step for frame in self.frames))
            self.twice.append((pointer, start))
            self.former.append((pointer, top.spot.parts[key]))

    def _value(self, word: str, spot: Spot) -> None:
        if self.frames:
            top = self.frames[-1]
            spot.key = None if top.is_array else top.key_mark
            top.spot.parts[top.step] = spot
        else:
            self.root = spot
        if word in ("[", "{"):
            if len(self.frames) == DEEPEST:
                raise SyntaxFaultError(f"nested deeper than {DEEPEST} levels", *spot.start)
            self.frames.append(_Frame(spot, word == "["))
        elif word in _NO_NUMBERS:
            raise SyntaxFaultError(f"no JSON: {word} is no number", *spot.start)
        elif word.startswith('"'):
            _text(word, spot.start)
        elif word[0] in "-0123456789" and isinf(float(word)):
            raise SyntaxFaultError("no JSON that can be read: a number is too big", *spot.start)


def _text(word: str, start: Mark) -> str:
    value = str(json.loads(word)) if "\\" in word else word[1:-1]
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SyntaxFaultError("no JSON that can be read: a text holds half of a surrogate pair", *start) from None
    return value
