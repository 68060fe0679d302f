"""The tags of an export's DAG, by which people find it in Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bifrost_export.airflow.dag_factory import export_dag
from tests.unit.config.documents import document, export, loaded

WAREHOUSE = {
    "type": "bigquery",
    "config": {
        "project_id": "your-project-id",
        "dataset": "bifrost_logs",
        "table": "request_logs",
        "conn_id": "google",
    },
}


@pytest.mark.parametrize(
    ("changes", "format_"), [({}, "json"), ({"destination": WAREHOUSE}, "parquet")], ids=["files", "a warehouse"]
)
def test_the_format_is_the_one_that_is_written(tmp_path: Path, changes: dict[str, Any], format_: str) -> None:
    """A warehouse is loaded by its own format, whatever `data.format` says."""
    [found] = loaded(tmp_path, document(export(data={"format": "json"}, **changes))).exports
    tags = export_dag("bifrost_export__nightly", found, found.good).tags
    assert {"json", "parquet"} & tags == {format_}
    assert {"bifrost", "log-export", found.good.destination.type} <= tags
