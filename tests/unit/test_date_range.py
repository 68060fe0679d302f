"""`filters.date_range`: the rows that words and times choose, on the local calendar, and what `validate` says."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.errors import WindowError
from bifrost_export.filters.date_range import inclusive_end, range_of, warning
from bifrost_export.schedules.schedule import Schedule, read_schedule
from bifrost_export.window import MICROSECOND, UTC, Window, local_midnight, parse_instant

BERLIN = ZoneInfo("Europe/Berlin")

APIA = ZoneInfo("Pacific/Apia")
WHOLE_DAY = ["last_24_hours", "last_1_days", "yesterday"]
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2040, 12, 31))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])


def window(start: str, end: str, zone: ZoneInfo = BERLIN) -> Window:
    """A window between two local times."""
    return Window.parse(start, end, zone)


def between(start: str, end: str) -> Any:
    """An object of a document."""
    return SimpleNamespace(start=start, end=end)


# Ends on Wednesday, 31 January 2024.
WEDNESDAY = window("2024-01-30T02:00", "2024-01-31T02:00")
SETTLE, DAY = dt.timedelta(minutes=30), dt.timedelta(days=1)
SCHEDULES = {
    each["frequency"]: read_schedule({**each, "timezone": "Europe/Berlin"})
    for each in (
        {"frequency": "hourly"},
        {"frequency": "daily", "time": "02:00"},
        {"frequency": "weekly", "day": "wednesday", "time": "02:00"},
        {"frequency": "monthly", "day": 31, "time": "02:00"},
        {"frequency": "cron", "expression": "*/15 8-17 * * 1-5"},
    )
}


def daily_until(run: Window) -> Schedule:
    """The daily schedule one of whose windows ends as this one."""
    return read_schedule({"frequency": "daily", "time": f"{run.end.astimezone(BERLIN):%H:%M}", "timezone": BERLIN.key})


# Ends on the Sunday on which the clocks go forward from 02:00 to 03:00, and on that on which they go back from 03:00.
SPRING = window("2024-03-30T12:00", "2024-03-31T12:00")
AUTUMN = window("2024-10-26T12:00", "2024-10-27T12:00")


@pytest.mark.parametrize("date_range", [None, *WHOLE_DAY])
@pytest.mark.parametrize("run", [WEDNESDAY, SPRING, AUTUMN], ids=["24 h", "23 h", "25 h"])
def test_no_range_and_words_of_a_day_mean_a_daily_window(date_range: str | None, run: Window) -> None:
    """On days with a clock change too."""
    assert range_of(date_range, run, BERLIN, "daily") == run


@pytest.mark.parametrize(
    ("word", "frequency"),
    [
        ("last_1_hours", "hourly"),
        ("last_7_days", "weekly"),
        ("last_1_weeks", "weekly"),
        ("last_168_hours", "weekly"),
        ("last_week", "weekly"),
        ("last_1_months", "monthly"),
        ("last_month", "monthly"),
    ],
)
def test_a_word_as_long_as_the_schedules_period_means_the_window(word: str, frequency: str) -> None:
    """Whatever the window's own length is, and only for that schedule."""
    assert range_of(word, WEDNESDAY, BERLIN, frequency) == WEDNESDAY
    assert warning(word, SCHEDULES[frequency], WEDNESDAY.end + DAY) is None
    assert range_of(word, WEDNESDAY, BERLIN, "daily") != WEDNESDAY


@pytest.mark.parametrize(
    ("word", "start", "end"),
    [
        ("last_1_hours", "2024-01-31T01:00", "2024-01-31T02:00"),
        ("last_48_hours", "2024-01-29T02:00", "2024-01-31T02:00"),
        ("last_7_days", "2024-01-24T02:00", "2024-01-31T02:00"),
        ("last_2_weeks", "2024-01-17T02:00", "2024-01-31T02:00"),
        ("last_1_months", "2023-12-31T02:00", "2024-01-31T02:00"),
        ("today", "2024-01-31", "2024-01-31T02:00"),
        ("this_week", "2024-01-29", "2024-01-31T02:00"),
        ("last_week", "2024-01-22", "2024-01-29"),
        ("this_month", "2024-01-01", "2024-01-31T02:00"),
        ("last_month", "2023-12-01", "2024-01-01"),
    ],
)
def test_words_count_back_from_the_windows_end(word: str, start: str, end: str) -> None:
    """On the calendar of the export's timezone; weeks begin on Monday."""
    assert range_of(word, WEDNESDAY, BERLIN, "daily") == window(start, end)


