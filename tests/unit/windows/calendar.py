"""An independent calendar: firings found from a table of a zone's offsets, going through all days, without a search."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from itertools import pairwise, repeat, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from bifrost_export.schedules.schedule import Schedule, read_schedule

UTC = dt.timezone.utc
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
ODD_ZONES = ("Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu", "Europe/Berlin", "UTC")
"""Half an hour of summer time, a winter within Ramadan, a day that was skipped, 45 minutes, and two plain ones."""

ZONES = (
    *ODD_ZONES,
    *("Pacific/Kwajalein", "Pacific/Fakaofo", "Pacific/Kiritimati", "Pacific/Chatham", "Pacific/Marquesas"),
    *("Asia/Kolkata", "Asia/Tehran", "Asia/Kabul", "Asia/Colombo", "Asia/Yangon", "Asia/Pyongyang", "Asia/Gaza"),
    *("Asia/Beirut", "Asia/Amman", "Asia/Damascus", "Asia/Tokyo", "Asia/Shanghai", "Asia/Novosibirsk"),
    *("America/New_York", "America/St_Johns", "America/Sao_Paulo", "America/Caracas", "America/Havana"),
    *("America/Asuncion", "America/Santiago", "America/Nuuk", "America/Phoenix", "Antarctica/Troll"),
    *("Europe/London", "Europe/Dublin", "Europe/Istanbul", "Europe/Moscow", "Africa/Cairo", "Australia/Adelaide"),
)
"""Forty, with half-hour ones and those that skipped a day or changed their clocks at midnight."""


@cache
def offsets(zone: str) -> tuple[list[dt.datetime], list[dt.timedelta]]:
    """From when on which offset holds, from 1990 to 2040."""
    info = ZoneInfo(zone)
    starts, values = [dt.datetime(1990, 1, 1, tzinfo=UTC)], []
    values.append(starts[0].astimezone(info).utcoffset() or dt.timedelta())
    for day in range(50 * 366):
        low, high = (starts[0] + each * DAY for each in (day, day + 1))
        if high.astimezone(info).utcoffset() == values[-1]:
            continue
        seconds = range(1, 86_401)
        changed = bisect_right(
            seconds,
            0,
            key=lambda second: (low + dt.timedelta(seconds=second)).astimezone(info).utcoffset() != values[-1],
        )
        starts.append(low + dt.timedelta(seconds=seconds[changed]))
        values.append(starts[-1].astimezone(info).utcoffset() or dt.timedelta())
        assert high.astimezone(info).utcoffset() == values[-1], "two changes in a day"
    return starts, values


def first_moment(local: dt.datetime, zone: str) -> dt.datetime:
    """The first instant at which a clock shows a local time, or a later one."""
    starts, values = offsets(zone)
    ends = [*starts[1:], dt.datetime.max.replace(tzinfo=UTC)]
    naive = local.replace(tzinfo=UTC)
    nearest = max(0, bisect_right(starts, naive) - 3)
    for start, end, offset in zip(starts[nearest:], ends[nearest:], values[nearest:], strict=True):
        if (moment := max(naive - offset, start)) < end:
            return moment
    raise AssertionError(local)


def is_fitting(schedule: dict[str, Any], day: dt.date) -> bool:
    """Whether a schedule fires on a local day."""
    if schedule["frequency"] == "weekly":
        return day.strftime("%A").lower() == schedule["day"]
    if schedule["frequency"] == "monthly":
        is_last = (day + DAY).day == 1
        return (
            is_last
            if schedule["day"] == "last"
            else day.day == schedule["day"] or (is_last and day.day < schedule["day"])
        )
    return True


def firings(schedule: dict[str, Any], start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    """Every firing from an instant up to another.

    Args:
        schedule: As a document writes it.
        start: In UTC.
        end: In UTC.
    """
    zone = schedule["timezone"]
    if schedule["frequency"] == "hourly":
        found = _hours(schedule, start, end)
    elif schedule["frequency"] == "cron":
        found = _of_airflow(schedule, start, end)
    else:
        days = [start.date() + number * DAY for number in range(-3, (end - start).days + 4)]
        time = dt.time.fromisoformat(schedule["time"])
        found = [first_moment(dt.datetime.combine(day, time), zone) for day in days if is_fitting(schedule, day)]
    return [each for each in sorted(set(found)) if start <= each <= end]


def _hours(schedule: dict[str, Any], start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    """By counting minutes: in winter the clock shows the minute, and between two firings sixty have passed."""
    starts, values = offsets(schedule["timezone"])
    winter = (
        min(value for since, value in zip(starts, values, strict=True) if since.year in (2025, 2026, 2027))
        if any(since.year in (2025, 2026, 2027) for since in starts)
        else values[-1]
    )
    minute = (schedule["minute"] - int(winter.total_seconds()) // 60) % 60
    found = start.replace(minute=0, second=0, microsecond=0) - HOUR + dt.timedelta(minutes=minute)
    hours = []
    while found <= end:
        hours.append(found)
        found += HOUR
    return hours


def _of_airflow(schedule: dict[str, Any], start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    return list(
        takewhile(
            lambda each: each <= end, after_in_airflow(schedule["expression"], schedule["timezone"], start - 2 * DAY)
        )
    )


def after_in_airflow(expression: str, zone: str, at: dt.datetime, count: int | None = None) -> Iterator[dt.datetime]:
    """The firings after an instant by Airflow's own cron arithmetic, from one to the next."""
    import pendulum
    from airflow.timetables._cron import CronMixin

    cron, found = CronMixin(expression, zone), pendulum.instance(at)
    for _ in repeat(None) if count is None else repeat(None, count):
        found = cron._get_next(found)
        yield dt.datetime.fromtimestamp(found.timestamp(), UTC)


def schedules(zone: str) -> list[dict[str, Any]]:
    """A schedule of every kind in a zone, at times at which clocks change."""
    several: list[dict[str, Any]] = [
        {"frequency": "daily", "time": time} for time in ("00:00", "00:30", "02:30", "23:59")
    ]
    several += [{"frequency": "weekly", "day": day, "time": "02:30"} for day in ("sunday", "friday")]
    several += [{"frequency": "monthly", "day": day, "time": "01:15"} for day in (1, 29, 31, "last")]
    several += [{"frequency": "hourly", "minute": minute} for minute in (0, 45)]
    several += [{"frequency": "cron", "expression": each} for each in ("30 2 * * *", "0 3 L * *", "15 0 * * 1-5")]
    return [{**each, "timezone": zone} for each in several]


def with_windows(
    schedule: dict[str, Any], start: dt.datetime, end: dt.datetime
) -> tuple[Schedule, list[tuple[dt.datetime, dt.datetime]]]:
    """The schedule of the package, and the independent calendar's windows."""
    return read_schedule(schedule), list(pairwise(firings(schedule, start, end)))
