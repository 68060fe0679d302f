"""Odd fields of log rows: blanked or repaired by column, in both log stores, and the row's cost is never lost."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.columns import arrow_schema
from bifrost_export.config.models.export import Data
from bifrost_export.datasets import schema_of
from bifrost_export.hidden_columns import MEASURED, ODDITIES, ODDITIES_COLUMN, TWINS
from bifrost_export.logstore.oddities import Oddity
from bifrost_export.logstore.port import LogStore
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.logstore.repair import repaired
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample.sqlite_tables import RawText, add_rows, create
from bifrost_export.thresholds import SUMMED_TOKENS
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests import independent
from tests.servers.postgres import config_of
from tests.support.odd_rows import BASE
from tests.support.odd_times import space_form
from tests.unit.logstore.log_rows import DAY

WINDOW = Window.parse("2026-03-01", "2026-03-02")
NOON = space_form(DAY.replace(hour=12))
ROW = {**BASE, "timestamp": NOON, "created_at": NOON, "cost": 17.5}
BAD = b"caf\xe9 \xe2\x82"
MENDED = "caf\ufffd \ufffd\ufffd"
EXTRA = ("metadata", "user_agent", "fallback_index", "complexity_score", "stream", "created_at", "error_details")


def schema(**data: Any) -> pa.Schema:
    """What is asked for: the record, extra fields, contents, and what travels beside them."""
    extra = tuple(name for name in EXTRA if name != "error_details")
    wanted = schema_of("request_logs", Data(extra_fields=extra, **data))
    errors = schema_of("error_logs")
    names = ("error_type", "error_code", "error_message")
    hidden = arrow_schema((*TWINS.values(), ODDITIES_COLUMN))
    return pa.schema([*wanted, *(errors.field(name) for name in names), *hidden])


def read(store: LogStore, **data: Any) -> list[dict[str, Any]]:
    """The rows of the day, with their oddities."""
    reading = store.read(WINDOW, schema(**data))
    rows = [row for batch in reading.batches for row in batch.to_pylist()]
    assert reading.rejected == []
    assert reading.totals.cost_usd == math.fsum(row["cost_usd"] or 0.0 for row in rows)
    for row in rows:
        row[ODDITIES] = Oddity.of(row[ODDITIES]) if row[ODDITIES] else Oddity()
    return rows


def of_sqlite(path: Path, *changes: dict[str, Any], **data: Any) -> list[dict[str, Any]]:
    """The rows that changes of one row become."""
    create(path)
    add_rows(path, [{**ROW, "id": f"{number:02}", **change} for number, change in enumerate(changes)])
    with closing(SQLiteLogStore(SQLiteConfig(path=str(path)))) as store:
        return read(store, **data)


def blanked(row: dict[str, Any]) -> list[str]:
    """The columns that are blanked in a row."""
    return [each.column for each in row[ODDITIES].blanked]


@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode).flatmap(lambda text: st.just(text + b"\xf0\x9f")))
def test_each_bad_byte_becomes_one_mark(value: bytes) -> None:
    """Cut sequences, overlong ones, halves of surrogates: as many marks as bytes; all else stays."""
    assert repaired(value) == independent.repaired(value)


@pytest.mark.parametrize(
    ("value", "marks"),
    [
        (b"\xff", 1),
        (b"\xe2\x82", 2),
        (b"\xf0\x9f\x98", 3),
        (b"\xc0\x80", 2),
        (b"\xed\xa0\x80", 3),
        (b"\xf5\x80\x80\x80", 4),
        (b"\x80", 1),
    ],
)
def test_marks_are_counted_by_bytes(value: bytes, marks: int) -> None:
    """And what stands around them is left alone, a NUL too."""
    assert repaired(b"a\0" + value + b"z") == "a\0" + "\ufffd" * marks + "z"


TEXTS = {
    "id": "request_id",
    "provider": "provider",
    "model": "model",
    "customer_id": "customer_id",
    "metadata": "metadata",
    "user_agent": "user_agent",
}


@pytest.mark.parametrize("source", TEXTS)
@pytest.mark.parametrize("raw", [RawText(BAD), BAD], ids=["text", "blob"])
def test_a_text_with_bad_bytes_is_repaired(tmp_path: Path, source: str, raw: object) -> None:
    """The row stays, with its cost; a BLOB is read as a text is."""
    [row] = of_sqlite(tmp_path / "logs.db", {source: raw})
    assert row[TEXTS[source]] == MENDED
    assert row[ODDITIES].repaired == (TEXTS[source],)
    assert (row["cost_usd"], row["status_code"]) == (17.5, 200)


def test_a_bad_byte_inside_of_json_counts_in_the_column_that_it_reaches(tmp_path: Path) -> None:
    """An error's message, its code, a path, a customer; one that reaches no column counts nowhere."""
    rows = of_sqlite(
        tmp_path / "logs.db",
        {"status": "error", "error_details": RawText(b'{"status_code":429,"error":{"message":"caf\xe9","code":"x"}}')},
        {"status": "error", "error_details": RawText(b'{"status_code":429,"event_id":"\xe9"}')},
        {"object_type": "passthrough", "params": RawText(b'{"path":"/v1/\xe9","method":"PUT","status_code":201}')},
        {"customer_id": None, "customer_ids": RawText(b'["cust_\xe9","b"]')},
        {"customer_id": None, "customer_ids": RawText(b'["cust_a","\xe9"]')},
        {"object_type": RawText(b"new_\xe9")},
    )
    told = [row[ODDITIES].repaired for row in rows]
    assert told == [("error_message",), (), ("endpoint",), ("customer_id",), (), ("endpoint",)]
    assert [row["status_code"] for row in rows] == [429, 429, 201, 200, 200, 200]
    assert rows[0]["error_message"] == "caf\ufffd"
    assert (rows[2]["endpoint"], rows[2]["method"]) == ("/v1/\ufffd", "PUT")
    assert [row["customer_id"] for row in rows[3:5]] == ["cust_\ufffd", "cust_a"]
    assert rows[5]["endpoint"] == "/v1/new_\ufffd"


