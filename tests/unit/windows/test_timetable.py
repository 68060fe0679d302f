"""Airflow's timetable of an export: scheduled, manual and backfilled runs have the same windows."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from typing import Any

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction

from bifrost_export.airflow.timetable import ExportTimetable
from bifrost_export.airflow.trigger_form import choose_window
from bifrost_export.schedules.schedule import read_schedule
from bifrost_export.window import UTC, Window
from tests.unit.windows.calendar import ODD_ZONES, ZONES, firings, schedules

IS_LONG = bool(os.environ.get("BIFROST_TEST_LONG"))
TRIED = ZONES if IS_LONG else ODD_ZONES
START, END = (
    dt.datetime(2006 if IS_LONG else 2009, 1, 1, tzinfo=UTC),
    dt.datetime(2026 if IS_LONG else 2012, 1, 1, tzinfo=UTC),
)
STEP = dt.timedelta(days=97)
"""Each so many days a few runs of each kind are compared."""


def pair(interval: Any) -> tuple[dt.datetime, dt.datetime]:
    """The ends of an interval, or of a window."""
    return interval.start, interval.end


def interval_of(start: dt.datetime, end: dt.datetime) -> DataInterval:
    """An interval as Airflow has it."""
    return DataInterval(pendulum.instance(start), pendulum.instance(end))


def runs(timetable: ExportTimetable, restriction: TimeRestriction, last: DataInterval | None = None) -> list[Any]:
    """Up to six runs as the scheduler or a backfill asks for them."""
    found: list[Any] = []
    while len(found) < 6 and (
        info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
    ):
        found.append(info)
        last = info.data_interval
    return found


@pytest.mark.widened
@pytest.mark.parametrize("zone", TRIED)
@pytest.mark.parametrize("kind", schedules("UTC"), ids=lambda kind: " ".join(map(str, list(kind.values())[:-1])))
def test_scheduled_manual_and_backfilled_runs_have_the_windows_of_the_calendar(zone: str, kind: dict[str, Any]) -> None:
    """The same intervals, and each run starts when its window has settled."""
    document = {**kind, "timezone": zone, "settle": "45m"}
    timetable = ExportTimetable.deserialize(ExportTimetable(read_schedule(document)).serialize())
    settle, at = dt.timedelta(minutes=45), START
    is_monthly = timetable.schedule.period == "monthly"
    while at < END:
        expected = firings(document, at, at + dt.timedelta(days=250 if is_monthly else 60))[:7]
        first, at = expected[0], at + STEP
        windows = list(itertools.pairwise(expected))
        assert len(windows) >= 5
        backfilled = runs(timetable, TimeRestriction(pendulum.instance(first), pendulum.instance(windows[-1][0]), True))
        assert [pair(info.data_interval) for info in backfilled] == windows
        scheduled = runs(timetable, TimeRestriction(None, None, False), interval_of(*windows[0]))
        assert [pair(info.data_interval) for info in scheduled][: len(windows) - 1] == windows[1:]
        assert all(info.run_after == info.data_interval.end + settle for info in [*backfilled, *scheduled])
        for window in windows:
            for moment in (window[0], window[1] + settle):
                inferred = timetable.infer_manual_data_interval(run_after=pendulum.instance(moment))
                is_start_too = moment in expected and moment != window[0]
                assert is_start_too or pair(inferred) == window
            chosen = choose_window(timetable.schedule, {}, (None, None), window[1] + settle)
            assert pair(chosen) == window


DAILY = {"frequency": "daily", "time": "02:00", "timezone": "Europe/Berlin"}
NOW = dt.datetime.now(UTC)
OPEN = TimeRestriction(None, None, False)


def timetable_of(**changes: Any) -> ExportTimetable:
    """The timetable of a daily schedule with some keys changed."""
    return ExportTimetable(read_schedule({**DAILY, **changes}))


def days_before_now(days: int) -> dt.datetime:
    """A firing of the daily schedule."""
    return timetable_of().schedule.last_firing(NOW - dt.timedelta(days=days))


def test_the_first_run_takes_the_latest_settled_window() -> None:
    """Without catch-up."""
    (first, *_) = runs(timetable_of(), OPEN)
    assert Window(*pair(first.data_interval)) == timetable_of().schedule.latest_settled(NOW)


def test_with_catchup_the_first_run_takes_the_window_at_the_start_date() -> None:
    """And the others follow, each once."""
    timetable = timetable_of(start_date="2026-01-01", catchup=True)
    start = pendulum.instance(timetable.schedule.start)  # type: ignore[arg-type]
    found = [pair(info.data_interval) for info in runs(timetable, TimeRestriction(start, None, True))]
    assert found[0] == (dt.datetime(2026, 1, 1, 1, tzinfo=UTC), dt.datetime(2026, 1, 2, 1, tzinfo=UTC))
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))


def test_no_scheduled_window_starts_before_the_start_date() -> None:
    """Also where there is none settled after it."""
    start = pendulum.instance(NOW + dt.timedelta(days=3))
    (first, *_) = runs(timetable_of(), TimeRestriction(start, None, False))
    assert first.data_interval.start >= start


def test_after_an_outage_no_window_is_skipped() -> None:
    """It goes on where the last run ended, whatever catchup says."""
    last = interval_of(days_before_now(12), days_before_now(11))
    for catchup in (False, True):
        found = runs(timetable_of(), TimeRestriction(None, None, catchup), last)
        assert [info.data_interval.start for info in found] == [days_before_now(day) for day in (11, 10, 9, 8, 7, 6)]


def test_missed_windows_can_be_skipped_as_airflow_does() -> None:
    """But not in a backfill, nor with catchup."""
    timetable = timetable_of(missed_windows="skip")
    last = interval_of(days_before_now(12), days_before_now(11))
    (skipped, *_) = runs(timetable, OPEN, last)
    assert Window(*pair(skipped.data_interval)) == timetable.schedule.latest_settled(NOW)
    (kept, *_) = runs(timetable, TimeRestriction(None, None, True), last)
    assert kept.data_interval.start == days_before_now(11)


def test_skipping_never_goes_back() -> None:
    """What has run already is not run again."""
    schedule = timetable_of().schedule
    last = schedule.window_containing(NOW)
    (following, *_) = runs(timetable_of(missed_windows="skip"), OPEN, interval_of(last.start, last.end))
    assert following.data_interval.start == last.end


@pytest.mark.parametrize("missed", ["run", "skip"])
@pytest.mark.parametrize(
    "changed",
    [
        {"time": "03:15"},
        {"time": "01:45"},
        {"timezone": "Asia/Kolkata"},
        {"frequency": "weekly", "day": "monday"},
        {"frequency": "monthly", "day": "last"},
    ],
)
def test_a_changed_schedule_leaves_no_gap_and_no_overlap(changed: dict[str, Any], missed: str) -> None:
    """The next window starts where the last one ended, and ends at the next firing of the new schedule."""
    settled = timetable_of().schedule.latest_settled(NOW)
    timetable = timetable_of(**changed, missed_windows=missed)
    found = runs(timetable, OPEN, interval_of(settled.start, settled.end))
    assert found[0].data_interval.start == settled.end
    assert all(each.data_interval.end == timetable.schedule.last_firing(each.data_interval.end) for each in found)
    assert all(before.data_interval.end == after.data_interval.start for before, after in itertools.pairwise(found))


def test_a_manual_date_inside_a_window_means_the_last_one_that_has_settled_then() -> None:
    """Half an hour after a window's end it has settled."""
    timetable, end = timetable_of(), dt.datetime(2026, 3, 29, 0, tzinfo=UTC)  # 02:00 is skipped: 03:00 in summer time
    end = timetable.schedule.last_firing(end + dt.timedelta(hours=2))
    for minutes, until in ((29, -1), (30, 0)):
        moment = pendulum.instance(end + dt.timedelta(minutes=minutes))
        expected = timetable.schedule.window_until(end)
        expected = expected if until == 0 else timetable.schedule.window_until(expected.start)
        assert pair(timetable.infer_manual_data_interval(run_after=moment)) == pair(expected)


def test_schedules_that_differ_in_any_key_make_another_timetable() -> None:
    """So that Airflow notices a change."""
    changes: list[dict[str, Any]] = [{}, {"missed_windows": "skip"}, {"settle": "1h"}, {"start_date": "2026-01-01"}]
    made = [timetable_of(**each) for each in changes]
    assert len(set(made)) == len(made)
    assert all(ExportTimetable.deserialize(each.serialize()) == each for each in made)
