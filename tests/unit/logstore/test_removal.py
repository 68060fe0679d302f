"""Filters in the log store's SQL keep the rows, count by rule and add up as the filter on the record does."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_export.config.models.export import Data
from bifrost_export.datasets import schema_of
from bifrost_export.filters.config import Filters
from bifrost_export.filters.row_filter import RowFilter
from bifrost_export.filters.rules import RULES, asked, counted_together
from bifrost_export.hidden_columns import ODDITIES
from bifrost_export.logstore import pushdown
from bifrost_export.logstore.port import LogStore, Rejected, Totals
from bifrost_export.logstore.postgres.pushdown import PostgresRemoval
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.pushdown import SQLiteRemoval
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.pipeline.sums import Sums
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample import sqlite_tables as in_sqlite
from bifrost_export.sample.sqlite_tables import RawText
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests.servers.postgres import config_of
from tests.support.odd_rows import BASE, odd_rows
from tests.support.odd_times import space_form
from tests.support.postgres_rows import both_can_hold, own_rows, rows_of
from tests.unit.logstore.log_rows import DAY, ROWS

SCHEMA = schema_of("request_logs").append(pa.field(ODDITIES, pa.string()))
WINDOW = Window.parse("2026-03-01", "2026-03-02")
NOON = space_form(DAY.replace(hour=12))
ROW = {**BASE, "timestamp": NOON, "created_at": NOON}
LIMITS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.parametrize("removal", [SQLiteRemoval, PostgresRemoval])
def test_every_log_store_has_sql_for_every_rule(removal: type[pushdown.Removal]) -> None:
    """And for no other kind of rule; the properties below try each."""
    assert set(removal.tests) == {rule.pushdown for rule in RULES}
    assert {rule.name for filters in FILTERS for rule, _ in asked(filters)} == {rule.name for rule in RULES}


def test_every_filter_of_a_document_is_named_in_the_sql() -> None:
    """A document that asks for all of them gets all of them, in their order."""
    several = {"providers": ("p",), "models": ("m",), "customers": ("c",), "status_codes": (200,)}
    whole = Filters(**several, min_latency_ms=1, max_latency_ms=2, has_errors=False)
    for store in (SQLiteLogStore, PostgresLogStore):
        told = " ".join(store.sql(WINDOW, SCHEMA, None, whole))
        places = [told.index(f"THEN '{rule.name}'") for rule in RULES]
        assert places == sorted(places)


@dataclass
class Filtered:
    """What is left of a window, and what became of the rest."""

    rows: pa.Table
    counts: dict[str, int]
    sums: Sums
    rejected: list[Rejected]
    totals: Totals
    by_sql: int

    def agrees_with(self, other: Filtered) -> None:
        """The same rows, counts, sums and rejected rows."""
        assert self.counts == other.counts
        assert self.rejected == other.rejected
        assert (self.totals.rows, self.totals.unsettled) == (other.totals.rows, other.totals.unsettled)
        # Sums of floats, as some tables' costs are, depend on their order.
        assert Sums.of_totals(self.totals).differences(Sums.of_totals(other.totals)) == []
        assert self.sums.differences(other.sums) == []
        assert self.rows.equals(other.rows)


def read(opened: LogStore, filters: Filters, in_sql: bool, schema: pa.Schema = SCHEMA) -> Filtered:
    """Read a window and filter its records; what SQL has removed before is counted in."""
    reading = opened.read(WINDOW, schema, filters if in_sql else None)
    row_filter, kept, removed, sums = RowFilter(filters), [], {}, Sums()
    for batch in reading.batches:
        passed, counts = row_filter.apply(batch)
        kept.append(passed)
        removed = counted_together(removed, counts)
        sums += Sums.of_batch(batch) - Sums.of_batch(passed)
    by_sql = Sums.of_removed(reading.removed)
    rows, counts = pa.Table.from_batches(kept, schema), counted_together(reading.removed.rows, removed)
    assert sum(counts.values()) + rows.num_rows + len(reading.rejected) == reading.totals.rows
    return Filtered(rows, counts, sums + by_sql, reading.rejected, reading.totals, by_sql.rows)


@pytest.fixture(scope="module")
def sqlite_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite log store."""
    path = tmp_path_factory.mktemp("removal") / "logs.db"
    in_sqlite.create(path)
    return path