def test_contents_with_bad_bytes_are_repaired(tmp_path: Path) -> None:
    """As JSON where they are JSON, else in quotes."""
    [row] = of_sqlite(
        tmp_path / "logs.db",
        {"input_history": RawText(b'["\xe9"]'), "speech_output": RawText(b"\xff\xd8")},
        include_content=True,
    )
    assert row["request_content"] == '{"input_history":["\ufffd"]}'
    assert row["response_content"] == '{"speech_output":"\ufffd\ufffd"}'
    assert row[ODDITIES].repaired == ("request_content", "response_content")


NUMBERS: list[tuple[dict[str, Any], str, object]] = [
    ({"latency": "fast"}, "latency_ms", 0),
    ({"latency": math.inf}, "latency_ms", 0),
    ({"latency": 1e10}, "latency_ms", 0),
    ({"latency": b"\x01"}, "latency_ms", 0),
    ({"prompt_tokens": 3_003_000_000}, "input_tokens", None),
    ({"prompt_tokens": "many"}, "input_tokens", None),
    ({"completion_tokens": 1.5}, "output_tokens", None),
    ({"completion_tokens": -(2**31) - 1}, "output_tokens", None),
    ({"cost": "free"}, "cost_usd", None),
    ({"cost": -math.inf}, "cost_usd", None),
    ({"fallback_index": "first"}, "fallback_index", None),
    ({"complexity_score": math.inf}, "complexity_score", None),
    ({"stream": "true"}, "stream", None),
    ({"created_at": "yesterday"}, "created_at", None),
]


@pytest.mark.parametrize(("change", "column", "value"), NUMBERS, ids=[str(each[0]) for each in NUMBERS])
def test_a_field_that_cannot_be_exported_is_blanked(
    tmp_path: Path, change: dict[str, Any], column: str, value: object
) -> None:
    """It alone: the row keeps all else."""
    changed, plain = of_sqlite(tmp_path / "logs.db", change, {})
    assert blanked(changed) == [column]
    assert changed[column] == value
    assert blanked(plain) == []
    apart = {column, "request_id", ODDITIES, MEASURED.get(column)}
    assert {name: each for name, each in changed.items() if name not in apart} == {
        name: each for name, each in plain.items() if name not in apart
    }


