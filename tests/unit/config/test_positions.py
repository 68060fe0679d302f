"""Where values stand in a text of JSON or YAML."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.config.text.json_text import read_json
from bifrost_export.config.text.positions import LEAST_INTEGER, MOST_INTEGER, Mark, Spot, SyntaxFaultError, Text
from bifrost_export.config.text.yaml_text import read_yaml
from bifrost_export.fields.pointer import pointer_of, steps_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(LEAST_INTEGER, MOST_INTEGER)
SCALARS = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=20
)
# YAML's own line breaks and control characters are written as escapes, as they are by every writer of YAML.
PLAIN_TEXTS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12)
PLAIN_VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | PLAIN_TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN_TEXTS, inner, max_size=4),
    max_leaves=20,
)


LAUGHS = "a: &a [1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{former}'] * 10)}]\n" for former, name in pairwise("abcdef")
)
"""A few lines that stand for a hundred thousand values."""


def walk(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a value, with its pointer."""
    yield pointer, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in pairs:
        yield from walk(each, pointer + pointer_of(step))


def cut(text: str, spot: Spot) -> str:
    """The text of a value, cut out by its spot."""
    return text[_offset(text, spot.start) : _offset(text, spot.end)]


def starts(read: Text) -> dict[str, tuple[Mark, Mark | None]]:
    """Where each value begins, and its key."""
    return {pointer: (spot.start, spot.key) for pointer, spot in read.spots()}


def _offset(text: str, mark: Mark) -> int:
    line, column = mark
    return sum(len(each) + 1 for each in text.split("\n")[: line - 1]) + column - 1


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_a_place_is_where_the_text_of_the_value_begins(value: Any, indent: int | str | None, escaped: bool) -> None:
    """Whatever is in it, and however it is written: cut out by its places, each value reads as itself."""
    text = json.dumps(value, indent=indent, ensure_ascii=escaped)
    read = read_json(text)
    assert read.value == value
    spots = dict(read.spots())
    assert list(spots) == [pointer for pointer, _ in walk(value)]
    for pointer, each in walk(value):
        assert json.loads(cut(text, spots[pointer])) == each
        assert read.place(pointer) == spots[pointer].start
        assert read.at(pointer) == each


@given(PLAIN_VALUES)
def test_the_places_of_yaml_are_those_of_the_same_json(value: Any) -> None:
    """JSON of one line is YAML too, and both readers agree on it."""
    text = json.dumps(value)
    as_json, as_yaml = read_json(text), read_yaml(text)
    assert as_yaml.value == value
    assert starts(as_yaml) == starts(as_json)


@given(PLAIN_VALUES)
def test_yaml_reads_back_what_was_written_as_a_block(value: Any) -> None:
    """Every value has a place, in blocks as well."""
    read = read_yaml(yaml.safe_dump(value, allow_unicode=True))
    assert read.value == value
    assert {pointer for pointer, _ in read.spots()} == {pointer for pointer, _ in walk(value)}


@given(st.lists(TEXTS | st.integers(0, 99)))
def test_a_pointer_gives_back_its_steps(steps: list[str | int]) -> None:
    """Also steps with `/` and `~` in them."""
    assert steps_of(pointer_of(*steps)) == [str(step) for step in steps]


@pytest.mark.parametrize("read", [read_json, read_yaml], ids=["json", "yaml"])
def test_a_key_that_stands_twice_is_found(read: Any) -> None:
    """At its later place; the last value counts, and nothing is left of the former one's places."""
    text = read('{"a": {"b": 1, "c": 2},\n "a": {"b": 3}}')
    assert text.value == {"a": {"b": 3}}
    assert list(text.twice) == [("/a", (2, 2))]
    assert text.place("/a/b") == (2, 13)
    assert "/a/c" not in dict(text.spots())
    assert [(pointer, spot.start) for pointer, spot in text.former()] == [
        ("/a", (1, 7)),
        ("/a/b", (1, 13)),
        ("/a/c", (1, 21)),
    ]


def test_equal_keys_of_different_objects_stand_once() -> None:
    """Only one object's own keys are compared."""
    assert read_json('[{"a": 1}, {"a": {"a": 2}}]').twice == ()


def test_what_stands_nowhere_has_the_place_of_what_holds_it() -> None:
    """So that a missing key is shown where it is missed."""
    read = read_json('{"a":\n {}}')
    assert read.place("/a/b/c") == (2, 2)
    assert read.place("/a", of_key=True) == (1, 2)


