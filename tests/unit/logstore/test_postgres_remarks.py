"""What can keep rows of a PostgreSQL log store out of sight without an error: it is remarked on, and never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests.integration.commands import Desk
from tests.integration.exports import Export
from tests.servers.postgres import config_of

DAY = Window.parse("2026-03-01", "2026-03-02")


@pytest.fixture
def psql(postgres: PostgresServer, postgres_store: str) -> Callable[[str], str]:
    """Runs SQL in the test's own log store."""
    return lambda sql: postgres.psql(sql, postgres_store.rpartition("/")[2])


REMARKED = {
    "CREATE VIEW logs AS SELECT * FROM was WHERE status <> 'error'": "public.logs is a view",
    "CREATE VIEW logs WITH (security_barrier) AS SELECT * FROM was": "public.logs is a view",
    "CREATE MATERIALIZED VIEW logs AS SELECT * FROM was": "public.logs is a materialized view",
    "CREATE SCHEMA other; CREATE TABLE other.logs (LIKE was); CREATE TABLE logs (LIKE was)": "in the schema other",
    "CREATE TABLE logs (LIKE was); CREATE SUBSCRIPTION {name} CONNECTION 'host=127.0.0.1' PUBLICATION p"
    " WITH (connect = false); INSERT INTO pg_subscription_rel SELECT oid, 'logs'::regclass, 'r', NULL"
    " FROM pg_subscription WHERE subname = '{name}'": "is filled by the logical replication",
}


@pytest.mark.parametrize("change", REMARKED, ids=REMARKED.values())
def test_what_can_hide_rows_is_remarked_on(
    change: str, postgres_store: str, psql: Callable[[str], str], tmp_path: Path
) -> None:
    """By the log store, and by a run as a warning."""
    name = f"copied_{postgres_store.rpartition('_')[2]}"
    psql("ALTER TABLE logs RENAME TO was")
    for each in change.format(name=name).split("; "):
        psql(f"SET allow_system_table_mods = on; {each}" if "pg_subscription_rel" in each else each)
    try:
        with closing(PostgresLogStore(config_of(postgres_store))) as store:
            [remark] = store.remarks()
        warnings: list[Any] = []
        config = from_address(postgres_store, "the test")
        export = Export(tmp_path, tmp_path, source={"type": "postgres", "config": config})
        export.runtime = {"report": lambda event, facts: warnings.append(facts) if event == "warning" else None}
        export.run(DAY)
    finally:
        if "SUBSCRIPTION" in change:
            psql(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
            psql(f"DROP SUBSCRIPTION {name}")

    assert REMARKED[change] in remark.message
    assert [remark.message in each["message"] for each in warnings] == [True]


def test_a_table_of_bifrosts_own_has_no_remark(postgres_store: str, psql: Callable[[str], str]) -> None:
    """Nor one in a schema that the source names, nor beside another application's table of that name."""
    psql("CREATE SCHEMA other; CREATE TABLE other.logs (id int, line text)")
    with closing(PostgresLogStore(config_of(postgres_store))) as store:
        assert store.remarks() == []
    psql("DROP TABLE other.logs; CREATE TABLE other.logs (LIKE logs)")
    with closing(PostgresLogStore(config_of(postgres_store, schema="public"))) as store:
        assert store.remarks() == []


def test_check_says_that_logs_is_a_view(
    desk: Desk, postgres_store: str, psql: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to make an index on it."""
    psql("ALTER TABLE logs RENAME TO was; CREATE VIEW logs AS SELECT * FROM was")
    config = {**from_address(postgres_store, "the test"), "password": "${STORE_PASSWORD}"}
    monkeypatch.setenv("STORE_PASSWORD", PostgresServer.password)
    document = json.loads(Path(desk.document).read_text())
    document["log_exports"]["source"] = {"type": "postgres", "config": config}
    path = desk.folder / "view.json"
    path.write_text(json.dumps(document))
    monkeypatch.setattr(Desk, "document", str(path))

    code, found = desk.told("check")

    steps = {each["what"]: each for each in found["checks"]}
    assert code == 0
    assert (
        "public.logs is a view: what its query leaves out is not exported" in steps["log store: table logs"]["message"]
    )
    assert "Set schema of the source" in steps["log store: table logs"]["hint"]
    assert "a view or foreign table has no index of its own" in steps["log store: index"]["message"]
    assert "CREATE INDEX" not in str(found)
