"""Windows tile time: they are those of an independent calendar, in odd zones and over years."""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_export.errors import WindowError
from bifrost_export.schedules.schedule import Schedule, read_schedule
from bifrost_export.window import MICROSECOND, Window, parse_instant
from tests.unit.windows.calendar import ODD_ZONES, UTC, ZONES, after_in_airflow, schedules, with_windows

IS_LONG = bool(os.environ.get("BIFROST_TEST_LONG"))
TRIED = ZONES if IS_LONG else ODD_ZONES
YEARS = range(2006, 2026) if IS_LONG else range(2009, 2012)
EVERY = 1 if IS_LONG else 29
"""Each so many windows are also looked up from their middle."""


def name_of(schedule: dict[str, Any]) -> str:
    """The schedule in a few words."""
    return " ".join(str(value) for key, value in schedule.items() if key != "timezone")


KINDS = schedules("UTC")
assert len(ZONES) == 40


def look_up(schedule: Schedule, start: dt.datetime, end: dt.datetime) -> None:
    """Every way to a window leads to the same."""
    window, middle = Window(start, end), start + (end - start) / 2
    assert schedule.window_containing(middle) == window
    assert schedule.window_containing(start) == window
    assert schedule.window_containing(end - MICROSECOND) == window
    assert schedule.window_until(end) == window
    assert schedule.first_firing_from(start) == start
    assert schedule.first_firing_from(start + MICROSECOND) == end
    assert schedule.latest_settled(end + schedule.settle_delta) == window
    assert schedule.latest_settled(end + schedule.settle_delta - MICROSECOND).end == start


@pytest.mark.widened
@pytest.mark.parametrize("zone", TRIED)
@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_windows_tile_time_as_an_independent_calendar_says(zone: str, kind: dict[str, Any]) -> None:
    """No gap and no overlap, for years; the middle of a window leads to it, and so does its settling."""
    years = range(2010, 2011) if kind["frequency"] == "hourly" and not IS_LONG else YEARS
    start, end = (dt.datetime(year, 1, 1, tzinfo=UTC) for year in (years[0], years[-1] + 1))
    schedule, windows = with_windows({**kind, "timezone": zone}, start, end)
    found = schedule.first_firing_from(start)
    for number, (begin, until) in enumerate(windows):
        window = schedule.window_from(found)
        assert (window.start, window.end) == (begin, until)
        found = window.end
        if number and number % EVERY == 0:
            look_up(schedule, begin, until)


def windows_of(schedule: dict[str, Any], start: str, count: int, zone: str) -> list[str]:
    """The first ends of windows after a local time, as local times."""
    made = read_schedule({**schedule, "timezone": zone})
    at, found = parse_instant(start, made.zone), []
    for _ in range(count):
        at = made.next_firing(at)
        found.append(at.astimezone(made.zone).isoformat("T", "minutes"))
    return found


def test_a_time_that_a_clock_change_skips_is_the_first_moment_after_it() -> None:
    """In Berlin there was no 02:30 on 29 March 2026."""
    found = windows_of({"frequency": "daily", "time": "02:30"}, "2026-03-28T00:00", 3, "Europe/Berlin")
    assert found == ["2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]


def test_a_time_that_occurs_twice_is_the_first() -> None:
    """In Berlin 02:30 came twice on 25 October 2026."""
    found = windows_of({"frequency": "weekly", "day": "sunday", "time": "02:30"}, "2026-10-24", 2, "Europe/Berlin")
    assert found == ["2026-10-25T02:30+02:00", "2026-11-01T02:30+01:00"]


def test_firings_on_a_day_that_a_zone_skipped_are_one_with_those_after_it() -> None:
    """In Samoa Thursday was followed by Saturday, 31 December 2011."""
    assert windows_of({"frequency": "daily"}, "2011-12-29", 2, "Pacific/Apia") == [
        "2011-12-31T00:00+14:00",
        "2012-01-01T00:00+14:00",
    ]
    friday = {"frequency": "weekly", "day": "friday", "time": "08:00"}
    assert windows_of(friday, "2011-12-29", 1, "Pacific/Apia") == ["2011-12-31T00:00+14:00"]


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (31, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (29, ["2026-01-29", "2026-02-28", "2026-03-29", "2026-04-29"]),
        ("last", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (1, ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]),
    ],
)
def test_a_day_that_a_month_lacks_is_its_last(day: int | str, ends: list[str]) -> None:
    """And the months after it are not moved by that."""
    found = windows_of({"frequency": "monthly", "day": day}, "2026-01-10", 4, "UTC")
    assert [each[:10] for each in found] == ends


