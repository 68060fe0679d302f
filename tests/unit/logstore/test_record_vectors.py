"""The published vectors of log rows and the records that they become hold for each log store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bifrost_export.datasets import schema_of
from bifrost_export.hidden_columns import ODDITIES
from bifrost_export.logstore.oddities import Oddity
from bifrost_export.logstore.port import LogStore
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.sample.postgres_tables import insert, writing
from bifrost_export.window import Window, from_micros, rfc3339
from demo.servers.postgres_server import PostgresServer
from tests.servers.postgres import config_of

DATA = json.loads(Path(__file__).parents[2].joinpath("data/record_vectors.json").read_text())
STORES = ("sqlite", "postgres")
VECTORS = [(store, each) for store in STORES for each in DATA["vectors"] if each.get("only", store) == store]
SCHEMA = schema_of("request_logs").append(pa.field(ODDITIES, pa.string()))
DAY = Window.parse("2026-03-01", "2026-03-02")
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
TYPES = {
    "sqlite": {"latency": "real", "cost": "real", "timestamp": "datetime", "created_at": "datetime"}
    | dict.fromkeys(COUNTS, "integer"),
    "postgres": {"latency": "numeric", "cost": "numeric", "timestamp": "timestamptz", "created_at": "timestamptz"}
    | dict.fromkeys(COUNTS, "bigint"),
}


def table(store: str, row: dict[str, Any]) -> str:
    """The statement that makes a table with the columns that the row has."""
    columns = (f"{name} {TYPES[store].get(name, 'text')}" for name in row)
    return f"CREATE TABLE logs ({', '.join(columns)})"


def sqlite_store(path: Path, row: dict[str, Any]) -> SQLiteLogStore:
    """A log store with one row."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(table("sqlite", row))
        connection.execute(f"INSERT INTO logs VALUES ({', '.join('?' * len(row))})", list(row.values()))
        connection.commit()
    return SQLiteLogStore(SQLiteConfig(path=str(path)))


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[Callable[[dict[str, Any]], PostgresLogStore]]:
    """Makes a log store with one row in PostgreSQL, in place of the former one."""
    url = postgres.create_database("vectors")
    with writing(url) as execute:

        def open_store(row: dict[str, Any]) -> PostgresLogStore:
            execute("DROP TABLE IF EXISTS logs")
            execute(table("postgres", row))
            insert(execute, [row])
            return PostgresLogStore(config_of(url))

        yield open_store
    postgres.drop_database("vectors")


def wanted_blanks(vector: dict[str, Any]) -> list[str]:
    """The columns that a vector says are blanked."""
    return [vector["blanked"]] if "blanked" in vector else []


@pytest.mark.parametrize(("store", "vector"), VECTORS, ids=[f"{store}: {each['name']}" for store, each in VECTORS])
def test_a_row_becomes_the_record_that_the_vector_tells(
    store: str, vector: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every value of the record, the column that is blanked in it, or the column by which the row is rejected."""
    row = {name: value for name, value in (DATA["base"] | vector["row"]).items() if value != "__absent__"}
    opened: LogStore = (
        sqlite_store(tmp_path / "logs.db", row) if store == "sqlite" else request.getfixturevalue("database")(row)
    )

    reading = opened.read(DAY, SCHEMA)
    records = pa.Table.from_batches(list(reading.batches), SCHEMA)
    opened.close()

    assert reading.totals.rows == 1
    if "rejected" in vector:
        assert records.num_rows == 0
        assert [told.column for told in reading.rejected] == [vector["rejected"]]
        assert [told.request_id for told in reading.rejected] == [row["id"]]
    else:
        expected = DATA["record"] | {"request_id": row["id"]} | vector["expect"]
        instants = [rfc3339(from_micros(value)) for value in records.column("timestamp").cast(pa.int64()).to_pylist()]
        [found] = records.drop_columns(["timestamp", ODDITIES]).to_pylist()
        assert {"timestamp": instants[0], **found} == expected
        told = [Oddity.of(text) for text in records.column(ODDITIES).to_pylist() if text]
        assert [each.column for oddity in told for each in oddity.blanked] == wanted_blanks(vector)
        assert [each for oddity in told for each in oddity.repaired] == []
        assert reading.rejected == []


@pytest.mark.parametrize("store", STORES)
def test_there_are_vectors_of_both_kinds(store: str) -> None:
    """The file was found and read."""
    of_store = [vector for name, vector in VECTORS if name == store]
    assert len(of_store) > 55
    assert sum("rejected" in vector for vector in of_store) >= 1
    assert sum("blanked" in vector for vector in of_store) >= 4
