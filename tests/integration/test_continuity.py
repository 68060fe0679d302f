"""A rerun never publishes fewer log rows, or those of another log store, unless it was asked to."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bifrost_export.errors import OtherLogStoreError, ShrunkWindowError
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests.integration.commands import Desk, bucket_of
from tests.integration.exports import Export
from tests.integration.published import folder_contents
from tests.servers.buckets import Buckets
from tests.support.postgres_rows import rows_of as rows_in

DAY = ("--export", "nightly", "--window-start", "2026-03-01", "--window-end", "2026-03-02")


def delete(path: Path, where: str = "1", table: str = "logs") -> None:
    """Do what Bifrost's retention does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"DELETE FROM {table} WHERE {where}")


def rows_of(found: dict[str, Any]) -> int:
    """The log rows that a run counted."""
    return int(found["datasets"]["request_logs"]["source"])


def test_an_emptied_log_store_is_refused_and_the_archive_stays(desk: Desk) -> None:
    """Both counts and the retention are named, and what to set."""
    first = desk.run("2026-03-01", "2026-03-02")
    before = folder_contents(desk.out)
    delete(desk.log_store)

    code, found = desk.told("run", *DAY)

    assert (code, found["error"]["type"]) == (1, "ShrunkWindowError")
    assert f"{rows_of(first):,}" in found["error"]["message"]
    assert " 0 log rows" in found["error"]["message"]
    assert "client.log_retention_days" in found["error"]["message"]
    assert "--allow-shrink" in found["error"]["hint"]
    assert folder_contents(desk.out) == before


def test_allow_shrink_publishes_what_is_left(desk: Desk) -> None:
    """As the next revision."""
    desk.run("2026-03-01", "2026-03-02")
    delete(desk.log_store, "rowid % 2")

    assert desk.told("run", *DAY)[0] == 1
    found = desk.run("2026-03-01", "2026-03-02", "--allow-shrink")

    assert (found["revision"], found["unchanged"]) == (2, False)
    assert desk.run("2026-03-01", "2026-03-02")["unchanged"]


def test_one_row_fewer_is_refused_by_a_dry_run_too(desk: Desk) -> None:
    """Before any row moves."""
    desk.run("2026-03-01", "2026-03-02")
    delete(
        desk.log_store, "rowid = (SELECT MIN(rowid) FROM logs WHERE timestamp < '2026-03-02' AND status = 'success')"
    )
    assert desk.told("run", *DAY, "--dry-run")[0] == 1


def test_a_row_that_was_processing_and_has_settled_is_no_shrinking(desk: Desk) -> None:
    """The window grows."""
    with closing(sqlite3.connect(desk.log_store)) as connection, connection:
        connection.execute("UPDATE logs SET status = 'processing' WHERE rowid % 10 = 0")
    desk.run("2026-03-01", "2026-03-02")
    with closing(sqlite3.connect(desk.log_store)) as connection, connection:
        connection.execute("UPDATE logs SET status = 'success' WHERE status = 'processing'")
    assert desk.run("2026-03-01", "2026-03-02")["revision"] == 2


def test_rejected_rows_count_among_the_source_rows(desk: Desk) -> None:
    """A row that is repaired, or becomes broken, takes nothing away; one that is deleted does."""
    desk.data = {"max_rejected": "100%"}
    broken = "UPDATE logs SET timestamp = 'not a time', created_at = '2026-03-01T05:00:00Z' WHERE rowid % 50 = 0"
    desk.run("2026-03-01", "2026-03-02")
    with closing(sqlite3.connect(desk.log_store)) as connection, connection:
        connection.execute(broken + " AND timestamp < '2026-03-02'")
    assert desk.run("2026-03-01", "2026-03-02")["datasets"]["request_logs"]["rejected"] > 0
    delete(desk.log_store, "timestamp = 'not a time'")
    assert desk.told("run", *DAY)[0] == 1


