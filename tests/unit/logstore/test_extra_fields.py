"""Columns of `logs` under their own names: every value arrives as it stands, or is blanked and told."""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_export.config.models.export import Data
from bifrost_export.datasets import schema_of
from bifrost_export.errors import LogStoreError
from bifrost_export.hidden_columns import ODDITIES
from bifrost_export.logstore.columns import LOG_COLUMNS
from bifrost_export.logstore.oddities import Blanked, Oddity
from bifrost_export.logstore.port import LogStore
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.logstore.repair import repaired
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample import sqlite_tables as in_sqlite
from bifrost_export.window import Window, from_micros
from tests.servers.postgres import config_of
from tests.support.odd_rows import BASE
from tests.support.odd_times import space_form
from tests.support.postgres_rows import rows_of

DAY = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)
WINDOW = Window(DAY, DAY + dt.timedelta(days=1))
NOON = DAY + dt.timedelta(hours=12)
SOME = ("team_id", "fallback_index", "complexity_score", "stream", "created_at")
ROW = {**BASE, "timestamp": space_form(NOON), "created_at": space_form(NOON)}

TEXTS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1)
REALS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
TRUTHS = st.sampled_from([None, 0, 1])
MOMENTS = st.integers(-30_000_000_000_000_000, 250_000_000_000_000_000).map(from_micros)
ANY = TEXTS | WHOLE | REALS | st.binary(max_size=5)


def wanted(*fields: str) -> pa.Schema:
    """The record with some columns of `logs`."""
    return schema_of("request_logs", Data(extra_fields=fields))


Told = tuple[str, Blanked]
"""A row's id, and a field of it that is blanked."""


def read(opened: LogStore, schema: pa.Schema) -> tuple[pa.Table, list[Told]]:
    """Records, and what is blanked in them; no row is rejected."""
    with closing(opened):
        asked = schema.append(pa.field(ODDITIES, pa.string()))
        reading = opened.read(WINDOW, asked)
        table = pa.Table.from_batches(list(reading.batches), asked)
    assert reading.rejected == []
    odd = zip(table.column("request_id").to_pylist(), table.column(ODDITIES).to_pylist(), strict=True)
    told = [(name, each) for name, text in odd if text for each in Oddity.of(text).blanked]
    return table.drop_columns([ODDITIES]), told


def read_sqlite(path: Path, schema: pa.Schema) -> tuple[pa.Table, list[Told]]:
    """The same of a SQLite file."""
    return read(SQLiteLogStore(SQLiteConfig(path=str(path))), schema)


@pytest.fixture(scope="module")
def sqlite_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite log store."""
    path = tmp_path_factory.mktemp("extra") / "logs.db"
    in_sqlite.create(path)
    return path


def fill(path: Path, rows: list[dict[str, Any]]) -> None:
    """Put rows in the place of what was there."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM logs")
        connection.commit()
    in_sqlite.add_rows(path, rows)


def stored(path: Path) -> list[dict[str, Any]]:
    """What SQLite made of the rows, by its own affinities."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM logs ORDER BY id")]


def expected(name: str, value: Any) -> Any:
    """The value that is exported; a ValueError where it is blanked."""
    kind = LOG_COLUMNS[name]
    if value is None:
        return None
    if kind == "string":
        return repaired(value) if isinstance(value, bytes) else value
    good = {"int64": (int,), "double": (int, float), "bool": (int,)}[kind]
    if not isinstance(value, good) or (kind == "bool" and value not in (0, 1)) or not math.isfinite(value):
        raise ValueError(name)
    return {"int64": int, "double": float, "bool": bool}[kind](value)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.fixed_dictionaries(dict.fromkeys(SOME[:4], ANY)), min_size=1, max_size=8))
def test_whatever_sqlite_holds_is_exported_or_told(sqlite_path: Path, values: list[dict[str, Any]]) -> None:
    """By the column that it can't fill, with its type and length, and never its value."""
    fill(sqlite_path, [{**ROW, "id": f"{number:02d}", **each} for number, each in enumerate(values)])
    schema = wanted(*SOME[:4])
    records, blanked = read_sqlite(sqlite_path, schema)
    found = {row["request_id"]: row for row in records.to_pylist()}
    told = {(name, each.column) for name, each in blanked}
    assert len(found) == len(values)
    for row in stored(sqlite_path):
        for name in SOME[:4]:
            try:
                value = expected(name, row[name])
            except ValueError:
                value = None
                assert (row["id"], name) in told
            else:
                assert (row["id"], name) not in told
            assert found[row["id"]][name] == value


