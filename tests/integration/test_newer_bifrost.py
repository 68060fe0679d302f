"""A log store of a newer Bifrost: what this package doesn't know is exported or reported, never lost in silence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bifrost_export.config.loader import load
from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample.sqlite_tables import add_rows, create
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests.integration.commands import Desk
from tests.integration.exports import Export
from tests.support.odd_rows import BASE

DAY = Window.parse("2026-03-01", "2026-03-02")
NOON = "2026-03-01 12:00:00+00:00"
NEW = {
    "newer_words": ("text", "`a`, 'b'"),
    "newer_count": ("integer", 2**40),
    "newer_share": ("real", 0.25),
    "newer_truth": ("boolean", True),
    "newer_time": ("timestamptz", "2026-03-01 11:00:00.5+00:00"),
}
EXPORTED = {
    "newer_words": (pa.string(), "`a`, 'b'"),
    "newer_count": (pa.int64(), 2**40),
    "newer_share": (pa.float64(), 0.25),
    "newer_truth": (pa.bool_(), True),
    "newer_time": (pa.timestamp("us", "UTC"), 1772362800500000),
}
IN_SQLITE = {"boolean": "numeric DEFAULT false", "timestamptz": "datetime"}
IN_POSTGRES = {"integer": "bigint", "real": "decimal"}


def row(name: str, **over: Any) -> dict[str, Any]:
    """A plain row."""
    return {**BASE, "id": name, "timestamp": NOON, "created_at": NOON, **over}


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A SQLite log store with columns that this package doesn't know; one row fills them."""
    path = tmp_path / "newer.db"
    create(path)
    with closing(sqlite3.connect(path)) as connection:
        for name, (type_, _) in NEW.items():
            connection.execute(f"ALTER TABLE logs ADD COLUMN {name} {IN_SQLITE.get(type_, type_)}")
    add_rows(path, [row("full", **{name: value for name, (_, value) in NEW.items()}), row("none", newer_truth=None)])
    return path


@pytest.fixture
def newer_in_postgres(postgres: PostgresServer, postgres_store: str) -> str:
    """The same in PostgreSQL."""
    for name, (type_, _) in NEW.items():
        dbname = postgres_store.rpartition("/")[2]
        postgres.psql(f"ALTER TABLE logs ADD COLUMN {name} {IN_POSTGRES.get(type_, type_)}", dbname)
    rows = [row("full", **{name: value for name, (_, value) in NEW.items()}), row("none")]
    in_postgres.add_rows(postgres_store, rows)
    return postgres_store


def table(export: Export) -> pa.Table:
    """The published rows."""
    [part] = export.parts().values()
    return pq.read_table(pa.BufferReader(part))


def check_exported(export: Export) -> None:
    """A run gives each new column by its own type."""
    export.run(DAY)
    found = table(export)
    for name, (type_, value) in EXPORTED.items():
        assert found.schema.field(name).type == type_
        cells = found.column(name).cast(pa.int64()) if pa.types.is_timestamp(type_) else found.column(name)
        assert cells.to_pylist() == [value, None]


def test_columns_of_a_newer_sqlite_store_are_exported_by_their_types(newer: Path, tmp_path: Path) -> None:
    """As `ALTER TABLE` of Bifrost's own migrations declares them."""
    check_exported(Export(tmp_path / "x", newer, {"extra_fields": list(NEW)}))


def test_columns_of_a_newer_postgres_store_are_exported_by_their_types(newer_in_postgres: str, tmp_path: Path) -> None:
    """The same values."""
    source = {"type": "postgres", "config": from_address(newer_in_postgres, "the test")}
    check_exported(Export(tmp_path / "x", tmp_path, {"extra_fields": list(NEW)}, source=source))


def test_a_column_that_nobody_knows_fails_before_a_row_is_read(newer: Path, tmp_path: Path) -> None:
    """It is not null in silence; one that this package knows is."""
    export = Export(tmp_path / "x", newer, {"extra_fields": ["agent_correlation_id", "newer_wards"]})
    with pytest.raises(
        LogStoreError, match=r"names 'newer_wards', and the table logs of .* has no such column"
    ) as caught:
        export.run(DAY)
    assert "Did you mean 'newer_words'?" in str(caught.value)
    assert not export.out.exists()

    export.data = {"extra_fields": ["agent_correlation_id"]}
    export.run(DAY)
    assert table(export).column("agent_correlation_id").to_pylist() == [None, None]


def test_validate_warns_of_a_column_that_it_does_not_know(newer: Path, tmp_path: Path) -> None:
    """It sees no log store."""
    export = Export(tmp_path / "x", newer, {"extra_fields": ["team_id", "virtual_key_nam"]})
    [loaded] = load(export.document()).exports
    [problem] = loaded.problems
    assert (problem.severity, problem.pointer) == ("warning", "/log_exports/exports/0/data/extra_fields/1")
    assert "'virtual_key_nam' is not a known column of logs" in problem.message
    assert "Did you mean 'virtual_key_name'? Run check" in str(problem.hint)


@pytest.mark.parametrize("name", ["redaction_mapping", "REDACTION_MAPPING", " redaction_mapping", "redaction_mapping "])
def test_redaction_mapping_can_not_be_exported_by_any_spelling(name: str, newer: Path, tmp_path: Path) -> None:
    """SQLite doesn't tell capitals from small letters."""
    [loaded] = load(Export(tmp_path / "x", newer, {"extra_fields": [name]}).document()).exports
    assert [problem.severity for problem in loaded.problems] == ["error"]


