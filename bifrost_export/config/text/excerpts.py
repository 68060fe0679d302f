"""The line that a problem is about, as it may be shown: every secret in it is masked."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bifrost_export.config.references.displayable import MASK, may_be_secret
from bifrost_export.config.text.positions import Spot, Text
from bifrost_export.fields.reference_text import is_literal

_WIDEST = 110

# Of a text that could not be read, keys and punctuation alone are shown: any value may be a secret.
_HARMLESS = re.compile(r'("[^"\\]*"|[\w$.-]+)(?=\s*:(\s|$))|[\s{}\[\],:]+|(true|false|null)\b|-(?=\s)')
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"?|[^\s{}\[\],:"]+')

Span = tuple[int, int]
"""Columns of a line, from 0; the second is the first behind it."""


@dataclass(frozen=True)
class _Masked:
    """A line as it may be shown.

    Args:
        text: The line with a mask in place of each span.
        spans: What is masked of the source.
        starts: Where the spans begin.
        shifts: By how many columns what follows the first spans, 0 to all of them, has moved.
    """

    text: str
    spans: list[Span]
    starts: list[int]
    shifts: list[int]


def _mask(source: str, spans: list[Span]) -> _Masked:
    pieces, done, shifts = [], 0, [0]
    for start, end in spans:
        pieces += [source[done:start], MASK]
        shifts.append(shifts[-1] + len(MASK) - (end - start))
        done = end
    return _Masked("".join([*pieces, source[done:]]), spans, [start for start, _ in spans], shifts)


class Excerpts:
    """Lines of one document.

    Args:
        text: The document.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self._lines: dict[int, _Masked] = {}

    def line(self, line: int, column: int) -> tuple[str, int]:
        """A line of the document.

        Args:
            line: From 1.
            column: From 1; what the caret is to point at.

        Returns:
            The line, masked and cut to a width that a screen has, and the caret's place in it, from 0.
        """
        masked = self._masked(line)
        before = bisect_left(masked.starts, column - 1)
        if before and column - 1 < masked.spans[before - 1][1]:
            caret = masked.starts[before - 1] + masked.shifts[before - 1]
        else:
            caret = column - 1 + masked.shifts[before]
        return _cut(masked.text, max(caret, 0))

    def _masked(self, line: int) -> _Masked:
        if line not in self._lines:
            lines = self.text.lines
            source = lines[line - 1].expandtabs(1) if 0 < line <= len(lines) else ""
            self._lines[line] = _mask(source, _apart(self._hidden.get(line, [])))
        return self._lines[line]

    @cached_property
    def _hidden(self) -> dict[int, list[Span]]:
        """The secret parts of each line; an alias of YAML stands where its anchor does."""
        if self.text.is_empty:
            return {number: list(_words(line)) for number, line in enumerate(self.text.lines, start=1)}
        found: dict[int, list[Span]] = defaultdict(list)
        for pointer, spot in self.text.former():
            if not spot.parts and may_be_secret(self.text.value, pointer):
                for line, span in self._spans(spot):
                    found[line].append(span)
        for pointer, spot in self.text.spots():
            if not spot.parts and self._is_hidden(pointer):
                for line, span in self._spans(spot):
                    found[line].append(span)
        return found

    def _spans(self, spot: Spot) -> Iterator[tuple[int, Span]]:
        (first, start), (last, end) = spot.start, spot.end
        for line in range(first, min(last, len(self.text.lines)) + 1):
            width = len(self.text.lines[line - 1])
            span = (start - 1 if line == first else 0, min(end - 1 if line == last else width, width))
            if span[0] < span[1]:
                yield line, span

    def _is_hidden(self, pointer: str) -> bool:
        value = self.text.at(pointer)
        return may_be_secret(self.text.value, pointer) and not (isinstance(value, str) and not is_literal(value))


def _words(line: str) -> Iterator[Span]:
    """The words of a line that may be secret, those that only blanks part taken as one."""
    place, last = 0, None
    while place < len(line):
        match = _HARMLESS.match(line, place)
        if match is None and (match := _WORD.match(line, place)):
            start, end = match.span()
            joined = last is not None and not line[last[1] : start].strip()
            if last is not None and not joined:
                yield last
            last = (last[0] if last is not None and joined else start, end)
        place = match.end() if match else place + 1
    if last is not None:
        yield last


def _apart(spans: list[Span]) -> list[Span]:
    """The spans in order, those that meet joined."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _cut(line: str, caret: int) -> tuple[str, int]:
    caret = min(caret, len(line))
    if len(line) <= _WIDEST:
        return line.rstrip(), caret
    start = max(0, min(caret - _WIDEST // 3, len(line) - _WIDEST))
    left = "..." if start else ""
    right = "..." if start + _WIDEST < len(line) else ""
    return f"{left}{line[start : start + _WIDEST]}{right}", caret - start + len(left)