@pytest.mark.parametrize(
    ("text", "value", "pointer", "message", "place"),
    [
        ('{"a": "\\ud800", "b": 1}', {"a": "\ufffd", "b": 1}, "/a", "half of a surrogate pair", (1, 7)),
        ('{"\\udc00": 1, "b": 1}', {"\ufffd": 1, "b": 1}, "/\ufffd", "half of a surrogate pair", (1, 2)),
        ('{"b": 1, "a": %s}' % ("9" * 400), {"b": 1, "a": MOST_INTEGER}, "/a", "too big", (1, 15)),
        ('{"b": 1, "a": -%s}' % ("9" * 5_000), {"b": 1, "a": LEAST_INTEGER}, "/a", "too big", (1, 15)),
        ('{"b": 1, "a": 18446744073709551616}', {"b": 1, "a": MOST_INTEGER}, "/a", "too big", (1, 15)),
        ('{"b": 1, "a": -1e999}', {"b": 1, "a": -sys.float_info.max}, "/a", "too big", (1, 15)),
    ],
    ids=["surrogate", "surrogate-key", "digits", "thousands-of-digits", "65-bits", "exponent"],
)
def test_what_can_not_be_taken_leaves_the_rest_of_the_document(
    text: str, value: Any, pointer: str, message: str, place: Mark
) -> None:
    """Another value stands in for it, and its place is known: other exports of the document are good."""
    read = read_json(text)
    assert read.value == value
    [(at, mark, told)] = read.odd
    assert (at, mark) == (pointer, place)
    assert message in told
    assert read.place("/b") == dict(read.spots())["/b"].start


@pytest.mark.parametrize("depth", [101, 900, 100_000])
def test_what_is_nested_too_deep_leaves_the_rest_of_the_document(depth: int) -> None:
    """Also beyond what Python's own reader bears."""
    text = f'{{"a": {"[" * depth}{"]" * depth}, "b": [1]}}'
    read = read_json(text)
    assert read.value["b"] == [1]
    [(pointer, _, message)] = read.odd
    assert pointer == "/a" + "/0" * 99
    assert message == "nested deeper than 100 levels"
    assert read.place("/b/0") == (1, text.index("[1]") + 2)


def test_what_is_nested_within_bounds_is_taken() -> None:
    """A hundred levels, and the largest numbers."""
    text = "[" * 100 + f"{MOST_INTEGER}, {LEAST_INTEGER}, 1.7e308" + "]" * 100
    assert read_json(text).odd == ()


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("", "empty", (1, 1)),
        ("{", "double quotes", (1, 2)),
        ('{"a": 1\n "b": 2}', "Expecting ',' delimiter", (2, 2)),
        ('{"a":\n NaN}', "NaN is no number", (2, 2)),
        ("[" * 100_000, "Expecting", None),
    ],
    ids=["empty", "cut", "comma", "nan", "endless"],
)
def test_what_is_no_json_is_refused_at_its_place(text: str, message: str, place: Mark | None) -> None:
    """With line and column, whatever the text is."""
    with pytest.raises(SyntaxFaultError, match=message) as caught:
        read_json(text)
    assert place is None or (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "expected"),
        ("[" * 3_000, "nested deeper|expected"),
        ("a: \x07", "control character"),
        ("? [1]\n: 2", "a key is no text"),
        ("a: 1\n---\nb: 2", "single document|another document"),
        (
            LAUGHS,
            "more than 100000 values",
        ),
    ],
    ids=["open", "deep", "control", "key", "two", "billion-laughs"],
)
def test_what_is_no_yaml_is_refused(text: str, message: str) -> None:
    """Aliases that grow without end too."""
    with pytest.raises(SyntaxFaultError, match=message):
        read_yaml(text)


@pytest.mark.parametrize("text", ["a: &a [*a]\nb: 1", "a: " + "[" * 101 + "]" * 101 + "\nb: 1"])
def test_what_yaml_nests_too_deep_leaves_the_rest_of_the_document(text: str) -> None:
    """An alias of what holds it has no end."""
    read = read_yaml(text)
    assert read.value["b"] == 1
    [(pointer, _, message)] = read.odd
    assert (pointer, message) == ("/a" + "/0" * 99, "nested deeper than 100 levels")


def test_a_fault_of_yaml_quotes_nothing_of_the_text() -> None:
    """A password that begins with an asterisk is taken for an alias, and isn't told."""
    with pytest.raises(SyntaxFaultError) as caught:
        read_yaml("password: *canary")
    assert "canary" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10:00", "10:00"),
        ("no", "no"),
        ("2026-03-01", "2026-03-01"),
        ("0x10", "0x10"),
        ("true", True),
        ("~", None),
        ("-5", -5),
        ("1.5", 1.5),
        ('"5"', "5"),
        ("1" * 200, MOST_INTEGER),
        ("-" + "1" * 5_000, LEAST_INTEGER),
        ("1.0e+999", sys.float_info.max),
    ],
)
def test_plain_words_of_yaml_are_read_by_its_version_1_2(text: str, value: Any) -> None:
    """A time stays a text, and `no` is no truth value."""
    assert read_yaml(f"a: {text}").value == {"a": value}
