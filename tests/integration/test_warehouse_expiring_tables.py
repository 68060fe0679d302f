"""BigQuery deletes tables and rows by itself where a dataset says so: exports keep theirs, and warn of all others."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.destinations.bigquery import expiration
from bifrost_export.window import UTC, Window
from tests.integration.commands import Desk
from tests.integration.exports import Export
from tests.servers.bigquery.server import PROJECT, BigQuery

DAY = Window.parse("2026-03-01", "2026-03-02")
DAY_MS = 86_400_000
TABLES = ("request_logs", "bifrost_export_loads", "bifrost_export_rejected")


def defaults(bigquery: BigQuery, *keys: str) -> None:
    """Let the dataset delete what is new after 60 days."""
    resource = bigquery.api.service.catalog.datasets[PROJECT, bigquery.dataset]
    resource.update({key: str(60 * DAY_MS) for key in keys})


def table(bigquery: BigQuery, name: str) -> dict[str, Any]:
    """A table's resource."""
    return bigquery.api.service.catalog.tables[PROJECT, bigquery.dataset, name]


def expiring(bigquery: BigQuery, name: str) -> tuple[Any, Any]:
    """When a table expires, and after how long its partitions do."""
    found = table(bigquery, name)
    return found.get("expirationTime"), found.get("timePartitioning", {}).get("expirationMs")


def export(folder: Path, log_store: Path, bigquery: BigQuery, told: list[str], **changes: Any) -> Export:
    """An export of the sample log store, whose warnings are kept."""

    def report(event: str, facts: dict[str, Any]) -> None:
        if event == "warning":
            told.append(facts["message"])

    config = {"type": "bigquery", "config": bigquery.config(**changes)}
    return Export(folder, log_store, destination=config, runtime={"report": report})


@pytest.mark.parametrize(
    "keys",
    [
        ("defaultTableExpirationMs",),
        ("defaultPartitionExpirationMs",),
        ("defaultTableExpirationMs", "defaultPartitionExpirationMs"),
    ],
    ids=["tables", "partitions", "both"],
)
def test_tables_are_created_to_stay_and_plan_warns_of_the_dataset(
    bigquery: BigQuery, tmp_path: Path, log_store: Path, keys: tuple[str, ...]
) -> None:
    """Data, books and rejected rows; tables of parts still expire."""
    defaults(bigquery, *keys)
    told: list[str] = []
    one = export(tmp_path, log_store, bigquery, told)
    parts: list[Any] = []
    make = bigquery.api.service.catalog.make_table

    def watched(key: Any, body: dict[str, Any]) -> dict[str, Any]:
        made = make(key, body)
        if key[2].startswith("bifrost_part_"):
            parts.append(made.get("expirationTime"))
        return made

    bigquery.api.service.catalog.make_table = watched  # type: ignore[method-assign]
    try:
        one.run(DAY)
    finally:
        bigquery.api.service.catalog.make_table = make  # type: ignore[method-assign]

    assert {name: expiring(bigquery, name) for name in TABLES} == dict.fromkeys(TABLES, (None, None))
    assert [table(bigquery, name).get("labels") for name in TABLES] == [{}] * 3
    for key in keys:
        assert any(f"after 60 days ({key})" in each and "sandbox" in each for each in told)
    week = dt.timedelta(days=7)
    assert parts
    assert all(dt.datetime.fromtimestamp(int(each) / 1000, UTC) < dt.datetime.now(UTC) + week for each in parts)


def test_expiration_lets_rows_go_after_their_day_and_keeps_the_books(
    bigquery: BigQuery, tmp_path: Path, log_store: Path
) -> None:
    """It is the partitions' own, whatever the dataset says."""
    defaults(bigquery, "defaultTableExpirationMs", "defaultPartitionExpirationMs")
    told: list[str] = []
    one = export(tmp_path, log_store, bigquery, told, expiration="400d")
    one.run(DAY)

    kept = (None, str(400 * DAY_MS))
    assert {name: expiring(bigquery, name) for name in TABLES} == {
        "request_logs": kept,
        "bifrost_export_loads": (None, None),
        "bifrost_export_rejected": kept,
    }
    told.clear()
    one.run(DAY)
    assert [each for each in told if "the table" in each] == []


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_expires_is_warned_of_with_the_statement_that_keeps_it(
    bigquery: BigQuery, tmp_path: Path, log_store: Path, name: str
) -> None:
    """It stays as its owner wants it."""
    told: list[str] = []
    one = export(tmp_path, log_store, bigquery, told)
    one.run(DAY)
    assert told == []
    table(bigquery, name)["expirationTime"] = "1999999999000"

    one.run(DAY)

    [warning] = told
    assert f"deletes the table {PROJECT}.{bigquery.dataset}.{name} with all its rows at 2033-05-18T03:33:19Z" in warning
    assert "SET OPTIONS (expiration_timestamp = NULL)" in warning
    assert expiring(bigquery, name)[0] == "1999999999000"


def test_partitions_that_expire_are_warned_of(bigquery: BigQuery, tmp_path: Path, log_store: Path) -> None:
    """Unless that is what the document asks for."""
    told: list[str] = []
    export(tmp_path, log_store, bigquery, told).run(DAY)
    table(bigquery, "request_logs")["timePartitioning"]["expirationMs"] = str(30 * DAY_MS)

    export(tmp_path, log_store, bigquery, told).run(DAY)
    assert len(told) == 1
    assert "request_logs 30 days after the day of their timestamp" in told[0]
    assert "partition_expiration_days = NULL" in told[0]

    told.clear()
    export(tmp_path, log_store, bigquery, told, expiration="90d").run(DAY)
    assert any("partition_expiration_days = 90" in each for each in told)
    told.clear()
    table(bigquery, "bifrost_export_rejected")["timePartitioning"]["expirationMs"] = str(30 * DAY_MS)
    export(tmp_path, log_store, bigquery, told, expiration="30d").run(DAY)
    assert told == []


def test_a_run_that_dies_between_the_two_requests_leaves_a_table_that_the_next_run_completes(
    bigquery: BigQuery, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label tells it from one that somebody else lets expire."""
    defaults(bigquery, "defaultTableExpirationMs")

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    one = export(tmp_path, log_store, bigquery, [])
    with monkeypatch.context() as patch:
        patch.setattr(expiration, "keep", die)
        with pytest.raises(KeyboardInterrupt):
            one.run(DAY)
    assert expiring(bigquery, "request_logs")[0] is not None

    one.run(DAY)
    assert {name: expiring(bigquery, name) for name in TABLES} == dict.fromkeys(TABLES, (None, None))


def test_check_tells_of_the_dataset_and_of_tables(bigquery: BigQuery, desk: Desk) -> None:
    """It stays green: the administrator decides."""
    defaults(bigquery, "defaultTableExpirationMs")
    desk.destination = {"type": "bigquery", "config": bigquery.config()}
    desk.run("2026-03-01", "2026-03-02")
    table(bigquery, "bifrost_export_loads")["expirationTime"] = "1999999999000"

    code, found = desk.told("check")

    assert code == 0
    [hint] = [each["hint"] for each in found["checks"] if each["what"].endswith("tables")]
    assert "defaultTableExpirationMs" in hint
    assert "bifrost_export_loads with all its rows at 2033-05-18T03:33:19Z" in hint
