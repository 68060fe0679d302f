"""Times as they stand in old and new SQLite log stores, and times that nobody can read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bifrost_export.window import UTC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bifrost_export.window import Window

Pair = tuple[str | int | float | bytes, str]
"""`timestamp` and `created_at` of one row."""

_SECOND = dt.timedelta(seconds=1)
_UNREADABLE: tuple[str | int | float | bytes, ...] = (
    *("yesterday", "", "2026-02-30 12:00:00+00:00", "2026-13-01 12:00:00+00:00", "2026-03-01 25:00:00+00:00"),
    *("2026-03-01 12:61:00+00:00", "2026-03-01 12:00:60+00:00", "2026-03-01", "0000-00-00 00:00:00+00:00"),
    *("2026-03-01 12:00:00.+00:00", "2026-03-01 12:00:00+99:00", "٢٠٢٦-03-01 12:00:00+00:00", b"\x00\x01", 1772366400),
)


def _text(instant: dt.datetime, separator: str, fraction: str, zone: str) -> str:
    whole = instant.strftime(f"%Y-%m-%d{separator}%H:%M:%S")
    return f"{whole}.{fraction}{zone}" if fraction else f"{whole}{zone}"


def space_form(instant: dt.datetime, nanoseconds: int = 0) -> str:
    """An instant as Bifrost writes it today: nine digits without trailing zeros.

    Args:
        instant: Aware, in UTC.
        nanoseconds: 0 to 999, added to the instant's microseconds.
    """
    return _text(instant, " ", f"{instant.microsecond:06d}{nanoseconds:03d}".rstrip("0"), "+00:00")


def t_form(instant: dt.datetime) -> str:
    """An instant as an old migration wrote it: milliseconds that are not padded with zeros."""
    return _text(instant, "T", str(instant.microsecond // 1000), "Z")


def offset_form(instant: dt.datetime, minutes: int) -> str:
    """An instant in the local time of an offset of so many minutes."""
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    fraction = f"{instant.microsecond:06d}".rstrip("0")
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    return _text(instant.astimezone(zone), " ", fraction, f"{sign}{hours:02d}:{rest:02d}")


def times(window: Window) -> Iterator[Pair]:
    """Every form of time, in the middle of a window; unreadable ones with a `created_at` that is, and without."""
    middle = (window.start + (window.end - window.start) / 2).replace(microsecond=0)
    for fraction in ("", "1", "12", "123", "1234567", "123456789", "000000001", "9999999", "999999999", "000001"):
        yield _twice(_text(middle, " ", fraction, "+00:00"))
    for fraction in ("", "0", "7", "70", "700", "007", "999"):
        yield _twice(_text(middle, "T", fraction, "Z"))
    for minutes in (330, -420, 845, -720):
        yield _twice(offset_form(middle.replace(microsecond=5000), minutes))
    for unreadable in _UNREADABLE:
        yield (unreadable, space_form(middle))
    for created_at in (window.start, window.end, window.end - dt.timedelta(microseconds=1)):
        yield ("yesterday", space_form(created_at))
    yield ("yesterday", t_form(middle))
    yield ("yesterday", "last week")
    yield (space_form(middle), "last week")


def edges(window: Window) -> Iterator[Pair]:
    """Rows exactly on a window's ends, and a second, a microsecond and a nanosecond before them, in every form."""
    for edge in (window.start, window.end):
        before = edge - dt.timedelta(microseconds=1)
        for instant in (edge, before, edge - _SECOND, edge + _SECOND):
            yield _twice(space_form(instant))
            yield _twice(offset_form(instant, 330))
            yield _twice(offset_form(instant, -420))
        yield _twice(space_form(before, nanoseconds=999))
        yield _twice(space_form(edge, nanoseconds=1))
        for instant in (edge, edge - dt.timedelta(milliseconds=1), edge - _SECOND, edge + _SECOND):
            yield _twice(t_form(instant))
    elsewhere = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    yield (space_form(window.start), space_form(elsewhere))
    yield (space_form(elsewhere), space_form(window.start))


def _twice(text: str) -> Pair:
    return (text, text)
