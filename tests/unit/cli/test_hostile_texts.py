"""Texts that steer a terminal, that are long, and that are many: what the command line makes of them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.cli.group import execute
from bifrost_export.config.loader import load
from bifrost_export.errors import ConfigError
from bifrost_export.redaction.printable import printable, printable_json
from tests.unit.config.documents import POINTER, document, export, loaded, problem_at, to_s3

STEERS = "\x1b[31m\x1b]0;title\x07\x9b2J\r\x08\x00\u202e\u2066\x7f"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SECONDS = 30
"""Of the processor; it takes 10 at most, for people and for machines."""


@given(st.text())
def test_a_printable_text_steers_nothing(text: str) -> None:
    """Other texts stay as they are, and JSON says the same as before."""
    assert not RAW.search(printable(text))
    assert printable(printable(text)) == printable(text)
    if text.isascii() and text.isprintable():
        assert printable(text) == text
    shown = printable_json(json.dumps(text, ensure_ascii=False))
    assert not RAW.search(shown)
    assert json.loads(shown) == text


HOSTILE: list[dict[str, Any]] = [
    export(**{f"key{STEERS}": 1}),
    export(description=STEERS, owner=[STEERS]),
    export(name=f"name{STEERS}"),
    to_s3(bucket=f"bucket{STEERS}"),
    to_s3(region=STEERS, endpoint_url=f"http://{STEERS}"),
    export(data={"filters": {"date_range": STEERS, "providers": [STEERS]}}),
    export(data={"transformations": [{"type": STEERS}, {"type": "enrich", "add_fields": {STEERS: STEERS}}]}),
    export(data={"format": STEERS, "include": [STEERS]}),
    export(schedule={"frequency": "daily", "timezone": STEERS, "time": STEERS}),
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: str(each)[:40])
@pytest.mark.parametrize("command", ["validate", "plan", "check", "status", "preview"])
def test_no_text_of_a_document_steers_a_terminal(
    command: str, hostile: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """On standard output and error, for people and for machines; a file's name neither."""
    path = tmp_path / "a\x1b[2Jb.json"
    path.write_text(json.dumps(document(hostile)))
    for more in ([], ["--format", "json"]):
        execute([command, str(path), *(["--export", f"x{STEERS[:20]}"] if command == "preview" else []), *more])
        shown = capfd.readouterr()
        assert not RAW.search(shown.out + shown.err)
        if more:
            json.loads(shown.out)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\n", "\x7f", "\x9b", "\u2028"])
@pytest.mark.parametrize(
    ("where", "at"),
    [
        ({"destination": {"type": "local", "config": {"path": "a{}b"}}}, "/destination/config/path"),
        ({"source": {"type": "sqlite", "config": {"path": "/a{}b"}}}, "/source/config/path"),
        (
            {"source": {"type": "postgres", "config": {"host": "a{}b", "db_name": "d"}}},
            "/source/config/host",
        ),
        ({"destination": {"type": "s3", "config": {"bucket": "a{}b"}}}, "/destination/config/bucket"),
        (
            {"destination": {"type": "gcs", "config": {"bucket": "b", "project_id": "a{}b"}}},
            "/destination/config/project_id",
        ),
    ],
    ids=["local", "sqlite", "postgres", "s3", "gcs"],
)
def test_a_place_holds_no_control_character(where: dict[str, Any], at: str, character: str, tmp_path: Path) -> None:
    """`validate` finds it."""
    content = json.loads(json.dumps(where).replace("{}", json.dumps(character)[1:-1]))
    problem = problem_at(loaded(tmp_path, document(export(**content))), f"{POINTER}{at}")
    assert (problem.severity, problem.message.split()[1:]) == ("error", ["contains", "a", "control", "character"])


def test_a_variable_brings_no_control_character_into_a_place() -> None:
    """As a place that is written out."""
    from bifrost_export.config.references.resolver import Resolver
    from bifrost_export.destinations.local.destination import LocalConfig

    with pytest.raises(ConfigError, match="/config/path contains a control character"):
        Resolver({"A": "a\0b"}).resolve({"path": "${A}"}, LocalConfig, "/config")


def shown_of(content: Any, folder: Path, capfd: pytest.CaptureFixture[str]) -> tuple[float, str, list[dict[str, Any]]]:
    """How long it takes to validate a document twice, what people are shown, and what machines are."""
    path = folder / "many.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    start = time.process_time()
    execute(["validate", str(path)])
    people = capfd.readouterr().out
    execute(["validate", str(path), "--format", "json"])
    took = time.process_time() - start
    return took, people, json.loads(capfd.readouterr().out)["problems"]


