"""`filters.date_range`: which rows a run exports, in words or between two times (contract, section 3)."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import TYPE_CHECKING

from bifrost_export.errors import WindowError
from bifrost_export.window import MICROSECOND, UTC, Window, local_midnight, merge, parse_instant, to_utc

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bifrost_export.filters.config import DateRange
    from bifrost_export.schedules.schedule import Schedule

_COUNTED = re.compile(r"last_([1-9][0-9]{0,3})_(hours|days|weeks|months)")
_CLOCK = re.compile(
    r".(?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?([Zz]|[+-][\d:.]+)?$"
)
_WEEK = re.compile(r"\d{4}-?W\d\d")
_DAY = dt.timedelta(days=1)
_END_OF_TIME = dt.datetime.max.replace(tzinfo=UTC)

# Words as long as a schedule's period mean the window itself.
_WHOLE_PERIOD = {
    "hourly": {"last_1_hours"},
    "daily": {"last_24_hours", "last_1_days", "yesterday"},
    "weekly": {"last_168_hours", "last_7_days", "last_1_weeks", "last_week"},
    "monthly": {"last_1_months", "last_month"},
}
_LOOKED_AT = 62 * _DAY
"""How far around a window `warning` looks: the longest that `last_month` reaches back."""
_FEWEST_RUNS, _MOST_RUNS = 5, 3000


def range_of(
    date_range: str | DateRange | None, window: Window, zone: ZoneInfo, period: str | None = "daily"
) -> Window | None:
    """The rows that a run exports.

    Args:
        date_range: As the document has it. A word counts back from the window's end; `today`, `this_week` and
            `this_month` are those of the window's last moment, up to the window's end. An object narrows the window.
        window: The run's window.
        zone: The export's timezone.
        period: Of the schedule, in words: `hourly`, `daily`, `weekly`, `monthly`, or None when it has none.

    Returns:
        The interval of the rows to export, or None when it is empty.

    Raises:
        WindowError: A time can't be read, the times are turned round, or the calendar ends.
    """
    if date_range is None:
        return window
    if isinstance(date_range, str):
        return window if date_range in _WHOLE_PERIOD.get(period or "", ()) else _in_words(date_range, window, zone)
    start, end = parse_instant(date_range.start, zone), inclusive_end(date_range.end, zone)
    if start >= end:
        raise WindowError(
            f"date_range starts at {date_range.start!r}, which is not before its end {date_range.end!r} in {zone.key}",
            hint="Give the earlier time as the start.",
        )
    return window.intersection(Window(start, end))


def inclusive_end(text: str, zone: ZoneInfo) -> dt.datetime:
    """The first instant after a time that is meant as a whole: `23:59:59` ends with its second, a date with its day.

    Raises:
        WindowError: The text is no time.
    """
    text = text.strip()
    instant = parse_instant(text, zone)
    try:
        day = _day(text)
        if day is not None:
            return local_midnight(day + (7 * _DAY if _WEEK.fullmatch(text) else _DAY), zone)
        written, precision = dt.datetime.fromisoformat(text), _precision(text)
        end = instant + precision
        # A time that a clock change skips has no rows: what is meant ends where the gap does.
        return end if written.tzinfo else min(end, to_utc(written + precision, zone))
    except OverflowError:
        return _END_OF_TIME


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _precision(text: str) -> dt.timedelta:
    clock = _CLOCK.search(text)
    if clock is None:
        return MICROSECOND
    if clock["fraction"]:
        return dt.timedelta(microseconds=10 ** max(0, 6 - len(clock["fraction"])))
    if clock["second"]:
        return dt.timedelta(seconds=1)
    return dt.timedelta(minutes=1) if clock["minute"] else dt.timedelta(hours=1)


def _in_words(word: str, window: Window, zone: ZoneInfo) -> Window | None:
    try:
        start, end = _ends_of(word, window.end, zone)
    except (OverflowError, ValueError):
        raise WindowError(
            f"date_range {word!r} reaches back from {window.end} beyond the year 1", hint="Choose a shorter one."
        ) from None
    # Where a whole local day is skipped, as in Samoa in 2011, `yesterday` has no moment.
    return Window(start, end) if start < end else None


def _ends_of(word: str, end: dt.datetime, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    counted = _COUNTED.fullmatch(word)
    if counted:
        return _back(end, int(counted[1]), counted[2], zone), end
    today = (end - MICROSECOND).astimezone(zone).date()
    monday, first = today - today.weekday() * _DAY, today.replace(day=1)
    days = {
        "today": (today, None),
        "yesterday": (today - _DAY, today),
        "this_week": (monday, None),
        "last_week": (monday - 7 * _DAY, monday),
        "this_month": (first, None),
        "last_month": ((first - _DAY).replace(day=1), first),
    }
    since, until = days[word]
    return local_midnight(since, zone), end if until is None else local_midnight(until, zone)


def _back(end: dt.datetime, count: int, unit: str, zone: ZoneInfo) -> dt.datetime:
    if unit == "hours":
        return end - dt.timedelta(hours=count)
    local = end.astimezone(zone).replace(tzinfo=None)
    if unit == "months":
        return to_utc(_months_before(local, count), zone)
    return to_utc(local - count * (_DAY if unit == "days" else 7 * _DAY), zone)


def _months_before(local: dt.datetime, count: int) -> dt.datetime:
    """The same day of an earlier month, clamped to that month's last day."""
    year, month = divmod(local.year * 12 + local.month - 1 - count, 12)
    first = local.replace(year=year, month=month + 1, day=1)
    return first.replace(day=min(local.day, calendar.monthrange(first.year, first.month)[1]))