def test_a_latency_in_an_error_stands_in_for_an_absent_one_alone(tmp_path: Path) -> None:
    """Not for one that can't be read; what was measured is null for both kinds of unknown."""
    details = {"status": "error", "error_details": '{"extra_fields":{"latency":87}}'}
    rows = of_sqlite(tmp_path / "logs.db", {**details, "latency": None}, {**details, "latency": "x"}, {"latency": None})
    assert [row["latency_ms"] for row in rows] == [87, 0, 0]
    assert [row[MEASURED["latency_ms"]] for row in rows] == [87, None, None]
    assert [blanked(row) for row in rows] == [[], ["latency_ms"], []]


def test_a_count_beyond_32_bits_is_still_counted(tmp_path: Path) -> None:
    """Up to a bound that keeps sums within 64 bits."""
    beyond = (3_003_000_000, SUMMED_TOKENS, SUMMED_TOKENS + 1, 2**63 - 1)
    rows = of_sqlite(tmp_path / "logs.db", *({"prompt_tokens": each} for each in beyond))
    assert [row["input_tokens"] for row in rows] == [None] * 4
    assert [row[MEASURED["input_tokens"]] for row in rows] == [3_003_000_000, SUMMED_TOKENS, None, None]
    assert [row[ODDITIES].input_tokens for row in rows] == [3_003_000_000, SUMMED_TOKENS, 0, 0]


def test_a_whole_number_that_is_stored_as_a_float_is_one(tmp_path: Path) -> None:
    """A column without a type of its own keeps `12.0` as it is written."""
    path = tmp_path / "logs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE logs (id, timestamp, created_at, status, prompt_tokens, fallback_index, cost)")
        for number, value in enumerate((12.0, 12.5, 1e300, 12)):
            row = (f"{number}", NOON, NOON, "success", value, value, 1)
            connection.execute("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.commit()
    with closing(SQLiteLogStore(SQLiteConfig(path=str(path)))) as store:
        rows = read(store)
    assert [row["input_tokens"] for row in rows] == [12, None, None, 12]
    assert [row["fallback_index"] for row in rows] == [12, None, None, 12]
    assert [blanked(row) for row in rows] == [[], *[["input_tokens", "fallback_index"]] * 2, []]


def test_postgres_blanks_what_no_column_holds(postgres_store: str) -> None:
    """Its numbers can be NaN, infinite and of any length."""
    changes = [{"latency": "NaN"}, {"latency": "1e400"}, {"cost": "Infinity"}, {"cost": "NaN"}]
    changes += [{"prompt_tokens": 3_003_000_000}, {"complexity_score": "NaN"}, {"created_at": "infinity"}]
    rows = [{**ROW, "id": f"{number}", **change} for number, change in enumerate(changes)]
    in_postgres.add_rows(postgres_store, rows)
    with closing(PostgresLogStore(config_of(postgres_store))) as store:
        found = read(store)
    columns = ["latency_ms", "latency_ms", "cost_usd", "cost_usd", "input_tokens", "complexity_score", "created_at"]
    assert [blanked(row) for row in found] == [[each] for each in columns]
    assert found[4][MEASURED["input_tokens"]] == 3_003_000_000


def test_a_database_of_no_encoding_is_read_as_it_stands(postgres: PostgresServer) -> None:
    """The server vouches for nothing there; bad bytes are repaired as SQLite's are."""
    postgres.psql("CREATE DATABASE any_bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    url = postgres.url("any_bytes")
    try:
        in_postgres.create(url)
        in_postgres.add_rows(url, [{**ROW, "id": "a", "provider": "\u00fc"}, {**ROW, "id": "b"}])
        postgres.psql("UPDATE logs SET model = E'caf\\xe9', user_agent = E'\\xe2\\x82' WHERE id = 'b'", "any_bytes")
        with closing(PostgresLogStore(config_of(url))) as store:
            whole, bad = read(store)
    finally:
        postgres.drop_database("any_bytes")
    assert (whole["provider"], whole[ODDITIES].repaired) == ("\u00fc", ())
    assert (bad["model"], bad["user_agent"]) == ("caf\ufffd", "\ufffd\ufffd")
    assert bad[ODDITIES].repaired == ("model", "user_agent")