@pytest.mark.parametrize(
    ("word", "start", "end"),
    [
        ("today", "2024-01-31", "2024-02-01"),
        ("this_week", "2024-01-29", "2024-02-01"),
        ("this_month", "2024-01-01", "2024-02-01"),
        ("last_month", "2023-12-01", "2024-01-01"),
    ],
)
def test_a_window_that_ends_at_midnight_belongs_to_the_day_that_ended(word: str, start: str, end: str) -> None:
    """Today is the day of the window's last moment."""
    assert range_of(word, window("2024-01-31", "2024-02-01"), BERLIN, "daily") == window(start, end)


@pytest.mark.parametrize("frequency", ["weekly", "hourly"])
def test_yesterday_is_the_whole_local_day_before(frequency: str) -> None:
    """It is the window only on a daily schedule."""
    assert range_of("yesterday", WEDNESDAY, BERLIN, frequency) == window("2024-01-30", "2024-01-31")


@pytest.mark.parametrize(
    ("word", "run", "hours"),
    [
        ("last_2_days", SPRING, 47),
        ("last_2_days", AUTUMN, 49),
        ("last_48_hours", SPRING, 48),
        ("last_48_hours", AUTUMN, 48),
        ("last_1_weeks", SPRING, 7 * 24 - 1),
        ("last_1_weeks", AUTUMN, 7 * 24 + 1),
        ("today", SPRING, 11),
        ("today", AUTUMN, 13),
    ],
)
def test_hours_are_elapsed_time_and_the_rest_is_calendar(word: str, run: Window, hours: int) -> None:
    """A day with a clock change has 23 or 25 hours."""
    found = range_of(word, run, BERLIN, "daily")

    assert found is not None
    assert found.end - found.start == dt.timedelta(hours=hours)


def test_a_start_that_a_clock_change_skips_is_the_first_moment_after_it() -> None:
    """02:30 did not happen on 31 March 2024."""
    found = range_of("last_2_days", window("2024-04-01T02:30", "2024-04-02T02:30"), BERLIN, "daily")

    assert found == window("2024-03-31T03:00", "2024-04-02T02:30")


@pytest.mark.parametrize(
    ("word", "end", "start"),
    [
        ("last_1_months", "2024-03-31T12:00", "2024-02-29T12:00"),
        ("last_1_months", "2023-03-31T12:00", "2023-02-28T12:00"),
        ("last_13_months", "2024-03-31T12:00", "2023-02-28T12:00"),
        ("last_1_months", "2024-05-31T12:00", "2024-04-30T12:00"),
        ("last_12_months", "2024-02-29T12:00", "2023-02-28T12:00"),
        ("last_1_months", "2024-01-15T12:00", "2023-12-15T12:00"),
    ],
)
def test_months_are_clamped_to_their_last_day(word: str, end: str, start: str) -> None:
    """A month before 31 March is the last day of February."""
    run = Window(parse_instant(end, BERLIN) - dt.timedelta(days=1), parse_instant(end, BERLIN))

    assert range_of(word, run, BERLIN, "daily") == window(start, end)


def test_a_skipped_day_has_no_rows() -> None:
    """Samoa had no 30 December 2011."""
    run = window("2011-12-31T05:00", "2011-12-31T06:00", APIA)

    assert range_of("yesterday", run, APIA, "hourly") is None
    assert inclusive_end("2011-12-30", APIA) == local_midnight(dt.date(2011, 12, 31), APIA)


