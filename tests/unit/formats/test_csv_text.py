"""CSV: RFC 4180's quoting and no more, nulls told from empty texts."""

from __future__ import annotations

import csv
import io
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_export.formats.columns_as_text import is_text
from bifrost_export.formats.csv_text import CSVFormat
from tests.unit.formats.rows import TEXT, WIDE, described, odd_table, told, wide_rows, written

DESCRIBED = b"""\
timestamp,request_id,customer_id,provider,model,endpoint,method,status_code,latency_ms,input_tokens,output_tokens,cost_usd
2024-01-15T10:30:00Z,req_123456789,cust_abc123,openai,gpt-4,/v1/chat/completions,POST,200,1250,100,150,0.0045
"""


def text(table: pa.Table) -> str:
    """The file of a table's rows."""
    return written(table.to_batches(), table.schema, "csv").decode()


def test_the_described_lines_are_written_as_described() -> None:
    """Byte for byte."""
    table = described()

    assert written(table.to_batches(), table.schema, "csv") == DESCRIBED


@settings(max_examples=60)
@given(rows=wide_rows())
def test_the_standard_library_reads_what_was_written(rows: list[dict[str, Any]]) -> None:
    """Every text, whatever stands in it; a null and an empty text look the same to this reader."""
    whole = pa.concat_tables([pa.Table.from_pylist(rows, WIDE), odd_table()])

    header, *found = csv.reader(io.StringIO(text(whole), newline=""), strict=True)

    assert header == WIDE.names
    texts = [number for number, field in enumerate(WIDE) if field.type not in (pa.float64(), pa.bool_())]
    expected = [["" if value is None else str(value) for value in row.values()] for row in told(whole)]
    assert [[row[each] for each in texts] for row in found] == [[row[each] for each in texts] for row in expected]
    costs = [None if row["cost_usd"] is None else row["cost_usd"].hex() for row in whole.to_pylist()]
    assert [float(row[6]).hex() if row[6] else None for row in found] == costs


def test_pandas_reads_what_was_written() -> None:
    """Odd texts included."""
    found = pd.read_csv(io.StringIO(text(odd_table()), newline=""), dtype=str, keep_default_na=False)

    assert found["request_id"].tolist() == odd_table()["request_id"].to_pylist()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", '""'),
        (None, ""),
        ("plain Ä 😀 'x' ; \t \\ |", "plain Ä 😀 'x' ; \t \\ |"),
        (" a ", " a "),  # spaces belong to a field, RFC 4180 says
        ("a,b", '"a,b"'),
        ('a"b', '"a""b"'),
        ('"', '""""'),
        ('""', '""""""'),
        ("a\nb", '"a\nb"'),
        ("a\rb", '"a\rb"'),
        ("\r\n", '"\r\n"'),
        ("\x00", "\x00"),
        ("=cmd()", "=cmd()"),
        ("null", "null"),
    ],
)
def test_a_field_is_quoted_where_it_must_be_and_nowhere_else(value: str | None, expected: str) -> None:
    """Beside plain fields and beside a null, in a slice too."""
    column = pa.array(["before", value, "after", None], pa.string())
    number = pa.array([7] * 4)

    for part, before in ((column.slice(1, 1), ""), (column.slice(0, 3), "before,7\n"), (column, "before,7\n")):
        body = text(pa.table({"text": part, "number": number.slice(0, len(part))}))
        assert body.startswith(f"text,number\n{before}{expected},7\n")


def test_the_header_is_quoted_where_it_must_be() -> None:
    """A transformation may add a field of any name."""
    assert text(pa.table({"a": [1], "b,c": [2], 'd"e': [3]})) == 'a,"b,c","d""e"\n1,2,3\n'


def test_instants_dates_and_truth_values_stand_without_quotes() -> None:
    """They never need them."""
    last = text(odd_table().slice(3, 1)).splitlines()[1]

    assert last.startswith("2024-01-15T10:30:00.030021Z,a ,,")
    assert last.endswith(",200,0,0.30000000000000004,true,0001-01-01,")


def safe_text(table: pa.Table) -> str:
    """The file of a table's rows, guarded."""
    sink = io.BytesIO()
    CSVFormat(is_safe=True).write(table.to_batches(), table.schema, sink, "none")
    return sink.getvalue().decode()


@pytest.mark.parametrize(
    "value",
    [
        *("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\tx", "\rx", "-"),
        *("\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"),
        *(
            " =1",
            "  +1",
            '"=1',
            "'=1",
            "''=1",
            "\xa0=1",
            "\u200b=1",
            "\ufeff=1",
            "\u3000-1",
            "\x00=1",
            "\x0b@x",
            "` =1",
        ),
        '=HYPERLINK("http://example.com?a="&A1,"x")',
        "=cmd|' /C calc'!A0",
    ],
)
def test_a_text_that_begins_like_a_formula_is_guarded(value: str) -> None:
    """By an apostrophe before it; without csv_safe it is written as it is."""
    table = pa.table({"text": ["before", value, None, ""]})
    guarded = list(csv.reader(io.StringIO(safe_text(table), newline="")))
    assert guarded == [["text"], ["before"], ["'" + value], [], [""]]
    assert list(csv.reader(io.StringIO(text(table), newline="")))[2] == [value]


@pytest.mark.parametrize("value", ["a=1", "1-1", "", "'", "''", '"a"', "x@y.z", " a", "{}", "(=1)", "Ä-", "2026-03-01"])
def test_any_other_text_stays(value: str) -> None:
    """Also one that holds such a sign further on."""
    assert safe_text(pa.table({"text": [value]})) == text(pa.table({"text": [value]}))


def test_numbers_times_dates_and_truth_values_are_never_guarded() -> None:
    """A negative cost stays a number."""
    table = odd_table().select([field.name for field in odd_table().schema if not is_text(field.type)])
    negative = pa.table(
        {"a": [-1], "b": [-1.5], "c": pa.array([None], pa.float64()), "d": pa.array([-(2**62)], pa.int64())}
    )
    assert safe_text(table) == text(table)
    assert safe_text(negative) == "a,b,c,d\n-1,-1.5,,-4611686018427387904\n"


def test_the_header_is_guarded_too() -> None:
    """A transformation may add a field of any name."""
    assert safe_text(pa.table({"=a": [1], "b": [2]})) == "'=a,b\n1,2\n"


@settings(max_examples=200)
@given(st.lists(TEXT | st.text(" '\"=+-@\t\r\na", max_size=5), min_size=1))
def test_what_was_guarded_can_be_told_from_what_was_not(values: list[str]) -> None:
    """No two texts become one: the apostrophe goes where what follows it begins like a formula."""
    table = pa.table({"text": pa.array(values, pa.string()), "number": [7] * len(values)})
    _, *rows = csv.reader(io.StringIO(safe_text(table), newline=""))
    lone = [
        list(csv.reader(io.StringIO(safe_text(pa.table({"text": [row[0][1:]], "n": [1]})), newline="")))[1][0]
        for row in rows
    ]
    back = [
        row[0][1:] if row[0][:1] == "'" and again == row[0] else row[0] for row, again in zip(rows, lone, strict=True)
    ]
    assert back == values
    assert not any(row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for row in rows)