def fill_sqlite(path: Path, rows: list[dict[str, Any]]) -> None:
    """Put rows in the place of what was there."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM logs")
        connection.commit()
    in_sqlite.add_rows(path, rows)


def both_ways(path: Path, filters: Filters, schema: pa.Schema = SCHEMA) -> Filtered:
    """What SQLite's SQL and the filter on the record do together, compared with the latter alone."""
    with closing(SQLiteLogStore(SQLiteConfig(path=str(path), offloaded="skip"))) as opened:
        alone, together = read(opened, filters, False, schema), read(opened, filters, True, schema)
    together.agrees_with(alone)
    assert alone.by_sql == 0
    return together


@dataclass
class Postgres:
    """A PostgreSQL log store that a test fills."""

    store: LogStore
    execute: Callable[[str], int]

    def fill(self, rows: list[dict[str, Any]]) -> None:
        """Put rows in the place of what was there."""
        self.execute("TRUNCATE logs")
        in_postgres.insert(self.execute, rows)

    def both_ways(self, filters: Filters, schema: pa.Schema = SCHEMA) -> Filtered:
        """As of SQLite."""
        alone, together = read(self.store, filters, False, schema), read(self.store, filters, True, schema)
        together.agrees_with(alone)
        return together


@pytest.fixture(scope="module")
def in_server(postgres: PostgresServer, postgres_template: str) -> Iterator[Postgres]:
    """An empty one."""
    url = postgres.create_database("removal", postgres_template)
    with in_postgres.writing(url) as execute, closing(PostgresLogStore(config_of(url, offloaded="skip"))) as store:
        yield Postgres(store, execute)
    postgres.drop_database("removal")


TEXTS = ("openai", "anthropic", "gpt-4o", "cust_abc123", "", "é😀", "'", '"', "\\", "a\tb\r\nc", "cust_a", "nul\0in")
CODES = (200, 204, 400, 404, 429, 499, 500, 503, 2**31 - 1)
LATENCIES = (0, 1, 2, 3, 4, 87, 88, 1250, 1251, 2**31 - 2, 2**31 - 1)


def one_of(values: list[Any]) -> st.SearchStrategy[Any]:
    """Nothing, or some values."""
    return st.none() | st.lists(st.sampled_from(values), min_size=1, max_size=4).map(tuple)


@st.composite
def filters_for(draw: st.DrawFn, rows: list[dict[str, Any]]) -> Filters:
    """Filters whose words stand in rows, or nearly."""

    def words(*columns: str) -> st.SearchStrategy[Any]:
        found = {row[name] for row in rows for name in columns if isinstance(row.get(name), str)}
        return one_of(sorted({*found, *TEXTS}))

    low, high = draw(st.none() | st.sampled_from(LATENCIES)), draw(st.none() | st.sampled_from(LATENCIES))
    if low is not None and high is not None and low > high:
        low, high = high, low
    return Filters(
        providers=draw(words("provider")),
        models=draw(words("model")),
        customers=draw(words("customer_id")),
        min_latency_ms=low,
        max_latency_ms=high,
        status_codes=draw(one_of(list(CODES))),
        has_errors=draw(st.none() | st.booleans()),
    )


@st.composite
def rows_and_filters(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Filters]:
    """Any rows, and filters for them; some of their texts are alike, and some latencies end in a half."""
    rows = draw(ROWS)
    for row in rows:
        for name in ("provider", "model", "customer_id"):
            row[name] = draw(st.just(row[name]) | st.sampled_from(TEXTS))
        halves = st.sampled_from([None, 0.5, 1.5, 2.5, 3.5, 87.5, 1250.5, 2147483646.5, 2147483647.4])
        row["latency"] = draw(st.just(row["latency"]) | halves)
        row["has_object"] = draw(st.sampled_from([0, 0, 1, None]))
    return rows, draw(filters_for(rows))


