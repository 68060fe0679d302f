"""What a task's log says of a run: enough to follow it, and no prompt."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from bifrost_export.airflow.task_log import SHOWN_TEXT, narrate


def told(caplog: pytest.LogCaptureFixture, event: str, **facts: Any) -> str:
    """What one event writes."""
    with caplog.at_level(logging.INFO):
        narrate(logging.getLogger("task"), event, facts)  # type: ignore[arg-type]
    return caplog.records[-1].getMessage()


def shown_row(caplog: pytest.LogCaptureFixture, **row: Any) -> tuple[str, dict[str, Any]]:
    """How a dry run shows a row: the line, and what it says."""
    line = told(caplog, "dry_run", targets=[], rows={"request_logs": [row]}).splitlines()[-1]
    return line, json.loads(line)


def test_a_dry_run_shows_short_values_whole(caplog: pytest.LogCaptureFixture) -> None:
    """Numbers, nulls, lists and texts."""
    row = {"request_id": "r" * SHOWN_TEXT, "latency_ms": 12, "cost_usd": None, "customer_ids": ["a", "b"]}

    assert shown_row(caplog, **row)[1] == row


def test_a_dry_run_cuts_long_texts(caplog: pytest.LogCaptureFixture) -> None:
    """Inside lists and objects too; their length is told."""
    long = "x" * (SHOWN_TEXT + 1)
    cut = "x" * SHOWN_TEXT + "... (121 characters)"

    _, found = shown_row(caplog, error_message=long, extra=[long, {"deep": long}])

    assert found == {"error_message": cut, "extra": [cut, {"deep": cut}]}


@pytest.mark.parametrize("column", ["request_content", "response_content", "attributes"])
@pytest.mark.parametrize("length", [1, 10, 119, 120, 5_000])
def test_a_dry_run_never_shows_a_prompt_whole(caplog: pytest.LogCaptureFixture, column: str, length: int) -> None:
    """However short it is."""
    prompt = "".join(chr(0x4E00 + number) for number in range(length))

    line, _ = shown_row(caplog, **{column: prompt})

    shown = sum("\u4e00" <= each <= "\u9fff" for each in line)
    assert shown <= min(length // 2, SHOWN_TEXT)


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "a\r\nb", "\u202ea", "\x7f"])
def test_a_dry_run_escapes_control_characters(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """A value can neither clear the reader's screen nor begin a line of its own."""
    line, found = shown_row(caplog, model=text)

    assert all(each.isprintable() for each in line)
    assert found == {"model": text}


def test_warnings_and_names_are_escaped_too(caplog: pytest.LogCaptureFixture) -> None:
    """They may hold what a document or a bucket says."""
    assert told(caplog, "warning", message="kept \x1b[2Jkey") == r"kept \x1b[2Jkey"
    assert told(caplog, "load", key="a\x1b]0;b", rows=1, bytes=2).startswith(r"Wrote a\x1b]0;b: 1 row")
