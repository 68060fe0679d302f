"""Good and broken documents as people write them: what the loader, the command line and the JSON Schema say of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bifrost_export.cli.group import execute
from bifrost_export.config.loader import load
from bifrost_export.config.schema.document import document_schema
from tests.unit.config.corpus import INVALID, VALID, content, expected_file, parses, told

SCHEMA = Draft202012Validator(document_schema())
BEYOND_A_SCHEMA = {
    "broken_references.json": "what a text holds",
    "half_of_the_credentials.json": "keys that belong together",
    "keys_twice.json": "a parser keeps one of them",
    "keys_twice.yaml": "a parser keeps one of them",
    "keys_twice_short.json": "a parser keeps one of them",
    "log_store_of_bifrost.json": "Bifrost's own key",
    "prefixes.json": "what a text holds",
    "same_names.json": "equal names in different objects",
    "short_form_twice_filtered.json": "one key in two places",
    "transformations_together.json": "how columns go together",
    "turned_round.json": "values that are compared",
    "two_ways_to_sign_in.json": "keys that exclude each other",
    "variables_of_airflow.json": "what a text holds",
    "zones.json": "names of timezones",
}
"""Broken documents whose fault no JSON Schema sees, and why."""


def name_of(path: Path) -> str:
    """The name of a test's document."""
    return path.name


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_a_broken_document_is_told_as_expected(path: Path) -> None:
    """Severity, pointer, line, column, message and way out of every problem."""
    expected = json.loads(expected_file(path).read_text("utf-8"))
    assert told(path) == expected
    assert any(problem["severity"] == "error" for problem in expected)


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_a_broken_document_ends_a_validation_with_2(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machines get the published keys and people the lines, and neither gets a secret or a traceback."""
    monkeypatch.setenv("BIFROST_LOG_STORE", "sqlite:////logs.db")
    assert execute(["validate", str(path), "--format", "json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    keys = ["severity", "pointer", "line", "column", "value", "message", "allowed", "hint"]
    assert all(list(each) == (["file", *keys] if path.is_dir() else keys) for each in found["problems"])
    assert len(found["problems"]) == len(told(path))
    assert all(each["line"] and each["column"] for each in found["problems"])
    assert execute(["validate", str(path)]) == 2
    shown = "".join(capsys.readouterr())
    for problem in found["problems"]:
        assert problem["message"] in shown
    assert "Traceback" not in shown
    assert "canary" not in shown + json.dumps(found)


@pytest.mark.parametrize("path", VALID, ids=name_of)
def test_a_good_document_has_no_error(path: Path) -> None:
    """Each of its exports can run."""
    found = load(path)
    assert found.errors == []
    assert all(each.export is not None for each in found.exports)


@pytest.mark.parametrize("path", VALID, ids=name_of)
def test_the_schema_takes_a_good_document(path: Path) -> None:
    """In either form."""
    assert [error.message for error in SCHEMA.iter_errors(content(path))] == []


@pytest.mark.parametrize("path", [path for path in INVALID if parses(path)], ids=name_of)
def test_the_schema_refuses_a_broken_document(path: Path) -> None:
    """An editor marks it, but for those whose fault no schema sees."""
    assert SCHEMA.is_valid(content(path)) == (path.name in BEYOND_A_SCHEMA)


def test_every_broken_document_is_expected_to_be_one() -> None:
    """Each has its expected file, and each expected file has its document."""
    expected = {path.name for path in INVALID[0].parent.glob("*.expected.json")}
    assert expected == {expected_file(path).name for path in INVALID}
    assert len(INVALID) >= 40
    assert {path.name for path in INVALID} >= set(BEYOND_A_SCHEMA)


def test_json_and_yaml_of_one_document_say_the_same() -> None:
    """The format of the file changes nothing."""
    as_json, as_yaml = (next(path for path in VALID if path.name == f"every_key{end}") for end in (".json", ".yaml"))
    assert content(as_json) == content(as_yaml)
    assert [each.export for each in load(as_json).exports] == [each.export for each in load(as_yaml).exports]