MANY: dict[str, Any] = {
    "unknown keys": document(export(**{f"unknown_{number}": 1 for number in range(50_000)})),
    "unknown keys in a line": json.dumps(document(export(**{f"secret_{number}": "x" for number in range(50_000)}))),
    "wrong entries": document(export(data={"filters": {"status_codes": ["x"] * 50_000}})),
    "unknown keys of the defaults": {
        "log_exports": {"exports": [export()], "defaults": {f"unknown_{number}": 1 for number in range(50_000)}}
    },
    "a key 50,000 times": '{"log_exports": {"exports": [{%s "name": "a"}]}}' % ('"enabled": true,' * 50_000),
}


@pytest.mark.no_cover  # it measures time
@pytest.mark.parametrize("content", MANY.values(), ids=MANY.keys())
def test_many_problems_take_seconds(content: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each is told to machines; people are shown the first, and how many are left."""
    took, people, problems = shown_of(content, tmp_path, capfd)
    assert took < SECONDS
    assert len(problems) >= 49_999
    assert "more problems are not shown here" in people


@pytest.mark.no_cover
def test_exports_of_one_name_take_seconds(tmp_path: Path) -> None:
    """Each has a DAG id of its own."""
    path = tmp_path / "same.json"
    path.write_text(json.dumps(document(*[export(name="same")] * 3_000)))
    start = time.process_time()
    found = load(path)
    assert time.process_time() - start < SECONDS
    assert len({each.dag_id for each in found.exports}) == 3_000


@pytest.mark.parametrize(
    "content",
    [
        export(**{"k" * 1_000_000: 1}),
        export(description=["v" * 1_000_000]),
        export(name="n" * 1_000_000),
        export(data={"filters": {"date_range": "d" * 1_000_000}}),
        export(data={"transformations": [{"type": "t" * 1_000_000}]}),
        export(data={"transformations": [{"type": "enrich", "add_fields": {"c" * 1_000_000: 1}}]}),
        to_s3(tags={"t" * 1_000_000: "x"}),
    ],
    ids=["key", "value", "name", "word", "type", "column", "tag"],
)
def test_a_long_text_is_cut(content: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """For people and for machines."""
    _, people, problems = shown_of(document(content), tmp_path, capfd)
    assert problems
    assert len(people) < 20_000
    assert len(json.dumps(problems)) < 20_000


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ({"data": {"filters": {"date_range": "last_24_ours"}}}, "last_24_hours"),
        ({"data": {"filters": {"date_range": "last_7_day"}}}, "last_7_days"),
        ({"data": {"filters": {"date_range": "last 30 days"}}}, "last_30_days"),
        ({"data": {"filters": {"date_range": "last-week"}}}, "last_week"),
        ({"data": {"filters": {"date_range": "yesterdy"}}}, "yesterday"),
        ({"schedule": {"frequency": "dayly"}}, "daily"),
        ({"schedule": {"frequency": "weekly", "day": "sonday"}}, "sunday"),
        ({"schedule": {"frequency": "daily", "timezone": "europe/berlin"}}, "Europe/Berlin"),
        ({"schedule": {"frequency": "daily", "timezone": "America/New York"}}, "America/New_York"),
        ({"data": {"compression": "ztd"}}, "zstd"),
        ({"data": {"format": "parket"}}, "parquet"),
        ({"data": {"include": ["request_log"]}}, "request_logs"),
        ({"destination": {"type": "snoflake", "config": {}}}, "snowflake"),
        ({"source": {"type": "postgress", "config": {}}}, "postgres"),
        (
            {
                "destination": {
                    "type": "azure_blob",
                    "config": {"container": "c", "account_name": "a", "access_tier": "hott"},
                }
            },
            "Hot",
        ),
        ({"destination": {"type": "s3", "config": {"bucket": "b", "verify": "ful"}}}, "full"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_misspelt_word_is_told_what_is_meant(where: dict[str, Any], meant: str, tmp_path: Path) -> None:
    """Whichever list it is of."""
    hints = [str(each.hint) for each in loaded(tmp_path, document(export(**where))).errors]
    assert f"Did you mean {meant!r}?" in hints
