"""Dates, hours, weeks and months of any zone, against the standard library's calendar."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.transforms.time_groups import TIME_GROUPS, time_groups
from bifrost_export.window import UTC

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
MOMENTS = st.datetimes(dt.datetime(2010, 1, 1), dt.datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(MOMENTS, min_size=1, max_size=30), st.sampled_from(ZONES))
def test_time_groups_are_those_of_the_local_calendar(moments: list[dt.datetime], zone: str) -> None:
    """The first moment of an hour has the same local hour, and the minute before it another."""
    timezone = ZoneInfo(zone)
    made = time_groups(pa.array(moments, pa.timestamp("us", tz="UTC")), list(TIME_GROUPS), timezone)
    found = pa.table(made).to_pylist()
    for moment, each in zip(moments, found, strict=True):
        local = moment.astimezone(timezone)
        assert each["date"] == local.date()
        assert each["month"] == f"{local:%Y-%m}"
        assert each["week"] == local.date() - dt.timedelta(days=local.weekday())
        start = each["hour"].astimezone(timezone)
        assert dt.timedelta() <= moment - each["hour"] < dt.timedelta(hours=1)
        assert (start.date(), start.hour, start.utcoffset()) == (local.date(), local.hour, local.utcoffset())
        before = (each["hour"] - dt.timedelta(minutes=1)).astimezone(timezone)
        assert (before.date(), before.hour, before.utcoffset()) != (start.date(), start.hour, start.utcoffset())


@pytest.mark.parametrize("minutes", range(0, 120, 10))
def test_hours_around_a_shift_of_half_an_hour_have_a_first_moment_each(minutes: int) -> None:
    """On Lord Howe the clock goes from 02:00 to 01:30, at 15:00 UTC."""
    shift = dt.datetime(2026, 4, 4, 15, tzinfo=UTC)
    moment = shift - dt.timedelta(minutes=60 - minutes)
    made = time_groups(pa.array([moment], pa.timestamp("us", tz="UTC")), ["hour"], ZoneInfo("Australia/Lord_Howe"))
    wanted = (
        shift - dt.timedelta(hours=1) if minutes < 60 else shift if minutes < 90 else shift + dt.timedelta(minutes=30)
    )
    assert made["hour"].to_pylist() == [wanted]
