"""Staging in an object store, for workers that share no disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bifrost_export.errors import StagingGoneError
from bifrost_export.pipeline.extract import extract
from bifrost_export.pipeline.filter import filter_slice
from bifrost_export.pipeline.plan import PlanRequest, plan
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.window import Window
from tests.integration.exports import AFTERWARDS, Export
from tests.integration.published import comparable
from tests.servers.buckets import Buckets

DAY = Window.parse("2026-03-01", "2026-03-02")


@pytest.fixture
def staging(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket for staging, reached by an Airflow connection."""
    connection = {
        "conn_type": "aws",
        "login": buckets.server.access_key_id,
        "password": buckets.server.secret_access_key,
        "extra": {"endpoint_url": buckets.url, "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_STAGING_BUCKET", json.dumps(connection))
    return buckets.make_bucket()


@pytest.fixture
def export(tmp_path: Path, sample_store: Path, staging: str) -> Export:
    """An export to files that is staged in the bucket."""
    url = {"url": f"s3://{staging}/waiting/rows", "conn_id": "staging_bucket"}
    data = {"max_rows_per_file": 300, "filters": {"has_errors": False}}
    return Export(tmp_path / "object", sample_store, data, runtime={"rows_per_slice": 400}, staging=url)


def test_a_run_publishes_the_same_bytes_and_leaves_nothing_in_the_bucket(
    export: Export, tmp_path: Path, buckets: Buckets, staging: str
) -> None:
    """As one that is staged on the local disk."""
    local = Export(tmp_path / "local", export.log_store, export.data)
    local.run(DAY)

    export.run(DAY)

    assert comparable(export.contents()) == comparable(local.contents())
    assert buckets.contents(staging) == {}


def test_an_aggregation_is_staged_in_the_bucket_too(
    export: Export, tmp_path: Path, buckets: Buckets, staging: str
) -> None:
    """It gives the same bytes as on a disk."""
    group = {"type": "aggregate", "group_by": ["model", "hour"], "metrics": ["count", "p99_latency", "total_cost"]}
    export.data |= {"transformations": [group]}
    local = Export(tmp_path / "local", export.log_store, export.data)
    local.run(DAY)

    export.run(DAY)

    assert comparable(export.contents()) == comparable(local.contents())
    assert buckets.contents(staging) == {}


def test_files_stand_below_the_runs_folder_with_its_marker(export: Export, buckets: Buckets, staging: str) -> None:
    """As the protocol names it; a task whose files are gone says what to clear."""
    runtime = Runtime(now=lambda: AFTERWARDS, rows_per_slice=400)
    planned = plan(runtime, PlanRequest(str(export.document()), "nightly", DAY, "test"))
    item = extract(runtime, planned, planned.items()[0])
    folder = f"waiting/rows/nightly/{DAY.name}__{planned.token}"
    keys = list(buckets.contents(staging))
    assert sorted(keys) == sorted([f"{folder}/plan.json", f"{folder}/{item['files']['request_logs']['name']}"])

    buckets.empty(staging)

    with pytest.raises(StagingGoneError, match="Clear from plan"):
        filter_slice(runtime, planned, item)
