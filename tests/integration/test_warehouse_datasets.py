"""Several datasets and an aggregate, by a run from the log store into each warehouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.window import Window
from tests.integration.exports import Export

DAY = Window.parse("2026-03-01", "2026-03-02")
DATASETS = ("request_logs", "response_logs", "error_logs", "metrics", "traces")
SCHEMAS = {"redshift": "public", "snowflake": "PUBLIC"}


@pytest.fixture(
    params=[
        pytest.param("redshift"),
        pytest.param("snowflake", marks=pytest.mark.long),
        pytest.param("bigquery", marks=pytest.mark.long),
    ]
)
def warehouse(request: pytest.FixtureRequest) -> tuple[str, Any, Callable[[str], list[list[str]]]]:
    """Its kind, its server, and what asks it."""
    server: Any = request.getfixturevalue(request.param)
    schema = SCHEMAS.get(request.param, "{}")
    return request.param, server, lambda sql: server.sql(sql.replace("{}", schema))


def test_each_dataset_has_a_table_of_its_own_and_a_rerun_replaces_all_of_them(
    warehouse: tuple[str, Any, Callable[[str], list[list[str]]]], tmp_path: Path, log_store: Path
) -> None:
    """With the rows that the books tell."""
    kind, server, query = warehouse
    one = Export(
        tmp_path, log_store, destination={"type": kind, "config": server.config()}, data={"include": list(DATASETS)}
    )
    for revision in (1, 2):
        found = one.run(DAY)
        assert found["revision"] == revision
        for name in DATASETS:
            table = "request_logs" if name == "request_logs" else f"request_logs_{name}"
            exported = found["datasets"][name]["exported"]
            assert exported > 0
            assert query(f"SELECT COUNT(*) FROM {{}}.{table}") == [[str(exported)]], name
    live = "FROM {}.bifrost_export_loads WHERE kind = 'load' AND superseded_at IS NULL"
    assert query(f"SELECT COUNT(*), COUNT(DISTINCT dataset) {live}") == [["5", "5"]]
    assert server.staged() == []


def test_an_aggregate_arrives_with_its_own_columns(
    warehouse: tuple[str, Any, Callable[[str], list[list[str]]]], tmp_path: Path, log_store: Path
) -> None:
    """Each request of the window is in one of its groups."""
    kind, server, query = warehouse
    aggregate = {
        "type": "aggregate",
        "group_by": ["provider", "model", "customer_id"],
        "metrics": ["total_requests", "avg_latency", "error_rate"],
    }
    found = Export(
        tmp_path,
        log_store,
        destination={"type": kind, "config": server.config(table="summary")},
        data={"transformations": [aggregate]},
    ).run(DAY)
    books = found["datasets"]["request_logs"]
    sql = "SELECT COUNT(*), CAST(SUM(total_requests) AS BIGINT) FROM {}.summary"
    requests = books["source"] - books["filtered"] - books["rejected"]
    assert query(sql) == [[str(books["exported"]), str(requests)]]
    assert 1 < books["exported"] < requests
