"""How single values are spelled in JSON and CSV."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.errors import FormatError
from bifrost_export.formats.columns_as_text import as_text
from tests.unit.formats.rows import INSTANT

INSTANTS = pa.timestamp("us", tz="UTC")


def spelled(value: Any, kind: pa.DataType) -> str | None:
    """A value as text, in a column that holds others, too."""
    column = pa.array([None, value, value], kind).slice(1)
    first, second = as_text("column", column).to_pylist()
    assert first == second
    return first


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-15T10:30:00Z",
        "2024-01-15T10:00:00Z",
        "2024-01-15T10:30:00.5Z",
        "2024-01-15T10:30:00.1203Z",
        "2024-01-15T10:30:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ],
)
def test_an_instant_is_rfc_3339_with_no_more_fraction_than_it_has(text: str) -> None:
    """In UTC; a null stays one."""
    column = pa.array([None, dt.datetime.fromisoformat(text)], INSTANTS)

    assert as_text("column", column).to_pylist() == [None, text]


@given(INSTANT)
def test_every_instant_reads_back(moment: dt.datetime) -> None:
    """By the standard library."""
    text = spelled(moment, INSTANTS)

    assert text is not None
    assert dt.datetime.fromisoformat(text) == moment
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z", text)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.timestamp("s", tz="Europe/Berlin"), "2024-01-15T10:30:00Z"),
        (pa.timestamp("ms", tz="UTC"), "2024-01-15T10:30:00Z"),
        (pa.timestamp("ns", tz="+05:30"), "2024-01-15T10:30:00.00000001Z"),
    ],
)
def test_an_instant_of_another_unit_or_zone_is_the_same_instant(kind: pa.DataType, expected: str) -> None:
    """A transformation may bring them."""
    nanoseconds = pa.array([1_705_314_600_000_000_010]).cast(pa.timestamp("ns", tz="UTC"))

    assert as_text("column", nanoseconds.cast(kind, safe=False)).to_pylist() == [expected]


@pytest.mark.parametrize("micros", [-62_135_596_800_000_001, 253_402_300_800_000_000])
def test_a_year_without_four_digits_is_refused(micros: int) -> None:
    """RFC 3339 has no spelling for it."""
    with pytest.raises(FormatError, match="'seen' holds an instant outside of the years 1 to 9999"):
        as_text("seen", pa.array([micros], pa.int64()).cast(INSTANTS))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0045, "0.0045"),
        (1250.0, "1250.0"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-5, "0.00001"),
        (1e-7, "1e-7"),
        (1e22, "1e+22"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (None, None),
    ],
)
def test_a_double_is_its_shortest_text(value: float | None, expected: str | None) -> None:
    """A whole one keeps its point, so that readers that guess types see a double."""
    assert spelled(value, pa.float64()) == expected


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18), 10**18).map(float))
def test_every_double_reads_back_exactly(value: float) -> None:
    """To the last bit and the zero's sign, as JSON that stays a double, in no more digits than Python needs."""
    text = spelled(value, pa.float64())

    assert text is not None
    read = json.loads(text)
    assert isinstance(read, float)
    assert read.hex() == value.hex()
    assert len(digits(text)) <= len(digits(repr(value)))


def digits(text: str) -> str:
    """A number's digits from the first to the last that is not 0, without its exponent."""
    return re.sub(r"\D", "", text.partition("e")[0]).strip("0")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_what_json_has_no_number_for_is_refused(value: float, kind: pa.DataType) -> None:
    """Such rows are rejected long before; a transformation of the user's own may still bring them."""
    with pytest.raises(FormatError, match="'cost_usd' holds a NaN or an infinity"):
        as_text("cost_usd", pa.array([1.0, None, value], kind))


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (-(2**31), pa.int32(), "-2147483648"),
        (2**63 - 1, pa.int64(), "9223372036854775807"),
        (2**64 - 1, pa.uint64(), "18446744073709551615"),
        (True, pa.bool_(), "true"),
        (False, pa.bool_(), "false"),
        (dt.date(2026, 3, 8), pa.date32(), "2026-03-08"),
        (0.1, pa.float32(), "0.1"),
        ("", pa.string(), ""),
        ("😀", pa.large_string(), "😀"),
        (None, pa.int64(), None),
        (None, pa.string(), None),
    ],
)
def test_the_other_types(value: Any, kind: pa.DataType, expected: str | None) -> None:
    """Plainly."""
    assert spelled(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [(b"a", pa.binary()), (["a"], pa.list_(pa.string())), (0, pa.timestamp("us")), (0, pa.time32("s"))],
)
def test_a_type_that_has_no_spelling_is_refused(value: Any, kind: pa.DataType) -> None:
    """The message names the column, its type and what to do."""
    with pytest.raises(FormatError, match=re.escape(f"'odd' is of Arrow's type {kind}")) as raised:
        as_text("odd", pa.array([value], kind))
    assert "write Parquet" in str(raised.value)
