"""`filters.date_range`: which rows a run exports, in words or between two times (contract, section 3)."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from bifrost_export.window import MICROSECOND, Window, local_midnight, parse_instant, rfc3339, to_utc

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bifrost_export.config.models import DateRange

_COUNTED = re.compile(r"last_([1-9][0-9]{0,3})_(hours|days|weeks|months)")
_CLOCK = re.compile(r"[Tt ](?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?")
_DAY = dt.timedelta(days=1)

# Words as long as a schedule's period mean the window itself.
_WHOLE_PERIOD = {
    "hourly": {"last_1_hours"},
    "daily": {"last_24_hours", "last_1_days", "yesterday"},
    "weekly": {"last_168_hours", "last_7_days", "last_1_weeks", "last_week"},
    "monthly": {"last_1_months", "last_month"},
}


def range_of(
    date_range: str | DateRange | None, window: Window, zone: ZoneInfo, frequency: str = "daily"
) -> Window | None:
    """The rows that a run exports.

    Args:
        date_range: As the document has it. A word counts back from the window's end; `today`, `this_week` and
            `this_month` are those of the window's last moment, up to the window's end. An object narrows the window.
        window: The run's window.
        zone: The export's timezone.
        frequency: Of the schedule.

    Returns:
        The interval of the rows to export, or None when an object leaves nothing of the window.

    Raises:
        WindowError: A time can't be read, or the calendar ends.
    """
    if date_range is None:
        return window
    if isinstance(date_range, str):
        return window if date_range in _WHOLE_PERIOD.get(frequency, ()) else _in_words(date_range, window, zone)
    start, end = parse_instant(date_range.start, zone), inclusive_end(date_range.end, zone)
    return window.intersection(Window(start, end))


def inclusive_end(text: str, zone: ZoneInfo) -> dt.datetime:
    """The first instant after a time that is meant as a whole: `23:59:59` ends with its second, a date with its day.

    Raises:
        WindowError: The text is no time.
    """
    instant = parse_instant(text, zone)
    clock = _CLOCK.search(text.strip())
    if clock is None:
        return local_midnight(instant.astimezone(zone).date() + _DAY, zone)
    if clock["fraction"]:
        return instant + dt.timedelta(microseconds=10 ** max(0, 6 - len(clock["fraction"])))
    if clock["second"]:
        return instant + dt.timedelta(seconds=1)
    return instant + (dt.timedelta(minutes=1) if clock["minute"] else dt.timedelta(hours=1))


def _in_words(word: str, window: Window, zone: ZoneInfo) -> Window:
    counted = _COUNTED.fullmatch(word)
    if counted:
        return Window(_back(window.end, int(counted[1]), counted[2], zone), window.end)
    today = (window.end - MICROSECOND).astimezone(zone).date()
    monday, first = today - today.weekday() * _DAY, today.replace(day=1)
    days = {
        "today": (today, None),
        "yesterday": (today - _DAY, today),
        "this_week": (monday, None),
        "last_week": (monday - 7 * _DAY, monday),
        "this_month": (first, None),
        "last_month": ((first - _DAY).replace(day=1), first),
    }
    start, end = days[word]
    return Window(local_midnight(start, zone), window.end if end is None else local_midnight(end, zone))


def _back(end: dt.datetime, count: int, unit: str, zone: ZoneInfo) -> dt.datetime:
    if unit == "hours":
        return end - dt.timedelta(hours=count)
    local = end.astimezone(zone).replace(tzinfo=None)
    if unit == "months":
        return to_utc(_months_before(local, count), zone)
    return to_utc(local - count * (_DAY if unit == "days" else 7 * _DAY), zone)


def _months_before(local: dt.datetime, count: int) -> dt.datetime:
    """The same day of an earlier month, clamped to that month's last day."""
    months = local.year * 12 + local.month - 1 - count
    year, month = divmod(months, 12)
    following = dt.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return local.replace(year=year, month=month + 1, day=min(local.day, (following - _DAY).day))


def warning(date_range: str | DateRange | None, window: Window, zone: ZoneInfo, frequency: str) -> str | None:
    """What is odd about a word that is not as long as the schedule's period, with an example; None for the others.

    Args:
        date_range: As the document has it.
        window: Any window of the schedule, for the example.
        zone: The export's timezone.
        frequency: Of the schedule.
    """
    if not isinstance(date_range, str):
        return None
    rows = range_of(date_range, window, zone, frequency)
    if rows is None or rows == window:
        return None
    facts = [f"the run of the window {window} exports the rows of {rows}, and is named by its window all the same"]
    if rows.start < window.start:
        facts.append(
            f"rows from {rfc3339(rows.start)} to {rfc3339(min(window.start, rows.end))} are exported by earlier runs too"
        )
    missing = [
        (start, end)
        for start, end in ((window.start, min(rows.start, window.end)), (max(rows.end, window.start), window.end))
        if start < end
    ]
    facts += [
        f"rows from {rfc3339(start)} to {rfc3339(end)} are not in this run, and in none if no later one reaches back"
        for start, end in missing
    ]
    return f"date_range {date_range!r} is not as long as the {frequency} schedule's period: {'; '.join(facts)}"
