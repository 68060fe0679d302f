"""Documents that nobody would write: each ends in exports and problems, never in a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_export.config.freezing import config_hash, freeze
from bifrost_export.config.loader import load
from bifrost_export.config.text.excerpts import Excerpts
from bifrost_export.fields.pointer import steps_of
from tests.unit.config.corpus import INVALID, VALID, content
from tests.unit.config.test_positions import VALUES, walk

SECRET = "canary-7f3a91"
"""Stands in the documents that are changed, as a value of keys that are secret."""

KEYS = {"access_key_id": SECRET, "secret_access_key": SECRET}
TEXTS = sorted(path.read_bytes() for path in (*VALID, *INVALID) if path.is_file())
WRITERS: list[Callable[[Any], str]] = [json.dumps, yaml.safe_dump, lambda value: json.dumps(value, indent=1)]
CODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]
SNIPPETS = ["{", "}", "[", "]", ",", ":", '"', "'", "\\", "\n", "\t", " ", "\r", "\0", "\x85", "\u2028", "\ud83d\ude00"]
SNIPPETS += [
    "&a ",
    "*a",
    "<<: *a",
    "!!int ",
    "!x ",
    "- ",
    "? ",
    "| ",
    "> ",
    "%YAML 1.1",
    "---\n",
    "...\n",
    "#",
    "//",
    "${",
]
SNIPPETS += [
    "NaN",
    "1e999",
    "-0",
    "9" * 4400,
    "\\ud800",
    "null",
    "[" * 150,
    "a: " * 3,
    '"name": "x", ',
    "\ufeff",
    "~",
    "~1",
]


def with_secrets(value: Any) -> Any:
    """A document whose destinations in S3 have literal keys."""
    made = deepcopy(value)
    for _, each in list(walk(made)):
        if isinstance(each, dict) and isinstance(each.get("config"), dict) and "bucket" in each["config"]:
            each["config"]["credentials"] = dict(KEYS)
            each["config"].pop("conn_id", None)
    return made


DOCUMENTS = [with_secrets(content(path)) for path in VALID]


def below(value: Any, steps: list[str]) -> Any:
    """What the steps of a pointer lead to."""
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A good document with some values changed, taken away, renamed, nested deep or written twice."""
    document = deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 4))):
        pointers = [pointer for pointer, _ in walk(document) if pointer]
        if not pointers:
            break
        *steps, last = steps_of(draw(st.sampled_from(pointers)))
        holder = below(document, steps)
        key = int(last) if isinstance(holder, list) else last
        holder[key] = draw(CHANGES)(holder[key])
        if isinstance(holder, dict) and draw(st.booleans()):
            name = draw(st.sampled_from([key.upper(), f"{key}s", key[1:], "", "<<", f"{key}/~0"]) | st.text(max_size=5))
            holder[name] = holder.pop(key)
    text = draw(st.sampled_from(WRITERS))(document)
    return text.encode(draw(st.sampled_from(CODINGS)))


def nested(value: Any, depth: int) -> Any:
    """A value in so many lists."""
    for _ in range(depth):
        value = [value]
    return value


DIGITS = st.builds(
    lambda sign, digit, count: int(f"{sign}{digit * count}"),
    st.sampled_from(["", "-"]),
    st.sampled_from("123456789"),
    st.integers(1, 4_000),
)
NUMBERS = (
    DIGITS | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([2**63, 2**64, -(2**63) - 1, 1e308])
)
CHANGES = st.one_of(
    NUMBERS.map(lambda value: lambda _: value),
    st.sampled_from(["\ud800", "a\udc00", {"\ud800": 1}]).map(lambda value: lambda _: deepcopy(value)),
    VALUES.map(lambda value: lambda _: deepcopy(value)),
    st.sampled_from([*range(1, 130, 7), 99, 100, 101, 150]).map(lambda depth: lambda value: nested(value, depth)),
    st.just(lambda value: value),
    st.sampled_from(["${", "${A}", "env.A", "${AIRFLOW__A}", "daily", "s3", "x" * 2_000, 10**40, -1, None]).map(
        lambda value: lambda _: value
    ),
)


@st.composite
def cut_and_spliced(draw: st.DrawFn) -> bytes:
    """The text of a document with pieces taken out and others put in."""
    text = draw(st.sampled_from(TEXTS)).decode("utf-8", "replace")
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 2, 10, 100])))
        text = text[:start] + draw(st.sampled_from(SNIPPETS)) + text[end:]
    return text.encode("utf-8", "surrogatepass")


@st.composite
def aliases(draw: st.DrawFn) -> bytes:
    """YAML whose aliases stand for each other."""
    names = "abcdefghijkl"[: draw(st.integers(2, 12))]
    width = draw(st.integers(1, 20))
    rows = [f"{name}: &{name} [{', '.join([f'*{former}'] * width)}]" for former, name in pairwise(names)]
    return "\n".join([f"a: &a {draw(st.sampled_from(['1', '{b: *a}', '[1, 2]']))}", *rows, "export: *b"]).encode()


CONTENTS = st.one_of(changed(), changed(), cut_and_spliced(), cut_and_spliced(), aliases(), st.binary(max_size=200))


def look_at(path: Path) -> str:
    """Load a document and do all that is done with one; gives everything that is said of it."""
    found = load(path)
    assert len({each.dag_id for each in found.exports}) == len(found.exports)
    for each in found.exports:
        assert (each.export is None) == bool(each.errors)
        if each.export is not None:
            config_hash(freeze(each))
    told = []
    excerpts = [Excerpts(document.text) for document in found.documents if document.text is not None]
    for problem in found.problems:
        assert problem.line
        assert problem.column
        told += [json.dumps(problem.to_json(), allow_nan=False), str(problem)]
        told += [each.line(problem.line, problem.column)[0] for each in excerpts]
    text = "\n".join(told)
    text.encode()
    return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the documents are written, one after the other."""
    return tmp_path_factory.mktemp("fuzzed")


EXAMPLES = {"deadline": None, "suppress_health_check": list(HealthCheck)}
KINDS = st.sampled_from(["fuzzed.json", "fuzzed.yaml"])


@settings(max_examples=500, **EXAMPLES)  # type: ignore[arg-type]
@given(CONTENTS, KINDS)
def test_whatever_stands_in_a_document_ends_in_exports_and_problems(folder: Path, data: bytes, name: str) -> None:
    """Every problem has a place, is JSON and text, and its line can be shown."""
    (folder / name).write_bytes(data)
    look_at(folder / name)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=10_000, **EXAMPLES)  # type: ignore[arg-type]
@given(CONTENTS, KINDS)
def test_whatever_stands_in_many_documents_ends_in_exports_and_problems(folder: Path, data: bytes, name: str) -> None:
    """The same, twenty times as often."""
    (folder / name).write_bytes(data)
    look_at(folder / name)


@settings(max_examples=200, **EXAMPLES)  # type: ignore[arg-type]
@given(changed(), KINDS)
def test_no_secret_of_a_changed_document_is_told(folder: Path, data: bytes, name: str) -> None:
    """Wherever it ends up when keys are renamed and values are nested."""
    (folder / name).write_bytes(data)
    assert SECRET not in look_at(folder / name)
