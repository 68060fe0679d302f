"""CSV: RFC 4180's quoting and no more, nulls told from empty texts."""

from __future__ import annotations

import csv
import io
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tests.unit.formats.rows import WIDE, described, odd_table, told, wide_rows, written

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