@pytest.mark.parametrize(
    ("column", "value", "kind", "length"),
    [
        ("fallback_index", "many", "text", 4),
        ("fallback_index", 1.5, "real", None),
        ("stream", 7, "integer", None),
        ("complexity_score", b"\x00\x01", "blob", 2),
        ("complexity_score", math.inf, "real", None),
        ("created_at", "yesterday", "text", 9),
        ("created_at", 17, "integer", None),
    ],
)
def test_a_value_of_another_type_is_told_by_its_shape(
    sqlite_path: Path, column: str, value: Any, kind: str, length: int | None
) -> None:
    """The reason, the type and the length."""
    fill(sqlite_path, [{**ROW, "id": "odd", column: value}, {**ROW, "id": "good"}])
    records, [(name, told)] = read_sqlite(sqlite_path, wanted(column))
    assert sorted(records.column("request_id").to_pylist()) == ["good", "odd"]
    assert (name, told.column, told.value_type, told.value_length) == ("odd", column, kind, length)


def test_every_odd_field_of_a_row_is_told(sqlite_path: Path) -> None:
    """Those of the record first."""
    fill(sqlite_path, [{**ROW, "id": "odd", "latency": "slow", "fallback_index": "many"}])
    _, blanked = read_sqlite(sqlite_path, wanted("fallback_index"))
    assert [(told.column, told.value_type) for _, told in blanked] == [
        ("latency_ms", "text"),
        ("fallback_index", "text"),
    ]


def test_what_an_older_log_store_lacks_is_null(tmp_path: Path) -> None:
    """Its other columns are exported as ever."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE logs (id TEXT PRIMARY KEY, timestamp DATETIME, status TEXT, team_id TEXT)")
        connection.execute("INSERT INTO logs VALUES ('a', ?, 'success', 'red')", (space_form(NOON),))
        connection.commit()
    records, blanked = read_sqlite(path, wanted(*SOME))
    assert blanked == []
    assert [records.column(name).to_pylist() for name in SOME] == [["red"], [None], [None], [None], [None]]


@pytest.fixture(scope="module")
def sample_rows(sample_store: Path) -> list[dict[str, Any]]:
    """Plausible rows that both log stores can hold."""
    return list(rows_of(sample_store))


def test_all_columns_are_the_same_from_both_log_stores(
    sample_rows: list[dict[str, Any]], sample_window: Window, postgres_store: str, tmp_path: Path
) -> None:
    """Every column that can be named, over plausible rows; what `inc_number` counts is each store's own."""
    schema = wanted(*(name for name in LOG_COLUMNS if name != "inc_number"))
    in_sqlite.create(tmp_path / "logs.db")
    in_sqlite.add_rows(tmp_path / "logs.db", sample_rows)
    in_postgres.add_rows(postgres_store, sample_rows)
    with closing(SQLiteLogStore(SQLiteConfig(path=str(tmp_path / "logs.db")))) as opened:
        of_sqlite = pa.Table.from_batches(list(opened.read(sample_window, schema).batches), schema)
    with closing(PostgresLogStore(config_of(postgres_store))) as opened:
        of_postgres = pa.Table.from_batches(list(opened.read(sample_window, schema).batches), schema)
    assert of_sqlite.num_rows > 1_000
    assert of_postgres.equals(of_sqlite)


