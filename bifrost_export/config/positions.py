"""Read a JSON or YAML text, and tell where in it each value stands, and which keys stand twice."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# YAML 1.2's core schema: 1.1, which PyYAML follows, reads 10:00 as 600 and no as false.
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


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
        places: JSON pointer -> (line, column) of the value, from 1.
        keys: JSON pointer -> (line, column) of the key that holds it.
        twice: Pointers of keys that stand twice in one object, with the place of the later one.
    """

    value: Any
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    twice: list[tuple[str, tuple[int, int]]] = field(default_factory=list)

    def place(self, pointer: str, of_key: bool = False) -> tuple[int, int] | tuple[None, None]:
        """The place of a value or its key; of the nearest that holds it when it stands nowhere itself."""
        while pointer not in self.places and pointer:
            pointer, of_key = pointer.rpartition("/")[0], False
        key = self.keys.get(pointer) if of_key else None
        return key or self.places.get(pointer) or (None, None)


def pointer_of(*steps: object) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def read_text(text: str, *, is_json: bool) -> Text:
    """Read a document.

    Raises:
        SyntaxFaultError: It is no JSON, or no YAML.
    """
    if is_json:
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            raise SyntaxFaultError(f"no JSON: {error.msg}", error.lineno, error.colno) from None
        except RecursionError:
            raise SyntaxFaultError("no JSON that can be read: it is nested too deep", 1, 1) from None
        # JSON is YAML but for tabs and one escape; neither changes where things stand.
        text = _ESCAPE.sub(lambda match: "__" if match[1] == "/" else match[0], text.replace("\t", " "))
    node = _compose(text)
    read = Text(value if is_json else _value(node))
    if node is not None:
        _walk(node, "", read)
    return read


def _compose(text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SyntaxFaultError(
            f"no YAML: {error.problem or error.context}", mark.line + 1 if mark else 1, mark.column + 1 if mark else 1
        ) from None
    except yaml.YAMLError as error:
        raise SyntaxFaultError(f"no YAML: {error}", 1, 1) from None
    return node


def _walk(node: yaml.Node, pointer: str, read: Text) -> None:
    read.places[pointer] = _mark(node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = pointer + pointer_of(key.value if isinstance(key, yaml.ScalarNode) else "?")
            if below in read.keys:
                read.twice.append((below, _mark(key)))
            read.keys[below] = _mark(key)
            _walk(value, below, read)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, f"{pointer}/{index}", read)


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _value(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value if isinstance(key, yaml.ScalarNode) else "?": _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(each) for each in node.value]
    if not isinstance(node, yaml.ScalarNode):
        return None
    text = str(node.value)
    if node.style is not None or node.tag == "tag:yaml.org,2002:str!":
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