def steps(desk: Desk) -> dict[str, dict[str, Any]]:
    """What `check` finds, by its steps."""
    return {each["what"].removeprefix("log store: "): each for each in desk.told("check")[1]["checks"]}


def test_check_names_what_it_does_not_know(desk: Desk, newer: Path) -> None:
    """Columns, and kinds and statuses of the latest rows, which a run exports or rejects."""
    desk.log_store = newer
    desk.data = {"extra_fields": ["newer_count"]}
    found = steps(desk)
    assert "newer_count, newer_share, newer_time, newer_truth, newer_words" in found["columns"]["message"]
    assert "exported by their type in the log store: newer_count (int64)" in found["columns"]["message"]
    assert "kinds of rows" not in found

    desk.data = {"extra_fields": ["newer_cunt"]}
    assert not steps(desk)["columns"]["ok"]


def read_from(desk: Desk, kind: str, newer: Path, newer_in_postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the desk's document name one of the log stores."""
    document = json.loads(Path(desk.document).read_text())
    config = {"path": str(newer)}
    if kind == "postgres":
        monkeypatch.setenv("STORE_PASSWORD", PostgresServer.password)
        config = {**from_address(newer_in_postgres, "the test"), "password": "${STORE_PASSWORD}"}
    document["log_exports"]["source"] = {"type": kind, "config": config}
    path = desk.folder / "newer.json"
    path.write_text(json.dumps(document))
    monkeypatch.setattr(Desk, "document", str(path))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_check_names_a_table_of_requests_that_is_not_exported(
    desk: Desk,
    newer: Path,
    newer_in_postgres: str,
    postgres: PostgresServer,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`agent_logs`, in the step of the table `logs`; a run says nothing of it."""
    read_from(desk, kind, newer, newer_in_postgres, monkeypatch)
    assert "agent_logs" not in steps(desk)["table logs"]["message"]
    if kind == "sqlite":
        with closing(sqlite3.connect(newer)) as connection:
            connection.execute("CREATE TABLE agent_logs (id text PRIMARY KEY)")
    else:
        postgres.psql("CREATE TABLE agent_logs (id text PRIMARY KEY)", newer_in_postgres.rpartition("/")[2])

    step = steps(desk)["table logs"]

    assert step["ok"]
    assert "the table agent_logs (A2A operations) is here too, and is not exported" in step["message"]
    assert step["hint"] is None
    assert not any("agent_logs" in each for each in desk.run("2026-03-01", "2026-03-02")["warnings"])


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_check_names_kinds_and_statuses_that_it_does_not_know(
    desk: Desk,
    newer: Path,
    newer_in_postgres: str,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    add: Callable[..., None],
) -> None:
    """In the latest settled window."""
    add(kind, newer, newer_in_postgres)
    read_from(desk, kind, newer, newer_in_postgres, monkeypatch)

    message = steps(desk)["kinds of rows"]["message"]

    assert "object_type 'telepathy': 2 rows, exported as POST /v1/telepathy" in message
    assert "status 'parked': 1 rows, which are rejected" in message
    assert "live.session" not in message


@pytest.fixture
def add() -> Callable[..., None]:
    """Adds rows of yesterday."""
    from datetime import UTC, datetime, timedelta

    time = (datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=12)).isoformat(" ")
    rows = [
        row("t-1", object_type="telepathy"),
        row("t-2", object_type="telepathy", status="parked"),
        row("live", object_type="live.session"),
        row("usual"),
    ]
    rows = [{**each, "timestamp": time, "created_at": time} for each in rows]

    def add_to(kind: str, path: Path, url: str) -> None:
        if kind == "sqlite":
            add_rows(path, rows)
        else:
            in_postgres.add_rows(url, rows)

    return add_to


def test_newer_contents_are_contents(tmp_path: Path) -> None:
    """Inputs of embeddings, which no longer stand in `input_history`, and live sessions; as extra fields refused."""
    path = tmp_path / "logs.db"
    create(path)
    with closing(sqlite3.connect(path)) as connection:
        for name in ("embedding_input", "batch_embedding_input", "live_session"):
            connection.execute(f"ALTER TABLE logs ADD COLUMN {name} text")
    add_rows(
        path,
        [
            row("a", object_type="embedding", embedding_input='["one"]'),
            row("b", object_type="embedding", batch_embedding_input='[["two"]]'),
            row("c", object_type="live.session", live_session='{"turns":2}'),
            row("d", object_type="embedding", embedding_input='["hidden"]', content_hidden=True),
        ],
    )
    export = Export(tmp_path / "x", path, {"include_content": True})
    export.run(DAY)
    found = table(export)
    assert found.column("request_content").to_pylist() == [
        '{"embedding_input":["one"]}',
        '{"batch_embedding_input":[["two"]]}',
        '{"live_session":{"turns":2}}',
        None,
    ]
    assert found.column("endpoint").to_pylist()[2] == "/v1/realtime"
    assert found.column("method").to_pylist()[2] == "GET"
    [loaded] = load(Export(tmp_path / "y", path, {"extra_fields": ["embedding_input"]}).document()).exports
    assert [problem.severity for problem in loaded.problems] == ["error"]
