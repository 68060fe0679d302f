"""Three readers of a time text agree: SQL's test, the cast by columns, and the parser of one text."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.logstore.sqlite.intervals import (
    has_other_form,
    is_plain,
    migrated_inside,
    migrated_ranges,
    space_range,
    widened_range,
)
from bifrost_export.logstore.sqlite.times import cast_times, pad_milliseconds, parse_time
from bifrost_export.window import Window, from_micros, micros
from tests.support.odd_times import edges, offset_form, space_form, t_form, times

WINDOW = Window.parse("2026-02-27T22:30:00.25Z", "2026-03-02T01:00:00.5Z")
SPAN = Window.parse("2026-02-20", "2026-03-10")
INSTANTS = st.integers(micros(SPAN.start), micros(SPAN.end)).map(from_micros)
DIGITS = "0123456789"
TEXTS = st.one_of(
    st.builds(space_form, INSTANTS, st.integers(0, 999)),
    st.builds(t_form, INSTANTS),
    st.builds(offset_form, INSTANTS, st.integers(-14 * 60, 14 * 60)),
    st.builds(
        "{:04d}-{:02d}-{:02d}{}{:02d}:{:02d}:{:02d}{}{}".format,
        st.integers(0, 9999),
        st.integers(0, 13),
        st.integers(0, 32),
        st.sampled_from(" T"),
        st.integers(0, 25),
        st.integers(0, 61),
        st.integers(0, 61),
        st.one_of(st.just(""), st.text(DIGITS, max_size=11).map(lambda each: f".{each}")),
        st.sampled_from(["+00:00", "Z", "-00:00", "+05:30", " +00:00", "", "+00", "+00:00 ", "\t+00:00"]),
    ),
    st.text(max_size=30),
)
LITERALS = [own for own, _ in (*times(WINDOW), *edges(WINDOW)) if isinstance(own, str)]


@pytest.fixture(scope="module")
def database() -> sqlite3.Connection:
    """A table with one column, declared as Bifrost's times are."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE logs (timestamp datetime)")
    return connection


def ask(database: sqlite3.Connection, text: str, condition: str, source: str = "logs") -> bool:
    """Whether a condition holds for one text in the table."""
    database.execute("DELETE FROM logs")
    database.execute("INSERT INTO logs VALUES (?)", (text,))
    return bool(database.execute(f"SELECT count(*) FROM {source} WHERE {condition}").fetchone()[0])


@given(text=TEXTS)
def test_sql_takes_exactly_the_texts_of_the_two_forms_that_the_parser_reads(
    database: sqlite3.Connection, text: str
) -> None:
    """Totals are counted by SQL, rows are read by the parser: a difference would upset the books."""
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    seen = text.partition("\0")[0]
    usual = seen[10:11] + seen[-6:] == " +00:00" or seen[10:11] + seen[-1:] == "TZ"
    plain = parse_time(text) is not None and usual
    assert ask(database, text, is_plain("timestamp")) == plain
    # A test that is neither true nor false would lose a row from both sides.
    assert ask(database, text, f"NOT {is_plain('timestamp')}") != plain


@pytest.mark.parametrize("text", LITERALS)
def test_a_text_is_found_by_exactly_one_of_the_three_searches(database: sqlite3.Connection, text: str) -> None:
    """Bifrost's own form, the migrated one, or one by one; none when it lies outside the window."""
    instant = parse_time(text)
    inside = instant is not None and micros(WINDOW.start) <= instant < micros(WINDOW.end)
    assert _searches(database, text) == int(inside)


@given(text=TEXTS)
def test_no_instant_of_the_window_is_lost_or_found_twice(database: sqlite3.Connection, text: str) -> None:
    """Whatever its form and offset."""
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    instant = parse_time(text)
    inside = instant is not None and micros(WINDOW.start) <= instant < micros(WINDOW.end)
    assert _searches(database, text) == int(inside)


def _searches(database: sqlite3.Connection, text: str) -> int:
    ranges = " OR ".join(f"(timestamp >= '{low}' AND timestamp < '{high}')" for low, high in migrated_ranges(WINDOW))
    plain = is_plain("timestamp")
    own = ask(database, text, f"{space_range('timestamp', WINDOW)} AND {plain}")
    assert ask(database, text, space_range("timestamp", WINDOW, checked=True)) == own
    migrated = ask(database, text, f"({ranges}) AND {migrated_inside('timestamp', WINDOW)} AND {plain}")
    other = ask(database, text, f"{widened_range('timestamp', WINDOW)} AND {has_other_form('timestamp')}")
    instant = parse_time(text)
    judged = other and instant is not None and micros(WINDOW.start) <= instant < micros(WINDOW.end)
    return own + migrated + judged


@given(instant=INSTANTS, nanoseconds=st.integers(0, 999), odd=st.booleans())
def test_columns_are_cast_as_single_texts_are_parsed(instant: dt.datetime, nanoseconds: int, odd: bool) -> None:
    """Cut to microseconds, also in a batch where one text is no time."""
    texts = [space_form(instant, nanoseconds), *(["yesterday"] if odd else [])]
    expected = [micros(instant), *([None] if odd else [])]
    assert cast_times(pa.array(texts)).to_pylist() == expected == [parse_time(text) for text in texts]


@given(instant=INSTANTS)
def test_the_milliseconds_of_the_migrated_form_are_not_padded(instant: dt.datetime) -> None:
    """`.7Z` is 7 ms, by columns and one by one."""
    cut = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    text = t_form(cut)
    assert cast_times(pad_milliseconds(pa.array([text]))).to_pylist() == [micros(cut)] == [parse_time(text)]
