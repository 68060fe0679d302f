"""`bifrost-export validate` and `bifrost-export schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.config.schema.document import document_schema

SOURCE = {"type": "sqlite", "config": {"path": "logs.db"}}
EXPORT: dict[str, Any] = {
    "name": "nightly",
    "schedule": {"frequency": "daily"},
    "destination": {"type": "local", "config": {"path": "out"}},
    "source": SOURCE,
}


def write(folder: Path, *exports: Any, name: str = "doc.json") -> str:
    """Write a document, and give its path."""
    (folder / name).write_text(json.dumps({"log_exports": {"exports": exports}}, indent=2), "utf-8")
    return str(folder / name)


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    """Exit code and JSON of a command."""
    code = execute([*arguments, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_good_document_is_told_to_be_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To machines in two keys, to people in two lines."""
    path = write(tmp_path, EXPORT)
    assert told(["validate", path], capsys) == (0, {"ok": True, "problems": []})
    assert execute(["validate", path]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown == [f"0 errors, 0 warnings in {path}", "1 of 1 exports can run: nightly"]


def test_machines_get_every_problem_with_the_published_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 2."""
    path = write(tmp_path, {**EXPORT, "name": "a b", "schedule": {"frequency": "daily", "tiem": "1"}})
    code, found = told(["validate", path], capsys)
    assert (code, found["ok"]) == (2, False)
    assert found["problems"][0] == {
        "severity": "error",
        "pointer": "/log_exports/exports/0/name",
        "line": 5,
        "column": 17,
        "value": "a b",
        "message": "'a b' is no name of an export",
        "allowed": "1 to 100 letters, digits, '_', '.' and '-', the first a letter or digit, without '__'",
        "hint": None,
    }
    assert found["problems"][1]["hint"] == "Did you mean 'time'?"


def test_people_see_the_offending_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a caret under the value, what is allowed, and what to do."""
    assert execute(["validate", write(tmp_path, {**EXPORT, "enabled": "yes"}, {**EXPORT, "name": "b"})]) == 2
    shown = capsys.readouterr().out
    assert "error doc.json:21:20 /log_exports/exports/0/enabled\n" in shown
    assert '  21 |         "enabled": "yes"\n     |                    ^\n' in shown
    assert "  enabled is 'yes'\n  Allowed: true or false\n" in shown
    assert "1 error, 0 warnings in" in shown
    assert "1 of 2 exports can run: b" in shown


def test_warnings_alone_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log store that nobody names, and rows that several runs export."""
    unnamed = {key: value for key, value in EXPORT.items() if key != "source"}
    code, found = told(
        ["validate", write(tmp_path, {**unnamed, "data": {"filters": {"date_range": "last_7_days"}}})], capsys
    )
    assert (code, found["ok"]) == (0, True)
    assert [(each["severity"], each["pointer"]) for each in found["problems"]] == [
        ("warning", "/log_exports"),
        ("warning", "/log_exports/exports/0/data/filters/date_range"),
    ]
    assert "date_range 'last_7_days'" in found["problems"][1]["message"]


def test_a_word_as_long_as_the_schedules_period_is_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It means the window itself."""
    path = write(tmp_path, {**EXPORT, "data": {"filters": {"date_range": "last_24_hours"}}})
    assert told(["validate", path], capsys) == (0, {"ok": True, "problems": []})


def test_a_folder_is_validated_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each problem names its file."""
    write(tmp_path, EXPORT, name="a.json")
    write(tmp_path, EXPORT, name="b.json")
    code, found = told(["validate", str(tmp_path)], capsys)
    assert code == 2
    assert [(each["file"], each["pointer"]) for each in found["problems"]] == [
        ("b.json", "/log_exports/exports/0/name")
    ]


@pytest.mark.parametrize("text", [None, "{", "", "[]"], ids=["missing", "broken", "empty", "list"])
def test_a_document_that_says_nothing_is_wrong_input(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One problem, and no traceback."""
    path = tmp_path / "doc.json"
    if text is not None:
        path.write_text(text)
    code, found = told(["validate", str(path)], capsys)
    assert (code, len(found["problems"])) == (2, 1)
    assert execute(["validate", str(path)]) == 2
    assert "Traceback" not in "".join(capsys.readouterr())


def test_a_secret_is_shown_to_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in the JSON nor in the line that is shown."""
    keys = {"access_key_id": "CANARY", "secret_access_key": "CANARY"}
    config = {"bucket": "", "bukcet": "CANARY", "credentials": keys}
    path = write(tmp_path, {**EXPORT, "destination": {"type": "s3", "config": config}})
    assert execute(["validate", path]) == 2
    assert execute(["validate", path, "--format", "json"]) == 2
    shown = "".join(capsys.readouterr())
    assert "a literal secret stands in the document" in shown
    assert '"access_key_id": ***' in shown
    assert "CANARY" not in shown


def test_marks_of_the_screen_in_a_document_are_shown_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A text in brackets is no colour."""
    assert execute(["validate", write(tmp_path, {**EXPORT, "name": "[red]x[/]"})]) == 2
    assert "'[red]x[/]' is no name" in capsys.readouterr().out


def test_schema_prints_the_documents_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """For an editor; indented, or as one line."""
    assert execute(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == document_schema()
    assert told(["schema"], capsys) == (0, document_schema())


def test_schema_prints_the_columns_of_a_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    """As a table for people."""
    code, found = told(["schema", "--dataset", "request_logs"], capsys)
    assert code == 0
    assert found["columns"][0]["name"] == "timestamp"
    assert execute(["schema", "--dataset", "request_logs"]) == 0
    shown = capsys.readouterr().out
    assert all(column["name"] in shown for column in found["columns"])


def test_schema_of_an_unknown_dataset_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that there are get listed."""
    assert execute(["schema", "--dataset", "spans"]) == 2
    assert "Allowed: request_logs" in capsys.readouterr().err