def warning(date_range: str | DateRange | None, schedule: Schedule, now: dt.datetime) -> str | None:
    """Which rows are exported twice or never by a word that doesn't mean the window, with an example.

    Args:
        date_range: As the document has it.
        schedule: The export's.
        now: The example is the last run that has settled by then, or one near it that shows the difference.

    Returns:
        The text, or None when every run exports its window, or what lies in it of two times.

    Raises:
        WindowError: The calendar ends.
    """
    if not isinstance(date_range, str) or date_range in _WHOLE_PERIOD.get(schedule.period or "", ()):
        return None
    around = _windows_around(schedule, schedule.latest_settled(now))
    runs = {each: range_of(date_range, each, schedule.zone, schedule.period) for each in around}
    example = next((each for each in runs if runs[each] != each), None)
    if example is None:
        return None
    rows = runs.pop(example)
    others = merge(each for each in runs.values() if each)
    twice = [both for each in others if rows and (both := rows.intersection(each))]
    never = _left(example, merge([*others, *([rows] if rows else [])]))
    facts = [f"the run of the window {example} exports {f'the rows of {rows}' if rows else 'no row'}"]
    facts += [f"the rows of {each} are exported twice or more often" for each in twice]
    facts += [f"the rows of {each} are never exported" for each in never]
    return (
        f"date_range {date_range!r} does not mean the {schedule.frequency} schedule's window: for example,"
        f" {'; '.join(facts)}; the files are named by the window all the same"
    )


def _left(window: Window, taken: list[Window]) -> list[Window]:
    """What of a window lies in none of the others."""
    pieces = window.cut(edge for each in taken for edge in (each.start, each.end))
    return merge(piece for piece in pieces if not any(each.covers(piece) for each in taken))


def _windows_around(schedule: Schedule, window: Window) -> list[Window]:
    """The window, then its neighbours on both sides, the nearest first."""
    around, past, future = [window], window, window
    while len(around) < _MOST_RUNS and (future.end - past.start < 2 * _LOOKED_AT or len(around) < _FEWEST_RUNS):
        past, future = schedule.window_until(past.start), schedule.window_from(future.end)
        around += [past, future]
    return around