def test_a_word_that_reaches_beyond_the_calendar_is_refused() -> None:
    """The message names the word."""
    run = Window.parse("0700-01-01T00:00:00Z", "0700-01-02T00:00:00Z")

    with pytest.raises(WindowError, match=r"'last_9999_months' reaches back .* beyond the year 1"):
        range_of("last_9999_months", run, BERLIN, "daily")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2024-01-31", "2024-01-31T23:00:00Z"),
        ("20240131", "2024-01-31T23:00:00Z"),
        ("2024-W05", "2024-02-04T23:00:00Z"),
        ("2024-01-31T23", "2024-01-31T23:00:00Z"),
        ("2024-01-31T23:59", "2024-01-31T23:00:00Z"),
        ("2024-01-31 23:59", "2024-01-31T23:00:00Z"),
        ("2024-01-31_12:00:00", "2024-01-31T11:00:01Z"),
        ("20240131T235959Z", "2024-02-01T00:00:00Z"),
        ("2024-01-31T23:59:59Z", "2024-02-01T00:00:00Z"),
        ("2024-01-31T23:59:59+01:00", "2024-01-31T23:00:00Z"),
        ("2024-01-31T23:59:59.9", "2024-01-31T23:00:00Z"),
        ("2024-01-31T23:59:59.123Z", "2024-01-31T23:59:59.124Z"),
        ("2024-01-31T23:59:59.123456Z", "2024-01-31T23:59:59.123457Z"),
        ("2024-03-31", "2024-03-31T22:00:00Z"),
        ("2024-03-31T02:30", "2024-03-31T01:00:00Z"),
        ("2024-10-27T02:30", "2024-10-27T00:31:00Z"),
        ("9999-12-31", "9999-12-31T23:59:59.999999Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_an_end_is_inclusive_at_the_precision_in_which_it_is_written(text: str, end: str) -> None:
    """A date means its whole local day, a minute its 60 seconds; the first instant after it is given."""
    assert inclusive_end(text, BERLIN) == parse_instant(end)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param("2024-01-01", "2024-12-31", ("2024-01-30T02:00", "2024-01-31T02:00"), id="around"),
        pytest.param("2024-01-30T12:00", "2024-01-30T12:59", ("2024-01-30T12:00", "2024-01-30T13:00"), id="inside"),
        pytest.param("2024-01-31", "2024-12-31", ("2024-01-31T00:00", "2024-01-31T02:00"), id="its end"),
        pytest.param("2024-01-01", "2024-01-30", ("2024-01-30T02:00", "2024-01-31T00:00"), id="its start"),
        pytest.param("2024-01-30T11:00Z", "2024-01-30T11:00Z", ("2024-01-30T12:00", "2024-01-30T12:01"), id="a minute"),
        pytest.param("2024-01-30", "9999-12-31", ("2024-01-30T02:00", "2024-01-31T02:00"), id="for ever"),
    ],
)
def test_two_times_narrow_the_window(start: str, end: str, expected: tuple[str, str]) -> None:
    """Only what lies inside both is exported; times without a zone are in the export's."""
    assert range_of(between(start, end), WEDNESDAY, BERLIN, "daily") == window(*expected)


@pytest.mark.parametrize(("start", "end"), [("2023-01-01", "2023-12-31"), ("2024-01-31T02:00", "2024-02-02")])
def test_two_times_beside_the_window_leave_nothing(start: str, end: str) -> None:
    """The run exports no row."""
    assert range_of(between(start, end), WEDNESDAY, BERLIN, "daily") is None


def test_times_turned_round_in_the_exports_zone_are_refused() -> None:
    """10:00 in Los Angeles is later than 12:00 in UTC."""
    with pytest.raises(WindowError, match=r"date_range starts at '2024-01-30T10:00', .* in America/Los_Angeles"):
        range_of(between("2024-01-30T10:00", "2024-01-30T12:00Z"), WEDNESDAY, ZoneInfo("America/Los_Angeles"))


def test_what_is_no_time_is_refused() -> None:
    """The message shows the text."""
    with pytest.raises(WindowError, match="'soon' is no time"):
        range_of(between("2024-01-30", "soon"), WEDNESDAY, BERLIN)


@given(DAYS, ZONES, st.integers(1, 30), st.sampled_from(["hours", "days", "weeks", "months"]))
def test_counted_words_end_with_the_window_and_grow(day: dt.date, name: str, count: int, unit: str) -> None:
    """One more of a unit reaches further back."""
    zone = ZoneInfo(name)
    end = local_midnight(day, zone)
    run = Window(end - dt.timedelta(hours=3), end)

    near = range_of(f"last_{count}_{unit}", run, zone, "cron")
    far = range_of(f"last_{count + 1}_{unit}", run, zone, "cron")

    assert near is not None
    assert far is not None
    assert near.end == far.end == run.end
    assert far.start < near.start


@given(DAYS, ZONES)
def test_days_weeks_and_months_join_without_gap(day: dt.date, name: str) -> None:
    """Where the one before ends this one starts, at a local midnight, with the window's last moment inside."""
    zone = ZoneInfo(name)
    end = local_midnight(day, zone) + dt.timedelta(hours=5)
    run = Window(end - dt.timedelta(hours=1), end)

    for before, now in (("yesterday", "today"), ("last_week", "this_week"), ("last_month", "this_month")):
        earlier, later = range_of(before, run, zone, "hourly"), range_of(now, run, zone, "hourly")
        assert earlier is not None
        assert later is not None
        assert earlier.end == later.start
        assert later.contains(run.end - MICROSECOND)
        assert later.start == local_midnight(later.start.astimezone(zone).date(), zone)


