"""Columns of `logs` beside the record: the same in every format and from both log stores, named by the manifest."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.support.postgres_rows import rows_of

DAY = Window.parse("2026-03-01", "2026-03-02")
FIELDS = ["team_id", "virtual_key_name", "session_id", "fallback_index", "stream", "input_cost", "created_at"]
READERS = {"parquet": "read_parquet('{}')", "json": "read_json('{}')", "csv": "read_csv('{}', all_varchar = true)"}


def parts_of(export: Export) -> list[Path]:
    """The part files."""
    return [export.out / key for key in export.parts()]


def in_the_log_store(path: Path) -> list[tuple[Any, ...]]:
    """What stands in the rows that are exported."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            f"SELECT id, {', '.join(FIELDS[:-1])} FROM logs WHERE status <> 'processing'"
            " AND timestamp >= '2026-03-01' AND timestamp < '2026-03-02' ORDER BY id"
        ).fetchall()


@pytest.mark.parametrize("format_", READERS)
def test_extra_fields_stand_behind_the_record(log_store: Path, tmp_path: Path, format_: str) -> None:
    """In the order in which they are named, with the values of the log store; the manifest tells their types."""
    export = Export(tmp_path, log_store, {"format": format_, "compression": "none", "extra_fields": FIELDS})
    export.run(DAY)
    schema = export.manifest(DAY)["datasets"]["request_logs"]["schema"]
    assert [column["name"] for column in schema["columns"]][12:] == FIELDS
    assert {column["name"]: column["type"] for column in schema["columns"][12:]} == {
        **dict.fromkeys(FIELDS[:3], "string"),
        "fallback_index": "int64",
        "stream": "bool",
        "input_cost": "double",
        "created_at": "timestamp",
    }
    [part] = parts_of(export)
    with duckdb.connect() as connection:
        source = READERS[format_].format(part)
        columns = "request_id::VARCHAR, team_id, virtual_key_name, session_id::VARCHAR, fallback_index::BIGINT"
        numbers = "stream::BOOL::INT, input_cost::DOUBLE"
        found = connection.sql(f"SELECT {columns}, {numbers} FROM {source} ORDER BY 1").fetchall()
        assert connection.sql(f"SELECT bool_and(created_at IS NOT NULL) FROM {source}").fetchall() == [(True,)]
    assert len(found) > 500
    assert found == in_the_log_store(log_store)


def test_both_log_stores_give_the_same_bytes(log_store: Path, tmp_path: Path, postgres_store: str) -> None:
    """However the rows are sliced."""
    rows = list(rows_of(log_store))
    in_postgres.add_rows(postgres_store, rows)
    data = {"extra_fields": FIELDS}
    of_sqlite = Export(tmp_path / "sqlite", log_store, data)
    source = {"type": "postgres", "config": from_address(postgres_store, "the test")}
    of_postgres = Export(tmp_path / "postgres", tmp_path / "none", data, source=source, runtime={"rows_per_slice": 300})
    of_sqlite.run(DAY)
    of_postgres.run(DAY)
    [one], [other] = of_sqlite.parts().values(), of_postgres.parts().values()
    assert one == other


def test_filters_work_beside_them(log_store: Path, tmp_path: Path) -> None:
    """A filtered row takes its extra fields with it."""
    data = {"format": "csv", "compression": "none", "extra_fields": ["status"], "filters": {"has_errors": True}}
    export = Export(tmp_path, log_store, data)
    result = export.run(DAY)
    assert 0 < result["datasets"]["request_logs"]["exported"] < result["datasets"]["request_logs"]["source"]
    [part] = parts_of(export)
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT DISTINCT status FROM read_csv('{part}') ORDER BY 1").fetchall()
    assert found == [("cancelled",), ("error",)]


def test_a_column_that_is_added_makes_a_new_revision(log_store: Path, tmp_path: Path) -> None:
    """The rows are the same, and their shape is another."""
    export = Export(tmp_path, log_store)
    assert export.run(DAY)["revision"] == 1
    export.data["extra_fields"] = ["team_id"]
    changed = export.run(DAY)
    assert (changed["revision"], changed["unchanged"]) == (2, False)
    assert len(export.parts()) == 1