def moment_of(text: str) -> dt.datetime:
    """A time of the space form."""
    return dt.datetime.fromisoformat(text)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.fixed_dictionaries(
            {
                "team_id": TEXTS,
                "fallback_index": WHOLE,
                "complexity_score": REALS,
                "stream": TRUTHS,
                "created_at": MOMENTS.map(space_form),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_values_of_their_types_arrive_unchanged_from_both(
    sqlite_path: Path, postgres_store: str, values: list[dict[str, Any]]
) -> None:
    """Texts of any characters, whole numbers of 64 bits, doubles to the bit, instants to the microsecond."""
    rows = [{**ROW, "id": f"{number:02d}", **each} for number, each in enumerate(values)]
    fill(sqlite_path, rows)
    with in_postgres.writing(postgres_store) as execute:
        execute("TRUNCATE logs")
        in_postgres.insert(execute, rows)
    of_sqlite, _ = read_sqlite(sqlite_path, wanted(*SOME))
    of_postgres, _ = read(PostgresLogStore(config_of(postgres_store)), wanted(*SOME))
    assert of_postgres.equals(of_sqlite)
    assert of_sqlite.select(SOME).to_pylist() == [
        {
            **each,
            "stream": None if each["stream"] is None else bool(each["stream"]),
            "created_at": moment_of(each["created_at"]),
        }
        for each in values
    ]


def test_odd_values_of_postgresql_are_told(postgres_store: str) -> None:
    """Times beyond the calendar, numbers that are not finite; a column of a type that can't hold what is wanted."""
    rows = [{**ROW, "id": "time", "created_at": "infinity"}, {**ROW, "id": "number", "complexity_score": "NaN"}]
    in_postgres.add_rows(postgres_store, [*rows, {**ROW, "id": "good"}])
    records, blanked = read(PostgresLogStore(config_of(postgres_store)), wanted(*SOME))
    assert sorted(records.column("request_id").to_pylist()) == ["good", "number", "time"]
    told = sorted((name, each.column, each.value_type) for name, each in blanked)
    assert told == [("number", "complexity_score", "real"), ("time", "created_at", "timestamptz")]

    with in_postgres.writing(postgres_store) as execute:
        execute("ALTER TABLE logs ALTER COLUMN stream DROP DEFAULT, ALTER COLUMN stream TYPE text")
    with pytest.raises(LogStoreError, match=r"the column stream of public\.logs is of type text"):
        read(PostgresLogStore(config_of(postgres_store)), wanted("stream"))


def test_numbers_with_a_fraction_in_a_wide_column_are_told(postgres_store: str) -> None:
    """An old migration can have left a whole number in a column of another number type."""
    with in_postgres.writing(postgres_store) as execute:
        execute("ALTER TABLE logs ALTER COLUMN fallback_index DROP DEFAULT, ALTER COLUMN fallback_index TYPE numeric")
    in_postgres.add_rows(
        postgres_store,
        [{**ROW, "id": "whole", "fallback_index": "2"}, {**ROW, "id": "half", "fallback_index": "2.5"}],
    )
    records, [(name, told)] = read(PostgresLogStore(config_of(postgres_store)), wanted("fallback_index"))
    assert records.column("fallback_index").to_pylist() == [None, 2]
    assert (name, told.column, told.value_type) == ("half", "fallback_index", "real")


def test_no_instant_is_lost_between_microseconds(sqlite_path: Path) -> None:
    """`created_at` is cut like `timestamp`."""
    fill(sqlite_path, [{**ROW, "id": "a", "created_at": "2026-03-01 12:00:00.123456789+00:00"}])
    records, _ = read_sqlite(sqlite_path, wanted("created_at"))
    [at] = records.column("created_at").cast(pa.int64()).to_pylist()
    assert from_micros(at) == NOON + dt.timedelta(microseconds=123456)