@given(DAYS, DAYS, ZONES)
def test_two_dates_take_their_whole_days(first: dt.date, second: dt.date, name: str) -> None:
    """The rows are those whose local date lies between the two."""
    zone, (first, second) = ZoneInfo(name), sorted((first, second))
    run = Window(dt.datetime(1999, 1, 1, tzinfo=UTC), dt.datetime(2042, 1, 1, tzinfo=UTC))

    found = range_of(between(first.isoformat(), second.isoformat()), run, zone)

    assert found is not None
    assert found.start.astimezone(zone).date() == first
    assert (found.end - MICROSECOND).astimezone(zone).date() == second
    assert (found.start - MICROSECOND).astimezone(zone).date() < first
    assert found.end.astimezone(zone).date() > second


@pytest.mark.parametrize(
    ("word", "twice", "never"),
    [
        pytest.param("last_7_days", "2024-01-24T01:00:00Z, 2024-01-31T01:00:00Z", None, id="more than a day"),
        pytest.param("last_1_hours", None, "2024-01-30T01:00:00Z, 2024-01-31T00:00:00Z", id="less than a day"),
        pytest.param("today", None, "2024-01-30T01:00:00Z, 2024-01-30T23:00:00Z", id="part of a day"),
        pytest.param("last_week", "2024-01-21T23:00:00Z, 2024-01-28T23:00:00Z", None, id="later, and again"),
        pytest.param("last_month", "2023-11-30T23:00:00Z, 2023-12-31T23:00:00Z", None, id="a month, and again"),
        pytest.param("this_month", "2023-12-31T23:00:00Z, 2024-01-30T01:00:00Z", None, id="a growing month"),
    ],
)
def test_the_warning_says_which_rows_are_exported_twice_or_never(
    word: str, twice: str | None, never: str | None
) -> None:
    """It gives an example with times, and says nothing of rows that are exported once."""
    told = warning(word, SCHEDULES["daily"], WEDNESDAY.end + SETTLE)

    assert told is not None
    assert f"date_range {word!r} does not mean the daily schedule's window" in told
    assert f"the run of the window {WEDNESDAY} exports the rows of" in told
    assert ("twice or more often" in told) is (twice is not None)
    assert ("never exported" in told) is (never is not None)
    assert not twice or f"the rows of [{twice}) are exported twice" in told
    assert not never or f"the rows of [{never}) are never exported" in told


@pytest.mark.parametrize(
    ("word", "first_day"), [("this_week", "2024-01-29"), ("this_month", "2024-01-01")], ids=["Monday", "first of month"]
)
def test_the_warning_does_not_hang_on_the_day_of_its_window(word: str, first_day: str) -> None:
    """On the first day of a week, this week is the window; the next run shows what is odd."""
    run = Window(parse_instant(first_day, BERLIN), inclusive_end(first_day, BERLIN))
    assert range_of(word, run, BERLIN, "daily") == run

    told = warning(word, daily_until(run), run.end + SETTLE)

    assert told is not None
    assert "twice or more often" in told


@pytest.mark.parametrize(
    ("date_range", "run"),
    [
        pytest.param(None, WEDNESDAY, id="none"),
        *(pytest.param(word, WEDNESDAY, id=word) for word in WHOLE_DAY),
        pytest.param(between("2024-01-01", "2024-12-31"), WEDNESDAY, id="two times"),
        pytest.param("today", window("2024-01-30", "2024-01-31"), id="today on a schedule at midnight"),
    ],
)
def test_what_exports_each_row_once_is_no_warning(date_range: Any, run: Window) -> None:
    """Two times narrow windows on purpose."""
    assert warning(date_range, daily_until(run), run.end + SETTLE) is None


@pytest.mark.parametrize("frequency", ["hourly", "weekly", "monthly", "cron"])
def test_every_schedule_can_be_warned_of(frequency: str) -> None:
    """Three months are no schedule's period."""
    told = warning("last_3_months", SCHEDULES[frequency], WEDNESDAY.end)

    assert told is not None
    assert "twice or more often" in told


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"frequency": "hourly", "minute": 20}, ["last_1_hours"]),
        ({"frequency": "weekly", "day": "sunday"}, ["last_7_days", "last_week", "last_168_hours"]),
        ({"frequency": "monthly", "day": "last"}, ["last_1_months", "last_month"]),
        ({"frequency": "cron", "expression": "30 2 * * *"}, ["last_24_hours", "yesterday"]),
        ({"frequency": "cron", "expression": "@hourly"}, ["last_1_hours"]),
    ],
)
def test_a_schedules_own_period_is_no_warning_and_another_is(schedule: dict[str, Any], words: list[str]) -> None:
    """Simple cron expressions have a period too."""
    made = read_schedule({**schedule, "timezone": "Europe/Berlin"})
    for word in words:
        assert warning(word, made, WEDNESDAY.end) is None
    told = warning("last_3_days", made, WEDNESDAY.end)
    assert told is not None
    assert f"does not mean the {made.frequency} schedule's window" in told
