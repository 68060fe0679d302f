"""The sample in both kinds of log store: the same rows, whole or not at all, payloads moved out on demand."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.errors import ConfigError, LogStoreError
from bifrost_export.sample.logs import write, write_postgres
from bifrost_export.sample.postgres_tables import add_rows, create
from bifrost_export.window import UTC
from demo.servers.postgres_server import PostgresServer

END = dt.datetime(2026, 3, 7, tzinfo=UTC)
TABLES = ("logs", "mcp_tool_logs")


def sqlite_rows(path: Path, table: str, where: str = "true") -> list[dict[str, Any]]:
    """The rows of a table in a SQLite store, by id."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY id")]


def postgres_rows(server: PostgresServer, dbname: str, table: str) -> list[dict[str, Any]]:
    """The rows of a table in a PostgreSQL store, by id; reals exact, times as the server writes them."""
    sql = f'SELECT row_to_json(t) FROM (SELECT * FROM {table} ORDER BY id COLLATE "C") t'
    return [json.loads(line, parse_float=Decimal) for line in server.psql(sql, dbname).splitlines()]


def as_postgres(row: dict[str, Any]) -> dict[str, Any]:
    """A row of SQLite with each value in the form that PostgreSQL gives."""
    flags = {"stream", "has_object", "content_hidden", "is_large_payload_request", "is_large_payload_response"}
    every: dict[str, Any] = {}
    for name, value in row.items():
        if name in {"timestamp", "created_at"}:
            day, _, rest = value.removesuffix("+00:00").partition(" ")
            clock, _, fraction = rest.partition(".")
            cut = fraction[:6].rstrip("0")
            every[name] = f"{day}T{clock}{'.' if cut else ''}{cut}+00:00"
        elif name in flags:
            every[name] = bool(value)
        else:
            every[name] = Decimal(repr(value)) if isinstance(value, float) else value
    return every


def test_both_backends_hold_the_same_rows(tmp_path: Path, postgres: PostgresServer, postgres_database: str) -> None:
    """Every column of every row is the same; only the number of the insert is PostgreSQL's own."""
    options: dict[str, Any] = {"rows": 3_000, "seed": 4, "days": 2, "end": END, "broken": 2, "offloaded": 0.1}
    one = write(tmp_path / "logs.db", objects=tmp_path / "one", **options)
    two = write_postgres(postgres.url(postgres_database), objects=tmp_path / "two", **options)
    assert (one.rows, one.tool_calls, one.offloaded) == (two.rows, two.tool_calls, two.offloaded)
    for table in TABLES:
        expected = [as_postgres(row) for row in sqlite_rows(tmp_path / "logs.db", table)]
        found = postgres_rows(postgres, postgres_database, table)
        assert len(found) > 50
        if table == "logs":
            assert sorted(row.pop("inc_number") for row in found) == list(range(1, 3_001))
            assert {row.pop("inc_number") for row in expected} == {None}
        assert found == expected
    objects = {path.relative_to(tmp_path / "one"): path.read_bytes() for path in (tmp_path / "one").rglob("*.gz")}
    assert objects == {
        path.relative_to(tmp_path / "two"): path.read_bytes() for path in (tmp_path / "two").rglob("*.gz")
    }
    defaults = "SELECT count(*) FROM information_schema.columns WHERE column_default = '''''::text'"
    assert postgres.psql(defaults, postgres_database) == "0"


def test_payloads_lie_in_objects_as_bifrost_writes_them(tmp_path: Path) -> None:
    """An object stands under the hour of its row, and holds the texts that the row has lost."""
    options: dict[str, Any] = {"rows": 2_000, "seed": 5, "days": 1, "end": END}
    write(tmp_path / "whole.db", **options)
    made = write(tmp_path / "logs.db", offloaded=0.2, objects=tmp_path / "bucket", **options)
    rows = sqlite_rows(tmp_path / "logs.db", "logs", "has_object")
    whole = {row["id"]: row for row in sqlite_rows(tmp_path / "whole.db", "logs")}
    assert len(rows) == made.offloaded == len(list((tmp_path / "bucket").rglob("*"))) - 1 - 1 - 3 - 24
    assert 300 < len(rows) < 500
    messages = 0
    for row in rows:
        day, hour = row["timestamp"][:10].replace("-", "/"), row["timestamp"][11:13]
        packed = (tmp_path / "bucket" / "bifrost" / "logs" / day / hour / f"{row['id']}.json.gz").read_bytes()
        body = json.loads(gzip.decompress(packed))
        assert {type(value) for value in body.values()} == {str}
        for name in ("error_details", "params", "token_usage"):
            assert row[name] == ""
        for name in ("error_details", "token_usage"):
            assert body.get(name, "") == whole[row["id"]][name]
        assert body["timestamp"] == row["timestamp"].replace(" ", "T").replace("+00:00", "Z")
        if row["input_history"]:
            messages += 1
            assert json.loads(row["input_history"]) == json.loads(body["input_history"])[-1:]
    assert messages > 100


