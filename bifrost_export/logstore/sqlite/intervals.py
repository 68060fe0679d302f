"""An interval of time as conditions on SQLite's time texts, in the forms that an index can serve.

A bare text that looks like a number would be compared as one (the columns are declared `datetime`), so that every
bound here has a time of day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from bifrost_export.window import Window

_DAY = dt.timedelta(days=1)
_MANY_DAYS = 400


def space_text(instant: dt.datetime) -> str:
    """A bound that sorts among Bifrost's texts as the instant does among theirs, to the microsecond."""
    fraction = f".{instant.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{instant.replace(tzinfo=None, microsecond=0).isoformat(' ')}{fraction}"


def space_range(column: str, window: Window, checked: bool = False) -> str:
    """Texts of the form that Bifrost writes, inside a window; the range serves an index.

    Args:
        column: The column.
        window: The window.
        checked: Only those that are times, date and all.
    """
    form = f"substr({column}, 11, 1) = ' ' AND substr({column}, -6) = '+00:00'"
    if checked:
        form = f"typeof({column}) = 'text' AND ({_is_usual(column)} OR ({form} AND {is_plain(column)}))"
    return f"{column} >= '{space_text(window.start)}' AND {column} < '{space_text(window.end)}' AND {form}"


def migrated_ranges(window: Window) -> list[tuple[str, str]]:
    """Ranges of text that hold the migrated form of a window's days, and nothing of Bifrost's own."""
    first, last = window.start.date(), (window.end - dt.timedelta(microseconds=1)).date()
    if (last - first).days > _MANY_DAYS:
        return [(f"{first}T", f"{last}U")]
    return [(f"{day}T", f"{day}U") for day in _days(first, last)]


def _days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield dt.date.fromordinal(ordinal)


def migrated_inside(column: str, window: Window) -> str:
    """Whether a text of the migrated form lies inside a window, exactly."""
    return (
        f"substr({column}, 11, 1) = 'T' AND substr({column}, -1) = 'Z'"
        f" AND {_not_before(column, window.start)} AND NOT {_not_before(column, window.end)}"
    )


def _not_before(column: str, bound: dt.datetime) -> str:
    second = bound.replace(tzinfo=None, microsecond=0).isoformat()
    head, digits = f"substr({column}, 1, 19)", f"substr({column}, 21, length({column}) - 21)"
    fraction = (
        f"CASE WHEN length({column}) <= 21 THEN 0"
        f" WHEN length({column}) <= 23 THEN CAST({digits} AS INTEGER) * 1000"
        f" ELSE CAST(substr({digits} || '00000', 1, 6) AS INTEGER) END"
    )
    return f"({head} > '{second}' OR ({head} = '{second}' AND {fraction} >= {bound.microsecond}))"


def widened_range(column: str, window: Window) -> str:
    """Texts of any form and offset that can mean an instant inside a window."""
    earliest = max(window.start.date(), dt.date.min + _DAY) - _DAY
    latest = min(window.end.date(), dt.date.max - 2 * _DAY) + 2 * _DAY
    return f"{column} >= '{earliest} 00' AND {column} < '{latest} 00'"


def is_plain(column: str) -> str:
    """Whether a text is a time of one of the two forms, date and all; the same test as `times.cast_times` makes.

    SQLite's own parser is only asked about the date: it takes more forms than these, and rounds fractions.
    """
    whole = (
        f"date(substr({column}, 1, 10), '+0 days') IS substr({column}, 1, 10)"
        f" AND substr({column}, 1, 4) <> '0000' AND substr({column}, 12, 2) < '24'"
        f" AND substr({column}, 12, 8) GLOB '[0-2][0-9]:[0-5][0-9]:[0-5][0-9]'"
        f" AND ({_tail(column, ' ', '+00:00')} OR {_tail(column, 'T', 'Z')})"
    )
    return f"(typeof({column}) = 'text' AND ({_is_usual(column)} OR ({whole})))"


def _is_usual(column: str) -> str:
    """What nearly every text is, by a test of half the time: SQLite reads it as the very time that it shows.

    Its parser answers in the form that Bifrost writes, so that date and clock are right where both agree; what it
    takes behind the seconds is told by the end and the length.
    """
    return (
        f"(datetime({column}, '+0 days') IS substr({column}, 1, 19) AND substr({column}, -7) GLOB '[0-9]+00:00'"
        f" AND length({column}) BETWEEN 25 AND 35 AND {column} >= '0001')"
    )


def _tail(column: str, separator: str, zone: str) -> str:
    """What stands around the time of day: at most nine digits after the seconds, and the zone."""
    rest = 20 + len(zone)
    return (
        f"(substr({column}, 11, 1) = '{separator}' AND (substr({column}, 20) = '{zone}'"
        f" OR (substr({column}, 20, 1) = '.' AND substr({column}, -{len(zone)}) = '{zone}'"
        f" AND length({column}) BETWEEN {rest + 1} AND {rest + 9}"
        f" AND substr({column}, 21, length({column}) - {rest}) NOT GLOB '*[^0-9]*')))"
    )


def has_other_form(column: str) -> str:
    """Whether a text has neither the form that Bifrost writes nor the migrated one: it's cheap, an index serves it."""
    return (
        f"(substr({column}, -6) <> '+00:00' OR substr({column}, 11, 1) <> ' ')"
        f" AND NOT (substr({column}, -1) = 'Z' AND substr({column}, 11, 1) = 'T')"
    )