@pytest.mark.parametrize(
    ("former", "later"),
    [
        (None, {"start": "2026-03-01T06:00:00Z", "end": "2026-03-01T07:59:59Z"}),
        (None, "last_48_hours"),
        ("last_48_hours", None),
        ("last_7_days", "today"),
    ],
)
def test_another_date_range_is_no_shrinking(desk: Desk, former: Any, later: Any) -> None:
    """The window's own rows are compared, whatever else was read or left out."""
    desk.data = {"filters": {"date_range": former}} if former else {}
    assert desk.told("run", "--export", "nightly", "--window-start", "2026-03-02", "--window-end", "2026-03-03")[0] == 0
    desk.data = {"filters": {"date_range": later}} if later else {}
    day = ("--export", "nightly", "--window-start", "2026-03-02", "--window-end", "2026-03-03")
    assert desk.told("run", *day)[0] == 0
    delete(
        desk.log_store, "rowid = (SELECT MAX(rowid) FROM logs WHERE timestamp >= '2026-03-02' AND status = 'success')"
    )
    assert desk.told("run", *day)[0] == 1


def test_other_datasets_are_compared_by_the_rows_that_they_are_made_of(desk: Desk) -> None:
    """A window published as `request_logs` is held to its count when it is published as `error_logs`."""
    desk.run("2026-03-01", "2026-03-02")
    desk.data = {"include": ["error_logs", "metrics"]}
    assert desk.told("run", *DAY)[0] == 0
    delete(desk.log_store, "rowid % 2")
    assert desk.told("run", *DAY)[0] == 1


def test_tool_calls_can_shrink_by_themselves(desk: Desk) -> None:
    """They have books of their own."""
    desk.data = {"include": ["traces"]}
    found = desk.run("2026-03-01", "2026-03-02")
    assert found["mcp"]["source"] > 0
    delete(desk.log_store, table="mcp_tool_logs")

    code, told = desk.told("run", *DAY)

    assert (code, told["error"]["type"]) == (1, "ShrunkWindowError")
    assert "0 tool calls" in told["error"]["message"]
    assert desk.told("run", *DAY, "--allow-shrink")[0] == 0


def test_a_longer_window_is_compared_with_the_sum_of_those_that_it_replaces(desk: Desk) -> None:
    """Two days hold what each of them held."""
    days = [desk.run("2026-03-01", "2026-03-02"), desk.run("2026-03-02", "2026-03-03")]
    both = (
        "--export",
        "nightly",
        "--window-start",
        "2026-03-01",
        "--window-end",
        "2026-03-03",
        "--replace-overlapping",
    )
    delete(desk.log_store, "timestamp < '2026-03-02'")
    before = folder_contents(desk.out)

    code, found = desk.told("run", *both)

    assert (code, found["error"]["type"]) == (1, "ShrunkWindowError")
    assert f" {sum(map(rows_of, days)):,} " in found["error"]["message"]
    assert folder_contents(desk.out) == before
    assert desk.told("run", *both, "--allow-shrink")[0] == 0


def test_a_walk_takes_the_same_flags(desk: Desk) -> None:
    """They reach each of its windows."""
    desk.run("2026-03-01T06:00", "2026-03-01T18:00")
    delete(desk.log_store)
    walk = ("--export", "nightly", "--from", "2026-03-01", "--to", "2026-03-02", "--replace-overlapping")

    code, found = desk.told("run", *walk)
    assert (code, found["error"]["type"]) == (1, "ShrunkWindowError")
    code, found = desk.told("run", *walk, "--allow-shrink")
    assert (code, len(found["runs"])) == (0, 1)


def test_another_log_store_is_refused_and_named(desk: Desk, tmp_path: Path) -> None:
    """Though it holds as many rows."""
    desk.run("2026-03-01", "2026-03-02")
    before, former = folder_contents(desk.out), desk.log_store
    desk.log_store = Path(shutil.copy(former, tmp_path / "other.db"))

    code, found = desk.told("run", *DAY)

    assert (code, found["error"]["type"]) == (1, "OtherLogStoreError")
    assert str(former) in found["error"]["message"]
    assert str(desk.log_store) in found["error"]["message"]
    assert "--replace-source" in found["error"]["hint"]
    assert folder_contents(desk.out) == before


