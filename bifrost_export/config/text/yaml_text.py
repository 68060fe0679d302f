"""Read YAML by the rules of its version 1.2, and tell where in the text each value stands."""

from __future__ import annotations

import re
from typing import Any

import yaml

from bifrost_export.config.text.positions import (
    DEEPEST,
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

# YAML 1.2's core schema: 1.1, which PyYAML follows, reads 10:00 as 600 and no as false.
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MOST_NODES = 100_000
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What PyYAML quotes of the text may be a secret, such as a password that begins with an asterisk.
_QUOTED = re.compile(r"'([^']*)'")
_TAG = "tag:yaml.org,2002:"
# Those that a plain text can get without a tag being written.
_PLAIN_KINDS = ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge", "value")
_PLAIN_TAGS = {f"{_TAG}{kind}" for kind in _PLAIN_KINDS}
_STRING = f"{_TAG}str"
# libyaml reads ten times as fast; PyYAML may have been installed without it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Text:
    """Read a YAML document.

    Raises:
        SyntaxFaultError: It is no YAML, holds a tag, or its aliases grow beyond any document.
    """
    odd = _CONTROL.search(text)
    if odd is not None:
        raise SyntaxFaultError("no YAML: it holds a control character", *_at(text, odd.start()))
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        place = _place(text, error)
        told = _QUOTED.sub(
            lambda quoted: quoted[0] if len(quoted[1]) < 2 else "it", str(error.problem or error.context)
        )
        if "nesting depth" in told:
            raise SyntaxFaultError(f"nested deeper than {DEEPEST} levels", *place) from None
        raise SyntaxFaultError(f"no YAML: {told}", *place, _hint(text, place, error)) from None
    except RecursionError:
        raise SyntaxFaultError(f"nested deeper than {DEEPEST} levels", 1, 1) from None
    walker = _Walker()
    value, root = walker.value(node, "", 0) if node is not None else (None, None)
    located = Located(root, tuple(walker.twice), tuple(walker.former), tuple(walker.odd))
    return Text(value, _BREAK.split(text), lambda: located)


def _at(text: str, offset: int) -> Mark:
    before = _BREAK.split(text[:offset])
    return len(before), len(before[-1]) + 1


def _place(text: str, error: yaml.MarkedYAMLError) -> Mark:
    """Where a fault is; one at the text's end stands behind its last character."""
    mark = error.problem_mark or error.context_mark
    lines = _BREAK.split(text.rstrip())
    line, column = _mark(mark) if mark else (1, 1)
    return (line, column) if line <= len(lines) else (len(lines), len(lines[-1]) + 1)


def _hint(text: str, place: Mark, error: yaml.MarkedYAMLError) -> str | None:
    opened = error.context_mark
    if opened and ("flow" in str(error.context) or "quoted" in str(error.context)):
        return f"It was opened in line {opened.line + 1}, column {opened.column + 1}."
    lines = _BREAK.split(text)
    line = lines[place[0] - 1] if place[0] <= len(lines) else ""
    rest = line[place[1] - 1 :]
    if rest.startswith("\t"):
        return "YAML is indented by spaces, never by tabs."
    if rest.startswith(("*", "&", "!", "@", "`", "%", "{", "[")):
        return f"A text that begins with {rest[0]} stands in quotes."
    if rest.startswith(":") and ": " in line[: place[1]]:
        return "A text with ': ' in it stands in quotes."
    return None


class _Walker:
    """Turns nodes into values, and notes their spots."""

    def __init__(self) -> None:
        self.nodes = 0
        self.twice: list[tuple[str, Mark]] = []
        self.former: list[tuple[str, Spot]] = []
        self.odd: list[tuple[str, Mark, str]] = []

    def value(self, node: yaml.Node, pointer: str, depth: int) -> tuple[Any, Spot]:
        self.nodes += 1
        spot = Spot(_mark(node.start_mark), _mark(node.end_mark))
        is_text = isinstance(node, yaml.ScalarNode)
        if depth >= DEEPEST and not is_text:  # an alias of what holds it has no end
            self.odd.append((pointer, spot.start, TOO_DEEP))
            return None, spot
        if self.nodes > _MOST_NODES:
            raise SyntaxFaultError(f"no YAML that can be read: more than {_MOST_NODES} values", *spot.start)
        if node.tag not in _PLAIN_TAGS:
            raise SyntaxFaultError(
                "no YAML that can be read: a tag stands here", *spot.start, "Write the value without a tag."
            )
        if isinstance(node, yaml.MappingNode):
            return self._object(node, pointer, depth, spot), spot
        if isinstance(node, yaml.SequenceNode):
            return self._list(node, pointer, depth, spot), spot
        if is_text and _is_number(node) and is_too_big(node.value):
            self.odd.append((pointer, spot.start, TOO_BIG))
        return _scalar(node), spot

    def _list(self, node: yaml.SequenceNode, pointer: str, depth: int, spot: Spot) -> list[Any]:
        found = []
        for index, each in enumerate(node.value):
            value, spot.parts[str(index)] = self.value(each, f"{pointer}/{index}", depth + 1)
            found.append(value)
        return found

    def _object(self, node: yaml.MappingNode, pointer: str, depth: int, spot: Spot) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            mark = _mark(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise SyntaxFaultError("no YAML that can be read: a key is no text", *mark)
            name = str(key.value)
            below = pointer + pointer_of(name)
            if name in found:
                self.twice.append((below, mark))
                self.former.append((below, spot.parts[name]))
            found[name], inner = self.value(value, below, depth + 1)
            inner.key, spot.parts[name] = mark, inner
        return found


def _mark(mark: Any) -> Mark:
    return mark.line + 1, mark.column + 1


def _is_number(node: yaml.Node) -> bool:
    is_plain = not (node.style or node.tag == _STRING)  # type: ignore[attr-defined]
    return is_plain and bool(_INT.fullmatch(node.value) or _FLOAT.fullmatch(node.value))


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if node.style or node.tag == _STRING:  # type: ignore[attr-defined]
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return integer_of(text)
    return float_of(text) if _FLOAT.fullmatch(text) else text
