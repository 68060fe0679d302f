"""Loading the DAG file: a worker builds the DAG that it needs alone, and nothing heavy is imported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.sdk.definitions.param import ParamsDict

from bench.parsing import document, measure
from bifrost_export.airflow.dag_factory import build_dags
from bifrost_export.airflow.trigger_form import trigger_form

DESCRIBED = Path(__file__).parents[1] / "data" / "valid" / "description_complete.json"


@pytest.mark.parametrize(("dag_id", "count"), [(None, 30), ("bifrost_export__export_0003", 1), ("another_dag", 0)])
def test_only_the_wanted_dags_are_built_and_nothing_heavy_is_imported(
    dag_id: str | None, count: int, tmp_path: Path
) -> None:
    """The DAG processor wants all of them, and a worker says which one."""
    (tmp_path / "log_exports.json").write_text(json.dumps(document(30)), "utf-8")
    dags, _, _, heavy = measure(tmp_path, dag_id)
    assert dags == count
    assert heavy == "none"


def test_the_trigger_form_is_valid() -> None:
    """The factory sets it past Airflow's own check."""
    ParamsDict(trigger_form("Europe/Berlin")).validate()


def test_a_tag_tells_the_format_that_is_written_whatever_the_document_asks_for() -> None:
    """A warehouse takes its own bulk format."""
    dags = build_dags(DESCRIBED)
    assert dags["bifrost_export__weekly_bigquery_export"].tags == {"bifrost", "log-export", "bigquery", "parquet"}
    assert dags["bifrost_export__daily_s3_export"].tags == {"bifrost", "log-export", "s3", "parquet"}