def test_replace_source_takes_the_window_over(desk: Desk, tmp_path: Path) -> None:
    """Though the rows are the same: from then on the manifest names the new log store."""
    desk.run("2026-03-01", "2026-03-02")
    desk.log_store = Path(shutil.move(desk.log_store, tmp_path / "moved.db"))

    found = desk.run("2026-03-01", "2026-03-02", "--replace-source")

    assert (found["revision"], found["unchanged"]) == (2, False)
    assert desk.run("2026-03-01", "2026-03-02")["unchanged"]


def test_a_link_to_the_same_file_is_the_same_log_store(desk: Desk, tmp_path: Path) -> None:
    """And so is another way to write its path."""
    desk.run("2026-03-01", "2026-03-02")
    link = tmp_path / "link.db"
    link.symlink_to(desk.log_store)
    desk.log_store = link
    assert desk.run("2026-03-01", "2026-03-02")["unchanged"]
    (tmp_path / "sub").mkdir()
    desk.log_store = tmp_path / "sub" / ".." / "logs.db"
    assert desk.run("2026-03-01", "2026-03-02")["unchanged"]


def test_both_are_refused_in_a_bucket(desk: Desk, buckets: Buckets, tmp_path: Path) -> None:
    """S3 as files."""
    desk.destination = bucket_of(buckets)
    desk.run("2026-03-01", "2026-03-02")
    former = desk.log_store
    desk.log_store = Path(shutil.copy(former, tmp_path / "other.db"))
    assert desk.told("run", *DAY)[1]["error"]["type"] == "OtherLogStoreError"
    desk.log_store = former
    delete(desk.log_store)
    assert desk.told("run", *DAY)[1]["error"]["type"] == "ShrunkWindowError"


def test_rows_that_vanish_between_plan_and_publish_are_missed(tmp_path: Path, log_store: Path) -> None:
    """`publish` compares again: what plan counted is not what was read."""
    export, day = Export(tmp_path, log_store), Window.parse("2026-03-01", "2026-03-02")
    export.run(day)
    before = export.contents()

    def clean(event: str, _: Any) -> None:
        if event == "plan":
            delete(log_store, "rowid % 3 = 0")

    export.runtime = {"report": clean}
    with pytest.raises(ShrunkWindowError, match="when it was published"):
        export.run(day)
    assert export.contents() == before
    assert export.run(day, allow_shrink=True)["revision"] == 2


def test_a_postgres_log_store_is_known_by_any_way_to_name_it(
    tmp_path: Path, log_store: Path, postgres: PostgresServer, postgres_store: str
) -> None:
    """By keys or by a connection, with or without its schema; another database of the server is another log store."""
    day, connections = Window.parse("2026-03-01", "2026-03-02"), {}
    with in_postgres.writing(postgres_store) as write:
        in_postgres.insert(write, rows_in(log_store))
    keys = from_address(postgres_store, "the test")
    export = Export(tmp_path, log_store, source={"type": "postgres", "config": keys})
    export.run(day)
    told = export.manifest(day)["source"]
    assert told == {
        "type": "postgres",
        "host": keys["host"],
        "port": keys["port"],
        "database": keys["db_name"],
        "schema": "public",
    }

    export.source["config"] = {**keys, "schema": "public"}
    assert export.run(day)["unchanged"]
    named = {"host": keys["host"], "port": keys["port"], "schema": keys["db_name"], "extra_dejson": {}}
    account = {"conn_type": "postgres", "login": keys["user"], "password": keys.get("password")}
    connections["bifrost"] = SimpleNamespace(**named, **account)
    export.runtime = {"get_connection": connections.get}
    export.source["config"] = {"conn_id": "bifrost"}
    assert export.run(day)["unchanged"]

    other = "other_store"
    postgres.create_database(other, keys["db_name"])
    try:
        export.source["config"] = {**keys, "db_name": other}
        with pytest.raises(OtherLogStoreError, match=f"database {keys['db_name']}.*not.*database {other}"):
            export.run(day)
        assert export.run(day, replace_source=True)["revision"] == 2
    finally:
        postgres.drop_database(other)
