"""The published vectors of log rows and the records that they become hold for the SQLite log store."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bifrost_export.config.sources import SQLiteConfig
from bifrost_export.datasets import schema_of
from bifrost_export.logstore.sqlite import SQLiteLogStore
from bifrost_export.window import Window, from_micros, rfc3339

DATA = json.loads(Path(__file__).parents[2].joinpath("data/record_vectors.json").read_text())
VECTORS = [vector for vector in DATA["vectors"] if vector.get("only", "sqlite") == "sqlite"]
DAY = Window.parse("2026-03-01", "2026-03-02")
TYPES = {"latency": "real", "cost": "real", "timestamp": "datetime", "created_at": "datetime", "stream": "numeric"}
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


def log_store(path: Path, row: dict[str, Any]) -> SQLiteLogStore:
    """A log store with one row, and with the columns that the row has."""
    given = {name: value for name, value in row.items() if value != "__absent__"}
    with closing(sqlite3.connect(path)) as connection:
        columns = ", ".join(f"{name} {TYPES.get(name, 'integer' if name in COUNTS else 'text')}" for name in given)
        connection.execute(f"CREATE TABLE logs ({columns})")
        connection.execute(f"INSERT INTO logs VALUES ({', '.join('?' * len(given))})", list(given.values()))
        connection.commit()
    return SQLiteLogStore(SQLiteConfig(path=str(path)))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_row_becomes_the_record_that_the_vector_tells(vector: dict[str, Any], tmp_path: Path) -> None:
    """Every value of the record, or the column by which the row is rejected."""
    row = DATA["base"] | vector["row"]
    store = log_store(tmp_path / "logs.db", row)

    reading = store.read(DAY, schema_of("request_logs"))
    records = pa.Table.from_batches(list(reading.batches), schema_of("request_logs"))
    store.close()

    assert reading.totals.rows == 1
    if "rejected" in vector:
        assert records.num_rows == 0
        assert [told.column for told in reading.rejected] == [vector["rejected"]]
        assert [told.request_id for told in reading.rejected] == [row["id"]]
    else:
        expected = DATA["record"] | {"request_id": row["id"]} | vector["expect"]
        instants = [rfc3339(from_micros(value)) for value in records.column("timestamp").cast(pa.int64()).to_pylist()]
        [found] = records.drop_columns("timestamp").to_pylist()
        assert {"timestamp": instants[0], **found} == expected
        assert reading.rejected == []


def test_there_are_vectors_of_both_kinds() -> None:
    """The file was found and read."""
    assert len(VECTORS) > 70
    assert sum("rejected" in vector for vector in VECTORS) >= 8
