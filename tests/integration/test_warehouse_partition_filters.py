"""A table of BigQuery's that requires a partition filter: every statement on it bounds the partition column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bifrost_export.errors import DestinationError
from bifrost_export.window import Window
from tests.integration.commands import Desk
from tests.integration.exports import Export
from tests.servers.bigquery.server import PROJECT, BigQuery

DAY = Window.parse("2026-03-01", "2026-03-02")


def require(bigquery: BigQuery, name: str, column: str = "timestamp") -> dict[str, Any]:
    """Let a table require a filter; gives its resource."""
    table = bigquery.api.service.catalog.tables[PROJECT, bigquery.dataset, name]
    table["requirePartitionFilter"] = True
    table["timePartitioning"] = {"type": "DAY", "field": column}
    return table


@pytest.mark.parametrize("column", ["timestamp", "_window_start", "_window_end"])
def test_a_window_is_replaced_verified_and_moved_to_another_table(bigquery: BigQuery, desk: Desk, column: str) -> None:
    """Rerun, verify, a covering window, and a table that the export leaves."""
    desk.destination = {"type": "bigquery", "config": bigquery.config()}
    desk.run("2026-03-01", "2026-03-02")
    require(bigquery, "request_logs", column)
    require(bigquery, "bifrost_export_rejected", "_window_start")

    found = desk.run("2026-03-01", "2026-03-02")
    whose = ("--config", desk.document, "--export", "nightly")
    assert desk.verify(found["manifest"], *whose) == {"ok": True, "problems": []}
    desk.run("2026-03-01", "2026-03-03", "--replace-overlapping")

    desk.destination = {"type": "bigquery", "config": bigquery.config(table="requests")}
    moved = desk.run("2026-03-01", "2026-03-03")
    assert bigquery.sql("SELECT COUNT(*) FROM {}.request_logs") == [["0"]]
    exported = moved["datasets"]["request_logs"]["exported"]
    assert bigquery.sql("SELECT COUNT(*) FROM {}.requests") == [[str(exported)]]


def test_the_stand_in_refuses_a_statement_without_a_filter(bigquery: BigQuery, tmp_path: Path, log_store: Path) -> None:
    """Else the tests above would prove nothing."""
    from demo.servers.bigquery.errors import ApiError

    config = {"type": "bigquery", "config": bigquery.config()}
    Export(tmp_path, log_store, destination=config).run(DAY)
    require(bigquery, "request_logs")
    name = f"`{PROJECT}.{bigquery.dataset}.request_logs`"
    run = bigquery.api.service.queries.run
    for condition in ("request_id = 'a'", "request_id = 'a' OR timestamp > '2026-03-01'", "timestamp = _window_start"):
        for statement in (f"SELECT COUNT(*) FROM {name}", f"DELETE FROM {name}"):
            with pytest.raises(ApiError, match="without a filter over column"):
                run(PROJECT, {"query": f"{statement} WHERE {condition}"})
    run(PROJECT, {"query": f"SELECT COUNT(*) FROM {name} WHERE timestamp > '2026-03-01' AND request_id = 'a'"})


@pytest.mark.parametrize("column", ["_loaded_at", ""], ids=["another column", "ingestion time"])
def test_a_filter_that_no_statement_can_give_is_refused_by_plan(
    bigquery: BigQuery, tmp_path: Path, log_store: Path, column: str
) -> None:
    """With the columns that are bounded."""
    one = Export(tmp_path, log_store, destination={"type": "bigquery", "config": bigquery.config()})
    one.run(DAY)
    require(bigquery, "request_logs", column)
    told = rf"requires a filter on its partition column {column or '_PARTITIONTIME'}.*timestamp, _window_start"
    with pytest.raises(DestinationError, match=told):
        one.run(DAY)
    assert bigquery.staged() == []