@LIMITS
@given(given_=rows_and_filters())
def test_sqlite_and_arrow_agree_on_any_row(sqlite_path: Path, given_: tuple[list[dict[str, Any]], Filters]) -> None:
    """On the rows, on the counts by rule, on the sums, on what is rejected."""
    rows, filters = given_
    fill_sqlite(sqlite_path, rows)
    both_ways(sqlite_path, filters)


@LIMITS
@given(given_=rows_and_filters())
def test_postgres_and_arrow_agree_on_any_row(in_server: Postgres, given_: tuple[list[dict[str, Any]], Filters]) -> None:
    """The same."""
    rows, filters = given_
    in_server.fill(list(both_can_hold(rows)))
    in_server.both_ways(filters)


FILTERS = [
    Filters(providers=("openai",)),
    Filters(models=("gpt-4o", "a\tb", "nul\0inside"), customers=("cust_abc123", "cust_a", "")),
    Filters(customers=("cust_a", "7", "c\u00fc\U0001f600")),
    Filters(customers=("",)),
    Filters(min_latency_ms=2),
    Filters(min_latency_ms=1, max_latency_ms=3),
    Filters(max_latency_ms=2),
    Filters(min_latency_ms=0, max_latency_ms=2**31 - 1),
    Filters(min_latency_ms=2**31 - 1),
    Filters(status_codes=(429, 503)),
    Filters(status_codes=(200, 499)),
    Filters(has_errors=True),
    Filters(has_errors=False),
    Filters(providers=("openai", "anthropic"), max_latency_ms=1250, status_codes=(200, 500), has_errors=False),
]
"""Each rule by itself, and several."""


@pytest.fixture(scope="module")
def many_rows(sample_store: Path) -> list[dict[str, Any]]:
    """Plausible rows, then every odd one, in the window."""
    return [*rows_of(sample_store), *odd_rows(WINDOW)]


