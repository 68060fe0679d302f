"""Windows whose rows Bifrost may have deleted are told, and no others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.pipeline.retention import beyond_retention, falls_short
from bifrost_export.schedules.kinds import schedule_models
from bifrost_export.window import UTC, Window

NOW = dt.datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2026-03-01T12:00:00", "2026-03-02T12:00:00", None),
        ("2026-03-01T11:59:59", "2026-03-02T12:00:00", "partly"),
        ("2026-02-28T12:00:00", "2026-03-01T12:00:00", "entirely"),
        ("2025-01-01", "2025-01-02", "entirely"),
        ("2026-03-30", "2026-03-31", None),
    ],
)
def test_a_window_is_told_by_how_much_of_it_is_older_than_the_retention(start: str, end: str, told: str | None) -> None:
    """30 days before 31 March at noon is 1 March at noon."""
    found = beyond_retention(Window.parse(start, end), 30, NOW)
    assert (found is None) == (told is None)
    if told is not None and found is not None:
        assert f"lies {told} beyond client.log_retention_days = 30" in found
        assert "2026-03-01T12:00:00Z" in found


@pytest.mark.parametrize("days", [None, 0, -1, 10**6, 10**12])
def test_no_retention_is_no_warning(days: int | None) -> None:
    """Not set, turned off, or longer than there has been time."""
    assert beyond_retention(Window.parse("2001-01-01", "2001-01-02"), days, NOW) is None


@given(days=st.integers(1, 5_000), hours=st.integers(-200_000, 0), length=st.integers(1, 2_000))
def test_a_window_is_told_exactly_when_its_start_is_older(days: int, hours: int, length: int) -> None:
    """Whatever its length."""
    start = NOW + dt.timedelta(hours=hours)
    window = Window(start, start + dt.timedelta(hours=length))
    assert (beyond_retention(window, days, NOW) is not None) == (NOW - start > dt.timedelta(days=days))


@pytest.mark.parametrize(
    ("given", "days", "is_told"),
    [
        ({"frequency": "daily"}, 1, True),
        ({"frequency": "daily"}, 2, False),
        ({"frequency": "monthly", "day": 1}, 30, True),
        ({"frequency": "monthly", "day": 1}, 32, False),
        ({"frequency": "daily", "start_date": "2026-01-01", "catchup": True}, 30, True),
        ({"frequency": "daily", "start_date": "2026-01-01"}, 30, False),
    ],
)
def test_a_schedule_whose_windows_outlive_the_retention_is_told(
    given: dict[str, Any], days: int, is_told: bool
) -> None:
    """By the time that its runs start; with catchup, from start_date on."""
    schedule: Any = schedule_models()[given["frequency"]].model_validate(given, strict=False)
    assert (falls_short(schedule, days, NOW) is not None) == is_told
