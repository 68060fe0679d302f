"""Read JSON, and tell where in the text each value stands."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import partial
from math import isinf
from typing import Any

from bifrost_export.config.text.positions import (
    DEEPEST,
    HALF,
    TOO_BIG,
    TOO_DEEP,
    Located,
    Mark,
    Spot,
    SyntaxFaultError,
    Text,
    float_of,
    integer_of,
    is_too_big,
)
from bifrost_export.fields.pointer import pointer_of

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
_HALF = re.compile("[\ud800-\udfff]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(text: str) -> Text:
    """Read a JSON document.

    Raises:
        SyntaxFaultError: It is no JSON.
    """
    seen = _Seen()
    try:
        value = _loaded(text, seen)
    except RecursionError:
        seen = _Seen(is_odd=True)
        value = _loaded_within_bounds(_cut(text), seen)
    except json.JSONDecodeError as error:
        raise _fault(text, error) from None
    locate = partial(_Scanner(text).read)
    if seen.no_number:
        locate()  # which knows the place of the fault
    if _SURROGATE.search(text) or _is_deep(value):
        seen.is_odd, value = True, _taken(value)
    return Text(value, text.split("\n"), locate, has_twice=seen.twice, has_odd=seen.is_odd)


def _loaded(text: str, seen: _Seen) -> Any:
    return json.loads(
        text,
        object_pairs_hook=seen.object,
        parse_constant=seen.constant,
        parse_float=seen.float_of,
        parse_int=seen.int_of,
    )


def _loaded_within_bounds(text: str, seen: _Seen) -> Any:
    try:
        return _loaded(text, seen)
    except json.JSONDecodeError as error:
        raise _fault(text, error) from None


def _cut(text: str) -> str:
    """A text without what is nested too deep for Python's reader: null stands in its place."""
    kept, depth, done = [], 0, 0
    for match in _WORD.finditer(text):
        if match[0] in ("[", "{"):
            if depth == DEEPEST:
                kept += [text[done : match.start()], "null"]
            depth += 1
        elif match[0] in ("]", "}"):
            depth -= 1
            if depth == DEEPEST:
                done = match.end()
    return "".join([*kept, text[done:] if depth <= DEEPEST else ""])


def _taken(value: Any, depth: int = 0) -> Any:
    """A value without halves of surrogate pairs, and without what is nested too deep."""
    if isinstance(value, str):
        return _whole(value)
    if not isinstance(value, dict | list):
        return value
    if depth == DEEPEST:
        return None
    if isinstance(value, list):
        return [_taken(each, depth + 1) for each in value]
    return {_whole(key): _taken(each, depth + 1) for key, each in value.items()}


def _whole(text: str) -> str:
    """A text with U+FFFD for each half of a surrogate pair."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


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
    is_odd: bool = False
    no_number: bool = False

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self.twice |= len(made) < len(pairs)
        return made

    def constant(self, word: str) -> float:
        self.no_number = True
        return float(word)

    def float_of(self, word: str) -> float:
        number = float(word)
        self.is_odd |= isinf(number)
        return float_of(word)

    def int_of(self, word: str) -> int:
        number = integer_of(word)
        self.is_odd |= is_too_big(word)
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
    odd: list[tuple[str, Mark, str]] = field(default_factory=list)
    too_deep: int = 0
    root: Spot | None = None

    def read(self) -> Located:
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        for match in _WORD.finditer(self.text):
            start, end = match.span()
            line = bisect_right(starts, start)
            begin = (line, start - starts[line - 1] + 1)
            self._take(match[0], begin, (line, end - starts[line - 1] + 1))
        return Located(self.root, tuple(self.twice), tuple(self.former), tuple(self.odd))

    def _take(self, word: str, start: Mark, end: Mark) -> None:
        if self.too_deep:
            self.too_deep += {"[": 1, "{": 1, "]": -1, "}": -1}.get(word, 0)
            return
        top = self.frames[-1] if self.frames else None
        if word == ":":
            return
        if word == ",":
            self._step()
        elif word in ("]", "}"):
            self.frames.pop().spot.end = end
        elif top is not None and not top.is_array and top.key is None:
            self._key(top, _text(word), start)
        else:
            self._value(word, Spot(start, end))

    def _step(self) -> None:
        top = self.frames[-1]
        top.index, top.key = top.index + 1, None

    def _key(self, top: _Frame, written: str, start: Mark) -> None:
        key = _whole(written)
        top.key, top.key_mark = key, start
        if key != written:
            self._note(HALF, Spot(start, start))
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
            self._open(word, spot)
        elif word in _NO_NUMBERS:
            raise SyntaxFaultError(f"no JSON: {word} is no number", *spot.start)
        elif word.startswith('"'):
            if not _is_whole(_text(word)):
                self._note(HALF, spot)
        elif word[0] in "-0123456789" and is_too_big(word):
            self._note(TOO_BIG, spot)

    def _open(self, word: str, spot: Spot) -> None:
        if len(self.frames) < DEEPEST:
            self.frames.append(_Frame(spot, word == "["))
        else:
            self.too_deep = 1
            self._note(TOO_DEEP, spot)

    def _note(self, message: str, spot: Spot) -> None:
        self.odd.append((pointer_of(*(frame.step for frame in self.frames)), spot.start, message))


def _text(word: str) -> str:
    return str(json.loads(word)) if "\\" in word else word[1:-1]


def _is_whole(text: str) -> bool:
    return text == _whole(text)