@pytest.fixture(scope="module")
def many_in_sqlite(many_rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in SQLite."""
    path = tmp_path_factory.mktemp("many") / "logs.db"
    in_sqlite.create(path)
    in_sqlite.add_rows(path, many_rows)
    return path


@pytest.fixture(scope="module")
def many_in_postgres(
    many_rows: list[dict[str, Any]], postgres: PostgresServer, postgres_template: str
) -> Iterator[Postgres]:
    """The same in PostgreSQL, with rows that only it can hold."""
    url = postgres.create_database("many_removed", postgres_template)
    with in_postgres.writing(url) as execute, closing(PostgresLogStore(config_of(url))) as store:
        in_postgres.insert(execute, [*both_can_hold(many_rows), *own_rows(WINDOW)])
        yield Postgres(store, execute)
    postgres.drop_database("many_removed")


@pytest.mark.parametrize("filters", FILTERS, ids=lambda each: str(each.model_dump(exclude_none=True)))
def test_plausible_and_odd_rows_agree(many_in_sqlite: Path, many_in_postgres: Postgres, filters: Filters) -> None:
    """And most of what is removed, SQL has removed."""
    for found in (both_ways(many_in_sqlite, filters), many_in_postgres.both_ways(filters)):
        assert len(found.rejected) > 5
        assert found.by_sql >= sum(found.counts.values()) - MANY_ODD
        assert found.by_sql > 0 or filters.min_latency_ms == 0 or filters.has_errors is False


def test_a_row_that_a_filter_removes_may_have_odd_fields(sqlite_path: Path, in_server: Postgres) -> None:
    """They are counted of exported rows alone, so that SQL may leave such a row out."""
    names = ("team_id", "fallback_index", "complexity_score", "stream", "created_at")
    schema = schema_of("request_logs", Data(extra_fields=names))
    odd = [
        {"team_id": RawText(b"\xff\xfe")},
        {"fallback_index": "many"},
        {"fallback_index": 1.5},
        {"complexity_score": math.inf},
        {"complexity_score": b"\0"},
        {"stream": 7},
        {"created_at": "yesterday"},
    ]
    fine = [{"team_id": "red", "fallback_index": 1, "complexity_score": 0.5, "stream": 1}, dict.fromkeys(names[:4])]
    rows = [{**ROW, "id": f"{number:02}", **each} for number, each in enumerate([*odd, *fine])]
    fill_sqlite(sqlite_path, rows)
    found = both_ways(sqlite_path, Filters(providers=("nobody",)), schema)
    assert (len(found.rejected), found.counts, found.by_sql) == (0, {"providers": len(rows)}, len(rows))

    odd_there = [{"complexity_score": "NaN"}, {"complexity_score": "1e309"}, {"created_at": "infinity"}]
    in_server.fill([{**ROW, "id": f"{number:02}", **each} for number, each in enumerate([*odd_there, *fine])])
    found = in_server.both_ways(Filters(providers=("nobody",)), schema)
    assert (len(found.rejected), found.counts, found.by_sql) == (0, {"providers": 5}, 5)


def test_a_row_that_needs_its_payload_is_left_to_the_record(sqlite_path: Path, in_server: Postgres) -> None:
    """Its status code may be one that rejects it; a success needs none."""
    rows = [
        {**ROW, "id": "success", "has_object": 1},
        {**ROW, "id": "failed", "has_object": 1, "status": "error"},
        {**ROW, "id": "failed-here", "has_object": 1, "status": "error", "error_details": '{"status_code":429}'},
        {**ROW, "id": "passing", "has_object": 1, "object_type": "passthrough"},
    ]
    fill_sqlite(sqlite_path, rows)
    in_server.fill(rows)
    for found in (both_ways(sqlite_path, Filters(models=("x",))), in_server.both_ways(Filters(models=("x",)))):
        assert (found.by_sql, found.counts) == (2, {"models": 4})


def test_a_row_whose_offloaded_contents_are_wanted_is_left_to_the_record(in_server: Postgres) -> None:
    """What became of its payload is counted, whether a filter removes it or not."""
    schema = schema_of("request_logs", Data(include_content=True))
    in_server.fill([{**ROW, "id": "there", "has_object": 0}, {**ROW, "id": "elsewhere", "has_object": 1}])
    told = []
    for filters in (Filters(models=("x",)), None):
        reading = in_server.store.read(WINDOW, schema, filters)
        rows = sum(batch.num_rows for batch in reading.batches)
        told.append((rows, dict(reading.removed.rows), dict(reading.offloaded.rows)))
    (with_sql, without) = told
    assert with_sql[:2] == (1, {"models": 1})
    assert without[:2] == (2, {})
    assert with_sql[2] == without[2]
    assert sum(without[2].values()) == 1


MANY_ODD = 250
"""More than there are failed rows, passthrough rows, and rows of odd texts, that are left to the record."""

NAMES = (
    "'; DROP TABLE logs; --",
    "\\'; DROP TABLE logs; --",
    "a\0b",
    "é😀",
    '"',
    "%",
    "_",
    "\\",
    "$1",
    "?1",
    ":a",
    "{0}",
)


def test_names_are_no_sql(sqlite_path: Path, in_server: Postgres) -> None:
    """Each finds the row that has it, and no other."""
    rows = [{**ROW, "id": f"{number:02}", "model": name} for number, name in enumerate(NAMES)]
    fill_sqlite(sqlite_path, rows)
    in_server.fill([row for row in rows if "\0" not in row["model"]])
    for name in NAMES:
        assert both_ways(sqlite_path, Filters(models=(name,))).rows.column("model").to_pylist() == [name]
        expected = [] if "\0" in name else [name]
        assert in_server.both_ways(Filters(models=(name,))).rows.column("model").to_pylist() == expected
    assert both_ways(sqlite_path, Filters(models=NAMES)).rows.num_rows == len(NAMES)
    many = Filters(customers=tuple(f"cust_{number}" for number in range(5_000)))
    assert both_ways(sqlite_path, many).counts == {"customers": len(NAMES)}
    assert in_server.both_ways(many).counts == {"customers": len(NAMES) - 1}


def test_a_long_list_is_left_to_the_record_and_so_is_each_later_rule(sqlite_path: Path, in_server: Postgres) -> None:
    """A server would read it for seconds; a rule before it is still SQL's."""
    rows = [
        {**ROW, "id": "kept", "customer_id": "1"},
        {**ROW, "id": "provider", "provider": "other", "customer_id": "none", "latency": 1},
        {**ROW, "id": "customer", "customer_id": "none", "latency": 1},
        {**ROW, "id": "latency", "customer_id": "1", "latency": 1},
    ]
    fill_sqlite(sqlite_path, rows)
    in_server.fill(rows)
    counts = {"providers": 1, "customers": 1, "min_latency_ms": 1}
    for length, by_sql in ((pushdown.MOST_WORDS, 3), (pushdown.MOST_WORDS + 1, 1), (60_000, 1)):
        several = tuple(str(number) for number in range(length))
        filters = Filters(providers=(ROW["provider"],), customers=several, min_latency_ms=2)
        for found in (both_ways(sqlite_path, filters), in_server.both_ways(filters)):
            assert (found.counts, found.by_sql) == (counts, by_sql)
            assert found.rows.column("request_id").to_pylist() == ["kept"]
    alone = Filters(customers=tuple(str(number) for number in range(pushdown.MOST_WORDS + 1)), has_errors=False)
    for found in (both_ways(sqlite_path, alone), in_server.both_ways(alone)):
        assert (found.counts, found.by_sql) == ({"customers": 2}, 0)


def test_an_empty_list_is_one_of_nothing(sqlite_path: Path, in_server: Postgres) -> None:
    """The document refuses one; the SQL would remove every row all the same."""
    fill_sqlite(sqlite_path, [{**ROW, "id": "a"}])
    in_server.fill([{**ROW, "id": "a"}])
    for name in ("providers", "models", "customers", "status_codes"):
        nothing = Filters().model_copy(update={name: ()})
        for found in (both_ways(sqlite_path, nothing), in_server.both_ways(nothing)):
            assert (found.counts, found.by_sql) == ({name: 1}, 1)


def test_without_filters_the_sql_is_the_same_as_ever(sqlite_path: Path) -> None:
    """A date range is no filter on records."""
    for store in (SQLiteLogStore, PostgresLogStore):
        plain = store.sql(WINDOW, SCHEMA)
        assert store.sql(WINDOW, SCHEMA, None, Filters(date_range="last_24_hours")) == plain
        shown = store.sql(WINDOW, SCHEMA, None, Filters(providers=("open'ai",)))
        # SQLite is asked for the rows in doubt by a statement of its own.
        asked = (len(plain) + 1, 5) if store is SQLiteLogStore else (len(plain), 2)
        assert (len(shown), sum("'open''ai'" in statement for statement in shown)) == asked


SOME_FILTERS = [*FILTERS[:2], FILTERS[3], FILTERS[5], *FILTERS[9:12]]
TWO = [{**ROW, "id": "a"}, {**ROW, "id": "b", "status": "error", "error_details": '{"status_code":429}'}]


@pytest.mark.parametrize(
    "lacking",
    [
        ("provider",),
        ("latency",),
        ("customer_id", "customer_ids", "error_details", "params", "has_object", "object_type", "cost"),
        tuple(name for name in (*BASE, "has_object") if name != "status"),
    ],
    ids=["no provider", "no latency", "nearly none", "none"],
)
def test_columns_that_an_older_log_store_lacks_count_as_null(
    tmp_path: Path, postgres_store: str, lacking: tuple[str, ...]
) -> None:
    """A row is judged as its record is."""
    path, names = tmp_path / "old.db", [name for name in (*ROW, "has_object") if name not in lacking]
    rows = [{name: value for name, value in row.items() if name not in lacking} for row in TWO]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE logs (id TEXT, {', '.join(names)})")
        connection.commit()
    in_sqlite.add_rows(path, rows)
    with in_postgres.writing(postgres_store) as execute:
        execute(f"ALTER TABLE logs {', '.join(f'DROP COLUMN {name}' for name in lacking)}")
        in_postgres.insert(execute, rows)
        with closing(PostgresLogStore(config_of(postgres_store))) as store:
            for filters in SOME_FILTERS:
                both_ways(path, filters)
                Postgres(store, execute).both_ways(filters)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_a_column_of_any_collation_and_type_is_compared_by_its_bytes(tmp_path: Path, encoding: str) -> None:
    """Capitals and spaces at the end count; a text that looks like a number is none. In UTF-16 nothing is removed."""
    path, texts = tmp_path / "odd.db", ("openai", "OpenAI", "openai ", "1", "1.0", 1, 1.0, b"openai", "é")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        columns = "provider TEXT COLLATE NOCASE, model NUMERIC, customer_id COLLATE RTRIM, status COLLATE NOCASE"
        connection.execute(f"CREATE TABLE logs (id TEXT, timestamp, created_at, object_type, {columns})")
        rows = [(f"{number}", NOON, NOON, "", text, text, text, "success") for number, text in enumerate(texts)]
        connection.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("INSERT INTO logs VALUES ('z', ?, ?, '', 'openai', '', '', 'SUCCESS')", (NOON, NOON))
        connection.commit()
    for text in map(str, texts[:5]):
        for name in ("providers", "models", "customers"):
            found = both_ways(path, Filters.model_validate({name: (text,)}))
            assert (found.by_sql > 1) is (encoding == "UTF-8")
            assert len(found.rejected) == 1


OTHER_TABLES = {
    "other types": "ALTER TABLE logs ALTER latency TYPE float4, ALTER cost TYPE float8,"
    " ALTER prompt_tokens TYPE integer, ALTER completion_tokens TYPE numeric, ALTER error_details TYPE jsonb"
    " USING CASE WHEN error_details IS NOT NULL AND error_details <> '' THEN error_details::jsonb END,"
    " ALTER provider TYPE char(12), ALTER customer_ids TYPE jsonb USING to_jsonb(ARRAY['cust_a', 'cust_b'])",
    "whole latencies": "ALTER TABLE logs ALTER latency TYPE int4 USING CASE id WHEN '0' THEN -2147483648 ELSE 7 END,"
    " ALTER cost TYPE float4",
}


@pytest.mark.parametrize("change", OTHER_TABLES.values(), ids=OTHER_TABLES)
def test_tables_of_other_types_agree(postgres_store: str, change: str) -> None:
    """And nothing that a row holds makes a statement fail."""
    changes = ({}, {"provider": "OpenAI"}, {"model": "GPT-4o"}, {"customer_id": None}, {"latency": "2.5"}, {"cost": 3})
    rows = [{**ROW, "id": f"{number}", **each} for number, each in enumerate(changes)]
    with in_postgres.writing(postgres_store) as execute:
        in_postgres.insert(execute, [*rows, TWO[1]])
        for statement in change.split("; "):
            execute(statement)
        with closing(PostgresLogStore(config_of(postgres_store))) as store:
            wanted = (*SOME_FILTERS, Filters(models=("gpt-4o",)), Filters(customers=("cust_b",)))
            found = [Postgres(store, execute).both_ways(filters) for filters in wanted]
    assert sum(each.by_sql for each in found) > 20


def test_backslashes_are_letters_in_any_database(postgres: PostgresServer, postgres_store: str) -> None:
    """Also in one that reads them as escapes by itself."""
    name = postgres_store.rpartition("/")[2]
    in_postgres.add_rows(postgres_store, [{**ROW, "id": "a", "model": "\\"}, {**ROW, "id": "b"}])
    postgres.psql(f"ALTER DATABASE {name} SET standard_conforming_strings = off; SELECT 1", name)
    with closing(PostgresLogStore(config_of(postgres_store))) as store:
        found = read(store, Filters(models=("\\", "\\' OR true --")), True)
    assert (found.rows.column("request_id").to_pylist(), found.by_sql) == (["a"], 1)


def test_a_database_of_another_encoding_is_filtered_by_its_records(postgres: PostgresServer) -> None:
    """It can't say whether a text is UTF-8, nor hold every text of the filters."""
    postgres.psql("CREATE DATABASE other_bytes ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    url = postgres.url("other_bytes")
    try:
        in_postgres.create(url)
        in_postgres.add_rows(url, [*TWO, {**ROW, "id": "c"}])
        postgres.psql("UPDATE logs SET provider = chr(233) WHERE id = 'c'", "other_bytes")
        with closing(PostgresLogStore(config_of(url))) as store:
            found = read(store, Filters(providers=("é", "😀")), True)
    finally:
        postgres.drop_database("other_bytes")
    assert (found.by_sql, found.counts, found.rows.column("request_id").to_pylist()) == (0, {"providers": 2}, ["c"])
