"""Times as SQLite log stores hold them: text, in two forms, and some that are odd.

`2026-03-01 12:00:00.123456789+00:00` is what Bifrost writes (0 to 9 digits); `2026-03-01T12:00:00.7Z` is what an old
migration left, where the digits are milliseconds that are not padded; other offsets can stand in very old rows.
"""

from __future__ import annotations

import datetime as dt
import re

import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.window import UTC, micros

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_FIRST, _END = micros(dt.datetime(1, 1, 1, tzinfo=UTC)), micros(dt.datetime(9999, 12, 31, tzinfo=UTC)) + 86_400_000_000
_NANOSECONDS = pa.timestamp("ns", tz="UTC")
_MICROSECONDS = pa.timestamp("us", tz="UTC")


def parse_time(text: object) -> int | None:
    """Microseconds since 1970 UTC of one time, cut, never rounded; None for what is no time."""
    # SQLite's own functions read a text up to its first NUL, and its totals must agree with what is read here.
    match = _TIME.fullmatch(text.partition("\0")[0]) if isinstance(text, str) else None
    if match is None:
        return None
    day, separator, clock, fraction, zone = match.groups(default="")
    if separator == "T" and zone == "Z" and len(fraction) < 3:
        fraction = fraction.rjust(3, "0")
    try:
        whole = dt.datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone == 'Z' else zone}")
        return micros(whole) + int(fraction.ljust(6, "0")[:6])
    except (ValueError, OverflowError):
        return None


def parse_times(texts: pa.Array) -> pa.Array:
    """Microseconds since 1970 UTC of times in any form; null for what is none of the years 1 to 9999."""
    moments = [parse_time(text) for text in readable(texts)]
    return pa.array([None if each is None or not _FIRST <= each < _END else each for each in moments], pa.int64())


def parse_moment(text: str) -> int | None:
    """Microseconds since 1970 UTC of a second's or a minute's begin, by a time's first characters; or None."""
    try:
        return micros(dt.datetime.fromisoformat(text).replace(tzinfo=UTC))
    except ValueError:
        return None


def cast_times(texts: pa.Array) -> pa.Array:
    """Microseconds since 1970 UTC of times in one of the two forms, by columns; null for what is no time."""
    try:
        return texts.cast(_NANOSECONDS).cast(_MICROSECONDS, safe=False).cast(pa.int64())
    except pa.ArrowInvalid:  # something odd, or a year that nanoseconds don't reach
        return pa.array([parse_time(text) for text in readable(texts)], pa.int64())


def pad_milliseconds(texts: pa.Array) -> pa.Array:
    """The migrated form with its milliseconds padded to three digits: `.7Z` is 7 ms."""
    one = pc.replace_substring_regex(texts, r"T(\d\d:\d\d:\d\d)\.(\d)Z$", r"T\1.00\2Z")
    return pc.replace_substring_regex(one, r"T(\d\d:\d\d:\d\d)\.(\d\d)Z$", r"T\1.0\2Z")


def readable(texts: pa.Array) -> list[str | None]:
    """Texts for Python, with what is no UTF-8 replaced."""
    values = texts.view(pa.binary()).to_pylist()
    return [None if value is None else value.decode(errors="replace") for value in values]
