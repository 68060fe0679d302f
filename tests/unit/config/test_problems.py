"""How a problem is told: its words, its JSON, and the line with its secrets masked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.config.references.displayable import shown
from bifrost_export.config.text.excerpts import Excerpts
from bifrost_export.config.text.json_text import read_json
from bifrost_export.config.text.yaml_text import read_yaml
from bifrost_export.problem import Problem
from tests.unit.config.documents import POINTER, document, export, loaded, to_s3

CONFIG = f"{POINTER}/destination/config"


def test_a_problem_reads_as_place_message_and_way_out() -> None:
    """In one line."""
    problem = Problem("error", "/a", "it is wrong", 1, 2, 3, "right", "Mend it.", "doc.json")
    assert str(problem) == "doc.json:2:3 /a: it is wrong. Allowed: right. Mend it."
    assert str(Problem("error", "", "it is wrong")) == "it is wrong"


def test_the_json_of_a_problem_has_the_published_keys() -> None:
    """In their order."""
    problem = Problem("warning", "/a", "odd", "v", 1, 2, file="doc.json")
    assert list(problem.to_json()) == [
        "severity",
        "pointer",
        "line",
        "column",
        "value",
        "message",
        "allowed",
        "hint",
    ]


WHOLE = {
    "providers": {"openai": "canary"},
    "logs_store": {"type": "sqlite", "config": {"path": "a.db", "password": "canary"}},
    **document(
        {**to_s3(credentials={"access_key_id": "canary", "role_arn": "canary"}, bukcet="canary"), "token": "canary"},
        export(destination={"type": "s4", "config": {"bucket": "canary"}}),
    ),
}


@pytest.mark.parametrize(
    ("pointer", "value", "told"),
    [
        ("/providers/openai", "canary", "***"),
        ("/logs_store/config/password", "canary", "***"),
        ("/logs_store/config/path", "a.db", "a.db"),
        (f"{POINTER}/token", "canary", "***"),
        (f"{POINTER}/name", "nightly", "nightly"),
        (f"{CONFIG}/bucket", "logs", "logs"),
        (f"{CONFIG}/bukcet", "canary", "***"),
        (f"{CONFIG}/credentials", "canary", "***"),
        (f"{CONFIG}/credentials/access_key_id", "canary", "***"),
        (f"{CONFIG}/credentials/access_key_id", 5, "***"),
        (f"{CONFIG}/credentials/access_key_id", "${A}", "${A}"),
        (f"{CONFIG}/credentials/access_key_id", {"a": "canary"}, None),
        (f"{CONFIG}/endpoint_url", "http://me:canary@host", "http://***@host"),
        ("/log_exports/exports/1/destination/config/bucket", "canary", "***"),
        ("/log_exports/exports/1/destination/type", "s4", "s4"),
    ],
)
def test_what_may_be_a_secret_is_not_told(pointer: str, value: Any, told: Any) -> None:
    """A field's marker decides, and caution where no field is declared."""
    assert shown(WHOLE, pointer, value) == told


@pytest.mark.parametrize("indent", [None, 1])
def test_no_line_of_a_document_shows_a_secret(indent: int | None) -> None:
    """Be the whole document in one line."""
    text = read_json(json.dumps(WHOLE, indent=indent))
    excerpts = Excerpts(text)
    for line in range(1, len(text.lines) + 1):
        for column in range(1, len(text.lines[line - 1]) + 1, 7):
            assert "canary" not in excerpts.line(line, column)[0]


def test_a_secret_of_several_lines_is_masked_in_each() -> None:
    """As YAML writes it."""
    text = read_yaml(
        "log_exports:\n exports:\n  - destination:\n      type: s3\n      config:\n        bucket: b\n"
        "        credentials:\n          access_key_id: |\n            canary1\n            canary2\n"
    )
    shown_lines = [Excerpts(text).line(line, 1)[0] for line in range(1, len(text.lines) + 1)]
    assert not any("canary" in each for each in shown_lines)
    assert "        bucket: b" in shown_lines


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30), st.integers(0, 200))
def test_the_caret_points_at_the_place(secret: str, padding: int) -> None:
    """Also behind masked secrets, and in a line that is cut."""
    content = document(to_s3(credentials={"access_key_id": secret, "secret_access_key": "${S}"}, prefix="p" * padding))
    content["log_exports"]["exports"].append("HERE")
    text = read_json(json.dumps(content, ensure_ascii=False))
    line, column = text.place("/log_exports/exports/1")
    assert line is not None
    told, caret = Excerpts(text).line(line, column)
    assert told[caret:].startswith('"HERE"')
    assert len(told) <= 120


def test_messages_of_a_document_hold_no_secret(tmp_path: Path) -> None:
    """Wrong kinds, wrong keys, wrong references, and texts that are none."""
    credentials: list[Any] = ["canary", 7, {"access_key_id": ["canary"]}, {"acces_key": "canary"}]
    credentials += [{"access_key_id": "canary${AIRFLOW__X}"}, {"access_key_id": "canary${"}]
    for each in credentials:
        found = loaded(tmp_path, document(to_s3(credentials=each)))
        assert found.problems
        assert "canary" not in json.dumps([problem.to_json() for problem in found.problems])
        assert "canary" not in " ".join(map(str, found.problems))


@pytest.mark.parametrize(("catchup", "told"), [(True, 1), (False, 0)])
def test_skipping_what_catchup_runs_is_a_warning(catchup: bool, told: int, tmp_path: Path) -> None:
    """The contradiction works, as in Airflow, and should be looked at."""
    schedule = {"frequency": "daily", "start_date": "2026-01-01", "missed_windows": "skip", "catchup": catchup}
    found = loaded(tmp_path, document(export(schedule=schedule)))
    problems = [each for each in found.problems if each.pointer == f"{POINTER}/schedule/missed_windows"]
    assert [each.severity for each in problems] == ["warning"] * told
    assert not found.errors
    assert all("none is skipped" in each.message and each.hint for each in problems)
