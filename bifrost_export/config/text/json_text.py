"""Read JSON, and tell where in the text each value stands."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
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

_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\],:"]+', re.DOTALL)
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
        value = _loaded(_cut(text), seen)
    locate = partial(_Scanner(text).read)
    if seen.no_number:
        locate()  # which knows the place of the fault
    if _SURROGATE.search(text) or _is_deep(value):
        seen.is_odd, value = True, _taken(value)
    return Text(value, text.split("\n"), locate, has_twice=seen.twice, has_odd=seen.is_odd)


def _loaded(text: str, seen: _Seen) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=seen.object,
            parse_constant=seen.constant,
            parse_float=seen.float_of,
            parse_int=seen.int_of,
        )
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


_Word = tuple[str, Mark, Mark]
"""A bracket, text, number or word, with where it begins and the place behind it."""


class _Scanner:
    """Finds the places in a text that is known to be JSON: commas and colons tell it nothing."""

    def __init__(self, text: str) -> None:
        self.words = _words(text)
        self.twice: list[tuple[str, Mark]] = []
        self.former: list[tuple[str, Spot]] = []
        self.odd: list[tuple[str, Mark, str]] = []

    def read(self) -> Located:
        root = self._value(next(self.words), "", 0)
        return Located(root, tuple(self.twice), tuple(self.former), tuple(self.odd))

    def _value(self, begin: _Word, pointer: str, depth: int, key: Mark | None = None) -> Spot:
        word, start, end = begin
        spot = Spot(start, end, key)
        if word in ("[", "{"):
            self._open(word, spot, pointer, depth)
        elif word in _NO_NUMBERS:
            raise SyntaxFaultError(f"no JSON: {word} is no number", *start)
        elif word.startswith('"'):
            text = _text(word)
            if text != _whole(text):
                self.odd.append((pointer, start, HALF))
        elif word[0] in "-0123456789" and is_too_big(word):
            self.odd.append((pointer, start, TOO_BIG))
        return spot

    def _open(self, word: str, spot: Spot, pointer: str, depth: int) -> None:
        if depth == DEEPEST:
            self.odd.append((pointer, spot.start, TOO_DEEP))
            self._skip()
        elif word == "[":
            self._list(spot, pointer, depth + 1)
        else:
            self._object(spot, pointer, depth + 1)

    def _skip(self) -> None:
        depth = 1
        while depth:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(next(self.words)[0], 0)

    def _list(self, spot: Spot, pointer: str, depth: int) -> None:
        while (begin := next(self.words))[0] != "]":
            index = str(len(spot.parts))
            spot.parts[index] = self._value(begin, f"{pointer}/{index}", depth)
        spot.end = begin[2]

    def _object(self, spot: Spot, pointer: str, depth: int) -> None:
        while (begin := next(self.words))[0] != "}":
            text, mark = _text(begin[0]), begin[1]
            key = _whole(text)
            below = pointer + pointer_of(key)
            if key != text:
                self.odd.append((below, mark, HALF))
            if key in spot.parts:
                self.twice.append((below, mark))
                self.former.append((below, spot.parts[key]))
            spot.parts[key] = self._value(next(self.words), below, depth, mark)
        spot.end = begin[2]


def _words(text: str) -> Iterator[_Word]:
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for match in _WORD.finditer(text):
        start, end = match.span()
        line = bisect_right(starts, start)
        before = starts[line - 1] - 1
        yield match[0], (line, start - before), (line, end - before)


def _text(word: str) -> str:
    return str(json.loads(word)) if "\\" in word else word[1:-1]
