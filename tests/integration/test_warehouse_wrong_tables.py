"""What stands in a table's place is looked at by `plan` and `check`, before any row moves: kind, types and lengths."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.errors import DestinationError, DestinationUnavailableError
from bifrost_export.window import Window
from demo.servers.bigquery.catalog import quoted
from demo.servers.bigquery.errors import denied
from tests.integration.commands import Desk
from tests.integration.exports import Export
from tests.servers.bigquery.server import PROJECT, BigQuery
from tests.servers.redshift.server import Redshift
from tests.servers.snowflake.server import Snowflake

DAY_OF = ("--export", "nightly", "--window-start", "2026-03-01", "--window-end", "2026-03-02")
DAY = Window.parse("2026-03-01", "2026-03-02")


def _redshift(server: Redshift, what: str) -> None:
    statements = {
        "a short text": "ALTER TABLE request_logs ALTER COLUMN provider TYPE varchar(5)",
        "a text of 256": "ALTER TABLE request_logs ALTER COLUMN endpoint TYPE varchar(256)",
        "a fixed text": "ALTER TABLE request_logs ALTER COLUMN model TYPE char(9)",
        "a time without zone": 'ALTER TABLE request_logs ALTER COLUMN "timestamp" TYPE timestamp',
        "a coarse time": 'ALTER TABLE request_logs ALTER COLUMN "timestamp" TYPE timestamptz(0)',
        "a decimal": "ALTER TABLE request_logs ALTER COLUMN cost_usd TYPE numeric(10, 2)",
        "a real": "ALTER TABLE request_logs ALTER COLUMN cost_usd TYPE real",
        "a required": "ALTER TABLE request_logs ALTER COLUMN cost_usd SET NOT NULL",
        "another required": "ALTER TABLE request_logs ADD COLUMN theirs int NOT NULL",
        "view": "ALTER TABLE request_logs RENAME TO old; CREATE VIEW request_logs AS SELECT * FROM old",
    }
    server.sql("DELETE FROM request_logs;" + statements[what])


_REDSHIFT = {
    "a short text": r"column provider is CHARACTER VARYING\(5\) and would have to be VARCHAR\(65535\)",
    "a text of 256": r"column endpoint is CHARACTER VARYING\(256\) and would have to be VARCHAR\(65535\)",
    "a fixed text": r"column model is CHARACTER and would",
    "a time without zone": r"column timestamp is TIMESTAMP WITHOUT TIME ZONE and would have to be TIMESTAMPTZ",
    "a coarse time": r"column timestamp is TIMESTAMP WITH TIME ZONE\(0\)",
    "a decimal": r"column cost_usd is NUMERIC and would have to be DOUBLE PRECISION",
    "a real": r"column cost_usd is REAL and would",
    "a required": r"column cost_usd takes no null",
    "another required": r"column theirs takes no null, and no row has it",
    "view": r"request_logs is a view, and rows can only be loaded into a table",
}


@pytest.mark.parametrize("what", _REDSHIFT)
def test_redshift_refuses_it_by_plan_and_check(redshift: Redshift, desk: Desk, what: str) -> None:
    """With the column, what is there and what is needed; nothing is staged."""
    desk.destination = {"type": "redshift", "config": redshift.config()}
    desk.run("2026-03-01", "2026-03-02")
    before = redshift.staged()
    _redshift(redshift, what)
    _refused(desk, _REDSHIFT[what])
    assert redshift.staged() == before


def _refused(desk: Desk, told: str) -> None:
    day = ("--export", "nightly", "--window-start", "2026-03-01T00:00:00Z", "--window-end", "2026-03-02T00:00:00Z")
    code, _, said = desk.shown("run", *day)
    assert code == 1
    assert re.search(told, " ".join(said.split())), said
    assert "no row was moved" in " ".join(said.split())
    code, found = desk.told("check")
    assert code == 1
    [probe] = [each for each in found["checks"] if each["what"].endswith(("tables", "table")) and not each["ok"]][:1]
    assert re.search(told, probe["message"]), probe


def _field(bigquery: BigQuery, name: str) -> dict[str, Any]:
    table = bigquery.api.service.catalog.tables[PROJECT, bigquery.dataset, "request_logs"]
    return next(each for each in table["schema"]["fields"] if each["name"] == name)


def _bigquery(bigquery: BigQuery, what: str) -> None:
    table = bigquery.api.service.catalog.tables[PROJECT, bigquery.dataset, "request_logs"]
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "a short text": ("provider", {"maxLength": "5"}),
        "a time without zone": ("timestamp", {"type": "DATETIME"}),
        "a decimal": ("cost_usd", {"type": "NUMERIC", "precision": "10", "scale": "2"}),
        "an array": ("model", {"mode": "REPEATED"}),
    }
    if what in changes:
        name, change = changes[what]
        _field(bigquery, name).update(change)
    else:
        table["type"] = what


_BIGQUERY = {
    "a short text": r"column provider is STRING\(5\) and would have to be STRING",
    "a time without zone": r"column timestamp is DATETIME and would have to be TIMESTAMP",
    "a decimal": r"column cost_usd is NUMERIC and would have to be FLOAT",
    "an array": r"column model is ARRAY<STRING> and would have to be STRING",
    "VIEW": r"request_logs is a view, and rows can only be loaded into a table",
    "MATERIALIZED_VIEW": r"request_logs is a materialized view",
    "EXTERNAL": r"request_logs is a external table|request_logs is an external table",
    "SNAPSHOT": r"request_logs is a table snapshot",
}


@pytest.mark.parametrize("what", _BIGQUERY)
def test_bigquery_refuses_it_by_plan_and_check(bigquery: BigQuery, desk: Desk, what: str) -> None:
    """With the column, what is there and what is needed; nothing is staged."""
    desk.destination = {"type": "bigquery", "config": bigquery.config()}
    desk.run("2026-03-01", "2026-03-02")
    _bigquery(bigquery, what)
    _refused(desk, _BIGQUERY[what])
    assert bigquery.staged() == []


def _without_latencies(log_store: Path) -> None:
    """Let every row be as a cache hit leaves it."""
    with closing(sqlite3.connect(log_store)) as connection, connection:
        connection.execute("UPDATE logs SET latency = NULL, error_details = NULL")


def _metrics_of_version_1(bigquery: BigQuery, desk: Desk) -> None:
    """Load `metrics`, and let its latencies be as version 1 of the schema had them: they took no null."""
    desk.destination = {"type": "bigquery", "config": bigquery.config(table="metrics")}
    desk.data = {"include": ["metrics"]}
    desk.run("2026-03-01", "2026-03-02")
    catalog = bigquery.api.service.catalog
    key = (PROJECT, bigquery.dataset, "metrics")
    fields = [each for each in catalog.tables[key]["schema"]["fields"] if "latency" in each["name"]]
    for each in fields:
        catalog.database.execute(f'ALTER TABLE {quoted(key)} ALTER COLUMN "{each["name"]}" SET NOT NULL')
        each["mode"] = "REQUIRED"
    assert len(fields) == 4
    _without_latencies(desk.log_store)


def test_latencies_of_an_older_metrics_table_take_null_from_now_on(bigquery: BigQuery, desk: Desk) -> None:
    """`check` says so, and the run changes the columns."""
    _metrics_of_version_1(bigquery, desk)
    code, found = desk.told("check")
    assert code == 0
    [message] = [each["message"] for each in found["checks"] if "will let" in each["message"]]
    assert "metrics will let avg_latency_ms, p50_latency_ms, p95_latency_ms, p99_latency_ms take null" in message

    assert desk.run("2026-03-01", "2026-03-02")["revision"] == 2
    assert {
        each["mode"]
        for each in bigquery.api.service.catalog.tables[PROJECT, bigquery.dataset, "metrics"]["schema"]["fields"]
        if "latency" in each["name"]
    } == {"NULLABLE"}


def test_a_user_who_may_not_change_the_columns_is_told_the_statements(
    bigquery: BigQuery, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the published rows stay."""
    _metrics_of_version_1(bigquery, desk)

    def refuse(key: tuple[str, str, str], *_: Any) -> dict[str, Any]:
        raise denied("Table", f"{key[0]}:{key[1]}.{key[2]}", "bigquery.tables.update")

    monkeypatch.setattr(bigquery.api.service.catalog, "patch_table", refuse)  # a right on this table alone
    code, found = desk.told("run", *DAY_OF)
    assert (code, found["error"]["type"]) == (1, "DestinationError")
    assert "take no null, and some rows have none: avg_latency_ms" in found["error"]["message"]
    table = f"`{PROJECT}.{bigquery.dataset}.metrics`"
    assert f"ALTER TABLE {table} ALTER COLUMN `p99_latency_ms` DROP NOT NULL" in found["error"]["hint"]