@pytest.mark.parametrize("zone", ZONES)
def test_each_hour_is_one_that_has_passed(zone: str) -> None:
    """A clock that is put forward or back makes no hour longer, nor shorter."""
    schedule = read_schedule({"frequency": "hourly", "minute": 20, "timezone": zone})
    at = schedule.last_firing(dt.datetime(2026, 1, 1, tzinfo=UTC))
    for day in range(0, 365, 5):
        window = schedule.window_containing(at + dt.timedelta(days=day, minutes=7))
        assert window == Window(at + dt.timedelta(days=day), at + dt.timedelta(days=day, hours=1))
    minutes = {(at + dt.timedelta(days=day)).astimezone(schedule.zone).minute for day in (0, 182)}
    assert 20 in minutes
    assert minutes == {20} or zone == "Australia/Lord_Howe"


def test_a_cron_expression_means_what_airflow_takes_it_for() -> None:
    """Of a time that occurs twice it takes the second, and one that is skipped it puts off by as much."""
    cron = {"frequency": "cron", "expression": "30 2 * * 0"}
    assert windows_of(cron, "2026-10-24", 1, "Europe/Berlin") == ["2026-10-25T02:30+01:00"]
    assert windows_of(cron, "2026-03-28", 1, "Europe/Berlin") == ["2026-03-29T03:30+02:00"]
    assert windows_of({**cron, "expression": "@quarterly"}, "2026-03-28", 1, "UTC") == ["2026-04-01T00:00+00:00"]


EXPRESSIONS = st.builds(
    "{} {} {} {} {}".format,
    st.sampled_from(["0", "30", "*/20", "59", "7,37"]),
    st.sampled_from(["*", "*", "*", "0", "1-3", "2", "*/6", "23"]),
    st.sampled_from(["*", "*", "*", "31", "L", "*/10"]),
    st.sampled_from(["*", "*", "3,10", "*/4"]),
    st.sampled_from(["*", "*", "0", "1-5", "sun"]),
)


@settings(max_examples=500 if IS_LONG else 20)
@given(EXPRESSIONS, st.sampled_from(ZONES), st.dates(dt.date(2006, 1, 1), dt.date(2026, 1, 1)))
@pytest.mark.widened
def test_any_cron_expression_fires_as_in_airflow(expression: str, zone: str, day: dt.date) -> None:
    """Beside clock changes too; and the way back from any moment leads to the firing before."""
    schedule = read_schedule({"frequency": "cron", "expression": expression, "timezone": zone})
    former = schedule.next_firing(dt.datetime.combine(day, dt.time(), UTC))
    for following in after_in_airflow(expression, zone, former, 40):
        assert schedule.next_firing(former) == following
        assert schedule.last_firing(former + (following - former) / 2) == former
        former = following


@pytest.mark.parametrize("kind", [each for each in KINDS if each["frequency"] != "hourly"], ids=name_of)
@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_are_told(kind: dict[str, Any], year: int) -> None:
    """No overflow reaches the caller."""
    schedule = read_schedule(kind)
    month = 1 if year == 1 else 12
    with pytest.raises(WindowError):
        schedule.last_firing(dt.datetime(year, month, 2, tzinfo=UTC)) if year == 1 else schedule.next_firing(
            dt.datetime(year, month, 31, 23, 59, 59, tzinfo=UTC)
        )


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"frequency": "weekly", "day": "sunday", "time": "03:00"}, "weekly on Sunday at 03:00 UTC"),
        ({"frequency": "monthly", "day": 31}, "monthly on day 31 at 00:00 UTC"),
        ({"frequency": "monthly", "day": "last"}, "monthly on the last day at 00:00 UTC"),
        ({"frequency": "hourly", "minute": 5, "timezone": "Asia/Tokyo"}, "hourly at minute 5, Asia/Tokyo"),
        ({"frequency": "cron", "expression": "@daily"}, "by cron @daily in UTC"),
    ],
)
def test_a_schedule_tells_itself_in_words(schedule: dict[str, Any], words: str) -> None:
    """As it stands on the DAG's page."""
    assert read_schedule(schedule).describe() == words


@pytest.mark.parametrize(
    ("expression", "period"),
    [
        ("5 * * * *", "hourly"),
        ("@daily", "daily"),
        ("0 2 * * *", "daily"),
        ("0 2 * * sun", "weekly"),
        ("0 2 L * *", "monthly"),
        ("0 2 1 * *", "monthly"),
        ("0 2 * * 1-5", None),
        ("*/15 * * * *", None),
    ],
)
def test_a_simple_expression_has_the_period_of_a_frequency(expression: str, period: str | None) -> None:
    """So that the words of `date_range` mean the window there too."""
    assert read_schedule({"frequency": "cron", "expression": expression}).period == period
