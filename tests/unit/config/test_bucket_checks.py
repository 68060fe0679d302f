"""Windows that cut the buckets of `metrics` are warned of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.config.checks.buckets import check_buckets
from bifrost_export.config.checks.checker import Checker
from bifrost_export.problem import Problem
from tests.unit.config.documents import POINTER, document, export, loaded

METRICS: dict[str, Any] = {"include": ["request_logs", "metrics"]}


def warnings(folder: Path, **changes: Any) -> list[Problem]:
    """What is told of an export of `document`, which has no other problem."""
    found = loaded(folder, document(export(**changes)))
    assert found.problems == []
    [entry] = found.exports
    text = entry.document.text
    assert text is not None
    checker = Checker(text, "log_exports.json", entry.document.origins)
    check_buckets(checker, entry.good, entry.pointer)
    return checker.take()


def schedule(frequency: str, **keys: Any) -> dict[str, Any]:
    """A schedule."""
    return {"frequency": frequency, **keys}


@pytest.mark.parametrize(
    ("when", "bucket"),
    [
        (schedule("daily", time="02:00"), "1h"),
        (schedule("daily", time="02:30"), "30m"),
        (schedule("daily", time="00:00"), "1d"),
        (schedule("daily", time="00:00", timezone="Europe/Berlin"), "1h"),
        (schedule("daily", time="00:00", timezone="Asia/Kolkata"), "30m"),
        (schedule("hourly"), "1h"),
        (schedule("weekly", day="monday", time="06:00"), "6h"),
        (schedule("monthly", day="last"), "1d"),
        (schedule("cron", expression="*/15 * * * *"), "15m"),
    ],
    ids=str,
)
def test_windows_that_end_where_buckets_begin_are_no_matter(when: dict[str, Any], bucket: str, tmp_path: Path) -> None:
    """On every day of a year."""
    changes = {"schedule": when, "data": {**METRICS, "metrics_bucket": bucket}}
    assert warnings(tmp_path, **changes) == []


@pytest.mark.parametrize(
    ("when", "bucket", "window", "inside", "better"),
    [
        (
            *(schedule("daily", time="02:30"), "1h"),
            *("[2025-12-31T02:30:00Z, 2026-01-01T02:30:00Z)", "1h from 2026-01-01T02:00:00Z", "30m"),
        ),
        (
            *(schedule("daily", timezone="Asia/Kathmandu"), "1h"),
            *("[2025-12-31T18:15:00Z, 2026-01-01T18:15:00Z)", "1h from 2026-01-01T18:00:00Z", "15m"),
        ),
        (
            *(schedule("hourly"), "1d"),
            *("[2026-01-01T00:00:00Z, 2026-01-01T01:00:00Z)", "1d from 2026-01-01T00:00:00Z", "1h"),
        ),
        (
            *(schedule("daily", time="10:30", timezone="Australia/Lord_Howe"), "1h"),
            *("[2025-12-31T23:30:00Z, 2026-01-01T23:30:00Z)", "1h from 2026-01-01T23:00:00Z", "30m"),
        ),
        (
            *(schedule("weekly", day="monday"), "7d"),
            *("[2025-12-29T00:00:00Z, 2026-01-05T00:00:00Z)", "7d from 2026-01-01T00:00:00Z", "1d"),
        ),
        (
            *(schedule("cron", expression="7 * * * *"), "30m"),
            *("[2025-12-31T23:07:00Z, 2026-01-01T00:07:00Z)", "30m from 2026-01-01T00:00:00Z", "1m"),
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_windows_that_cut_buckets_are_told_with_an_example(
    when: dict[str, Any], bucket: str, window: str, inside: str, better: str, tmp_path: Path
) -> None:
    """As a warning, with a bucket that none of them cuts."""
    [problem] = warnings(tmp_path, schedule=when, data={**METRICS, "metrics_bucket": bucket})
    assert problem.severity == "warning"
    assert problem.pointer == f"{POINTER}/{'schedule' if bucket == '1h' else 'data/metrics_bucket'}"
    assert f"the window {window} ends inside the bucket of {inside} on" in problem.message
    assert f'"metrics_bucket": "{better}"' in str(problem.hint)


def test_without_metrics_nothing_is_cut(tmp_path: Path) -> None:
    """The bucket says nothing to the other datasets."""
    changes = {"schedule": schedule("daily", time="02:30"), "data": {"include": ["request_logs", "error_logs"]}}
    assert warnings(tmp_path, **changes) == []


def test_a_clock_change_of_half_an_hour_cuts_buckets_from_then_on(tmp_path: Path) -> None:
    """From 11 hours east of Greenwich to 10:30 on the first Sunday of April."""
    when = schedule("daily", time="10:00", timezone="Australia/Lord_Howe")
    [problem] = warnings(tmp_path, schedule=when, data=METRICS)
    assert "the window [2026-04-03T23:00:00Z, 2026-04-04T23:30:00Z) ends inside" in problem.message


def test_validate_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And takes the document all the same."""
    path = tmp_path / "log_exports.json"
    path.write_text(json.dumps(document(export(schedule=schedule("daily", time="02:30"), data=METRICS))))
    assert execute(["validate", str(path), "--format", "json"]) == 0
    messages = [each["message"] for each in json.loads(capsys.readouterr().out)["problems"]]
    assert any(each.startswith("windows cut buckets of metrics") for each in messages)
