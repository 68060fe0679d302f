"""The wheel in the oldest Airflow that it promises to run in."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.integration.deployment import Deployment, deploy, expected, export_to, write_document

pytestmark = [pytest.mark.airflow, pytest.mark.long]

OLDEST = "apache-airflow==3.1.8"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, sample_store: Path) -> Deployment:
    """The wheel beside the newest packages that this Airflow takes."""
    return deploy(tmp_path_factory.mktemp("oldest"), sample_store, OLDEST, "sqlalchemy<2.1")


def test_the_dags_are_listed_without_an_import_error(deployment: Deployment) -> None:
    """Also serialized, with the timetable that the wheel's plugin brings."""
    write_document(deployment, export_to("to_files", "local", path=str(deployment.folder / "out")))
    assert deployment.run("airflow", "version").strip().endswith("3.1.8")
    deployment.run("airflow", "dags", "reserialize")
    listed = deployment.told("dags", "list")
    assert [each["dag_id"] for each in listed] == ["bifrost_export__to_files"]


def test_a_window_is_exported_and_found_unchanged(deployment: Deployment) -> None:
    """All tasks of the run, twice."""
    write_document(deployment, export_to("to_files", "local", path=str(deployment.folder / "out")))
    for _ in range(2):
        deployment.run("airflow", "dags", "test", "bifrost_export__to_files", "2026-03-01")

    (part,) = (deployment.folder / "out").rglob("*.parquet")
    ids = pq.read_table(part, columns=["request_id"])["request_id"].to_pylist()
    assert ids == expected(deployment.folder / "logs.db")
