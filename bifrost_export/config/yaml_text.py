"""Read YAML by the rules of its version 1.2, and tell where in the text each value stands."""

from __future__ import annotations

import re
from typing import Any

import yaml

from bifrost_export.config.positions import DEEPEST, Mark, SyntaxFaultError, Text, pointer_of

# YAML 1.2's core schema: 1.1, which PyYAML follows, reads 10:00 as 600 and no as false.
_INT = re.compile(r"[-+]?[0-9]{1,100}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MOST_NODES = 100_000
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# What PyYAML quotes of the text may be a secret, such as a password that begins with an asterisk.
_QUOTED = re.compile(r"'.{2,}'")


def read_yaml(text: str) -> Text:
    """Read a YAML document.

    Raises:
        SyntaxFaultError: It is no YAML, is nested too deep, or its aliases grow beyond any document.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = _QUOTED.sub("it", str(error.problem or error.context))
        raise SyntaxFaultError(f"no YAML: {told}", *((mark.line + 1, mark.column + 1) if mark else (1, 1))) from None
    except yaml.reader.ReaderError as error:
        raise SyntaxFaultError("no YAML: it holds a control character", *_at(text, error.position)) from None
    except RecursionError:
        raise SyntaxFaultError(f"nested deeper than {DEEPEST} levels", 1, 1) from None
    return _Walker(text).read(node)


def _at(text: str, offset: int) -> Mark:
    before = _BREAK.split(text[:offset])
    return len(before), len(before[-1]) + 1


class _Walker:
    """Turns nodes into values, and notes their places."""

    def __init__(self, text: str) -> None:
        self.found = Text(lines=_BREAK.split(text))
        self.nodes = 0

    def read(self, node: yaml.Node | None) -> Text:
        if node is not None:
            self.found.value = self._value(node, "", 0)
        return self.found

    def _value(self, node: yaml.Node, pointer: str, depth: int) -> Any:
        self.nodes += 1
        self.found.places[pointer] = mark = _mark(node.start_mark)
        self.found.ends[pointer] = _mark(node.end_mark)
        if depth > DEEPEST:  # an alias of what holds it has no end
            raise SyntaxFaultError(f"nested deeper than {DEEPEST} levels", *mark)
        if self.nodes > _MOST_NODES:
            raise SyntaxFaultError(f"no YAML that can be read: more than {_MOST_NODES} values", *mark)
        if isinstance(node, yaml.MappingNode):
            return self._object(node, pointer, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(each, f"{pointer}/{index}", depth + 1) for index, each in enumerate(node.value)]
        return _scalar(node)

    def _object(self, node: yaml.MappingNode, pointer: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            mark = _mark(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise SyntaxFaultError("no YAML that can be read: a key is no text", *mark)
            name = str(key.value)
            below = pointer + pointer_of(name)
            self.found.add_key(below, mark, again=name in found)
            found[name] = self._value(value, below, depth + 1)
        return found


def _mark(mark: Any) -> Mark:
    return mark.line + 1, mark.column + 1


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if node.style is not None or node.tag == "tag:yaml.org,2002:str!":  # type: ignore[attr-defined]
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
