"""JSON lines: valid JSON for any text, keys in column order."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings

from tests.unit.formats.rows import WIDE, described, odd_table, plausible, told, wide_rows, written

DESCRIBED = """\
{
  "timestamp": "2024-01-15T10:30:00Z",
  "request_id": "req_123456789",
  "customer_id": "cust_abc123",
  "provider": "openai",
  "model": "gpt-4",
  "endpoint": "/v1/chat/completions",
  "method": "POST",
  "status_code": 200,
  "latency_ms": 1250,
  "input_tokens": 100,
  "output_tokens": 150,
  "cost_usd": 0.0045
}
"""
LINE = (
    '{"timestamp":"2024-01-15T10:30:00Z","request_id":"req_123456789","customer_id":"cust_abc123",'
    '"provider":"openai","model":"gpt-4","endpoint":"/v1/chat/completions","method":"POST","status_code":200,'
    '"latency_ms":1250,"input_tokens":100,"output_tokens":150,"cost_usd":0.0045}\n'
)


def lines(table: pa.Table) -> str:
    """The file of a table's rows."""
    return written(table.to_batches(), table.schema, "json").decode()


def test_the_described_record_is_written_as_described() -> None:
    """On one line; spread over lines it is the description's block, byte for byte."""
    body = lines(described())

    assert body == LINE
    assert json.dumps(json.loads(body), indent=2) + "\n" == DESCRIBED


@settings(max_examples=60)
@given(rows=wide_rows())
def test_the_standard_library_reads_what_was_written(rows: list[dict[str, Any]]) -> None:
    """One object a line, keys in column order, every value and null."""
    whole = pa.concat_tables([pa.Table.from_pylist(rows, WIDE), odd_table()])

    *found, rest = lines(whole).split("\n")

    assert rest == ""
    assert [json.loads(line) for line in found] == told(whole)
    assert all(list(json.loads(line)) == WIDE.names for line in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '""'),
        ("plain Ä 😀 \u2028", '"plain Ä 😀 \u2028"'),
        ('a"b', r'"a\"b"'),
        ("a\\b", r'"a\\b"'),
        ('\\"', r'"\\\""'),
        ("\\n\n", r'"\\n\n"'),
        ("\r\t\b\f", r'"\r\t\b\f"'),
        ("\x00\x01\x1f", r'"\u0000\u0001\u001f"'),
        ("\x7f/<>&'", '"\x7f/<>&\'"'),
        (None, "null"),
    ],
)
def test_text_is_escaped_where_json_wants_it_and_nowhere_else(text: str | None, expected: str) -> None:
    """Beside plain text and beside a null, in a slice too."""
    column = pa.array(["before", text, "after", None], pa.string())

    assert lines(pa.table({"text": column.slice(1, 1)})) == f'{{"text":{expected}}}\n'
    assert lines(pa.table({"text": column.slice(0, 3)})).split("\n")[1] == f'{{"text":{expected}}}'
    assert lines(pa.table({"text": column})).split("\n")[1] == f'{{"text":{expected}}}'


def test_only_what_is_null_is_written_as_null() -> None:
    """Never an empty text, never a 0."""
    table = pa.table({"text": ["", None, "null"], "number": pa.array([0, None, 1], pa.int32())})

    assert lines(table) == '{"text":"","number":0}\n{"text":null,"number":null}\n{"text":"null","number":1}\n'


def test_names_are_escaped_too() -> None:
    """A transformation may add a field of any name."""
    assert lines(pa.table({'a "b"\n': [1], "Ä": [2]})) == '{"a \\"b\\"\\n":1,"Ä":2}\n'


def test_long_files_have_one_line_a_row() -> None:
    """Over many pieces."""
    whole = pa.concat_tables([plausible(5_000)] * 8)

    found = lines(whole).splitlines()

    assert len(found) == 40_000
    assert found[39_999] == found[4_999]
    assert [json.loads(line)["latency_ms"] for line in found[5_000:10_000]] == list(range(5_000))