_SNOWFLAKE = {
    "a short text": (
        (
            "ALTER TABLE PUBLIC.REQUEST_LOGS DROP COLUMN PROVIDER;"
            " ALTER TABLE PUBLIC.REQUEST_LOGS ADD COLUMN PROVIDER VARCHAR(5)"
        ),
        r"column PROVIDER is TEXT\(5\) and would have to be VARCHAR",
    ),
    "a view": (
        (
            "ALTER TABLE PUBLIC.REQUEST_LOGS RENAME TO PUBLIC.OLD;"
            " CREATE VIEW PUBLIC.REQUEST_LOGS AS SELECT * FROM PUBLIC.OLD"
        ),
        r"REQUEST_LOGS is a view, and rows can only be loaded into a table",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("what", _SNOWFLAKE)
def test_snowflake_refuses_it_by_plan(snowflake: Snowflake, tmp_path: Path, log_store: Path, what: str) -> None:
    """With the column, what is there and what is needed; nothing is staged."""
    one = Export(tmp_path, log_store, destination={"type": "snowflake", "config": snowflake.config()})
    one.run(DAY)
    statements, told = _SNOWFLAKE[what]
    for statement in statements.split("; "):
        snowflake.sql(statement)
    with pytest.raises(DestinationError, match=told) as raised:
        one.run(DAY)
    assert not isinstance(raised.value, DestinationUnavailableError)
    assert snowflake.staged() == []