def test_attempts_belong_together(tmp_path: Path) -> None:
    """A fallback names the failed primary before it, at another provider, and a tool call the answer that asked."""
    write(tmp_path / "logs.db", rows=20_000, seed=6, days=3, end=END)
    rows = {row["id"]: row for row in sqlite_rows(tmp_path / "logs.db", "logs")}
    fallbacks = [row for row in rows.values() if row["fallback_index"]]
    assert {row["fallback_index"] for row in fallbacks} == {1, 2}
    for row in fallbacks:
        primary = rows[row["parent_request_id"]]
        assert (primary["fallback_index"], primary["status"]) == (0, "error")
        assert primary["timestamp"] < row["timestamp"]
        assert primary["object_type"] == row["object_type"]
        assert primary["virtual_key_id"] == row["virtual_key_id"]
        assert row["fallback_index"] == 2 or primary["provider"] != row["provider"]
    assert len({(row["parent_request_id"], row["fallback_index"]) for row in fallbacks}) == len(fallbacks)
    for call in sqlite_rows(tmp_path / "logs.db", "mcp_tool_logs"):
        asked = rows[call["llm_request_id"]]
        assert (asked["stop_reason"], asked["tool_call_names"]) == ("tool_calls", call["tool_name"])
        assert asked["timestamp"] < call["timestamp"]


def test_numbers_add_up(tmp_path: Path) -> None:
    """Tokens and prices agree with each other; what has no price has no cost, and an open request has no end."""
    write(tmp_path / "logs.db", rows=50_000, seed=6, days=1, end=END)
    rows = sqlite_rows(tmp_path / "logs.db", "logs")
    for row in rows:
        assert row["total_tokens"] == row["prompt_tokens"] + row["completion_tokens"]
        assert row["cost"] is None or row["cost"] == pytest.approx(row["input_cost"] + row["output_cost"])
        if row["token_usage"]:
            assert json.loads(row["token_usage"])["total_tokens"] == row["total_tokens"]
        if row["content_hidden"]:
            assert (row["input_history"], row["params"], row["token_usage"]) == ("", "", "")
    waiting = [row for row in rows if row["status"] == "processing"]
    assert waiting
    assert {row["latency"] for row in waiting} == {None}
    assert min(row["timestamp"] for row in waiting) >= "2026-03-06 23:30:00"
    sessions = [row["session_id"] for row in rows if row["session_id"]]
    assert len(set(sessions)) < len(sessions) < len(rows)
    assert any(row["number_of_retries"] == len(json.loads(row["attempt_trail"] or "[0]")) - 1 > 0 for row in rows)
    large = [row for row in rows if len(row["input_history"] + row["output_message"]) > 3_000]
    assert 0.002 < len(large) / len(rows) < 0.01


def test_a_log_store_with_rows_is_left_alone(postgres: PostgresServer, postgres_store: str) -> None:
    """Nothing is added to rows that are there, and an empty log store is filled."""
    assert write_postgres(postgres_store, rows=10, end=END).rows == 10
    with pytest.raises(ConfigError, match="rows already"):
        write_postgres(postgres_store, rows=10, end=END)
    dbname = postgres_store.rpartition("/")[2]
    assert postgres.psql("SELECT count(*) FROM logs", dbname) == "10"
    base = {"timestamp": "2026-03-06", "created_at": "2026-03-06", "object_type": "", "provider": "", "model": ""}
    add_rows(postgres_store, [{"id": "later", **base, "status": "success"}])
    assert postgres.psql("SELECT inc_number, attempt_trail IS NULL FROM logs WHERE id = 'later'", dbname) == "11|t"


_RELATIONS = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
_REFUSE = """
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more indexes'; END $$;
CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION refuse()
"""


@pytest.mark.parametrize("there", [False, True], ids=["made", "found"])
def test_a_database_that_refuses_an_index_is_left_as_it_was(
    postgres: PostgresServer, postgres_database: str, there: bool
) -> None:
    """The rows are committed before the indexes are made: they go again, with the tables that were made for them."""
    url = postgres.url(postgres_database)
    if there:
        create(url)
    postgres.psql(_REFUSE, postgres_database)
    before = postgres.psql(_RELATIONS, postgres_database)
    with pytest.raises(LogStoreError, match="no more indexes"):
        write_postgres(url, rows=10, end=END)
    assert postgres.psql(_RELATIONS, postgres_database) == before
    if there:
        assert postgres.psql("SELECT count(*) FROM logs", postgres_database) == "0"


def test_a_database_that_refuses_is_told_without_its_password(
    postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the error nor the summary shows the password."""
    wrong = postgres.url("nowhere")
    assert execute(["sample-logs", wrong, "--backend", "postgres", "--rows", "10"]) == 1
    told = capsys.readouterr()
    assert "nowhere" in told.err
    assert postgres.password not in told.out + told.err
    with pytest.raises(LogStoreError):
        write_postgres(wrong, rows=1)


def test_the_command_fills_a_database(
    postgres: PostgresServer, postgres_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its summary names the database, with stars for the password."""
    url = postgres.url(postgres_database)
    assert execute(["sample-logs", url, "--backend", "postgres", "--rows", "20", "--format", "json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["path"] == url.replace(postgres.password, "***")
    assert "20 of 20 rows" in told.err
    assert postgres.password not in told.out + told.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--offloaded", "0.5"], "--objects"),
        (["--rows", "5", "--broken", "6"], "broken is 6"),
        (["--backend", "postgres"], "no address"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """It is wrong input, and nothing is made."""
    assert execute(["sample-logs", str(tmp_path / "logs.db"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_gets_no_objects(tmp_path: Path) -> None:
    """Objects of two samples don't mix."""
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "mine").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        write(tmp_path / "logs.db", rows=5, offloaded=1.0, objects=tmp_path / "bucket")
