"""The line that a problem is about, as it may be shown: every secret in it is masked."""

from __future__ import annotations

from bifrost_export.config.hiding import MASK, may_be_secret
from bifrost_export.config.positions import Text
from bifrost_export.config.references import is_literal

_WIDEST = 110


def excerpt(text: Text, line: int, column: int) -> tuple[str, int]:
    """A line of a document.

    Args:
        text: The document.
        line: From 1.
        column: From 1; what the caret is to point at.

    Returns:
        The line, masked and cut to a width that a screen has, and the caret's place in it, from 0.
    """
    source = text.lines[line - 1] if 0 < line <= len(text.lines) else ""
    shown, caret, done = "", None, 0
    for start, end in _hidden_spans(text, line, len(source)):
        if caret is None and column - 1 <= start:
            caret = len(shown) + column - 1 - done
        shown += source[done:start] + MASK
        if caret is None and column - 1 < end:
            caret = len(shown) - len(MASK)
        done = end
    if caret is None:
        caret = len(shown) + max(column - 1 - done, 0)
    return _cut(shown + source[done:], caret)


def _hidden_spans(text: Text, line: int, width: int) -> list[tuple[int, int]]:
    spans = []
    for pointer, start in text.places.items():
        end = text.ends.get(pointer, start)
        if not start[0] <= line <= end[0] or not _is_hidden(text, pointer):
            continue
        first = start[1] - 1 if start[0] == line else 0
        last = min(end[1] - 1 if end[0] == line else width, width)
        if first < last:
            spans.append((first, last))
    return _apart(spans)


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that meet joined: an alias of YAML stands where its anchor does."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _is_hidden(text: Text, pointer: str) -> bool:
    if any(each.startswith(f"{pointer}/") for each in text.places):
        return False  # its parts are looked at one by one
    value = text.at(pointer)
    return may_be_secret(text.value, pointer) and not (isinstance(value, str) and not is_literal(value))


def _cut(line: str, caret: int) -> tuple[str, int]:
    caret = min(caret, len(line))
    if len(line) <= _WIDEST:
        return line.rstrip(), caret
    start = max(0, min(caret - _WIDEST // 3, len(line) - _WIDEST))
    left = "..." if start else ""
    right = "..." if start + _WIDEST < len(line) else ""
    return f"{left}{line[start : start + _WIDEST]}{right}", caret - start + len(left)
