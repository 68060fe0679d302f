"""The wheel in the oldest Airflow that it promises to run in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bifrost_export.window import Window
from tests import independent
from tests.integration.deployment import Deployment, deploy, expected, export_to, write_document

pytestmark = [pytest.mark.airflow, pytest.mark.long]

OLDEST = "apache-airflow==3.1.8"


SCHEDULES: dict[str, tuple[dict[str, Any], str]] = {
    "weekly": ({"frequency": "weekly", "day": "sunday"}, "2026-03-08T00:00:00Z"),
    "monthly": ({"frequency": "monthly", "day": 1}, "2026-04-01T00:00:00Z"),
    "hourly": ({"frequency": "hourly"}, "2026-03-01T01:00:00Z"),
    "cron": ({"frequency": "cron", "expression": "0 */6 * * *"}, "2026-03-01T06:00:00Z"),
}
"""The other schedules, each with the end of the window that starts at the beginning of March."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, sample_store: Path) -> Deployment:
    """The wheel beside the newest packages that this Airflow takes."""
    return deploy(tmp_path_factory.mktemp("oldest"), sample_store, OLDEST, "sqlalchemy<2.1")


def test_the_dags_are_listed_without_an_import_error(deployment: Deployment) -> None:
    """Also serialized, with the timetable that the wheel's plugin brings."""
    write_document(deployment, export_to("listed", "local", path=str(deployment.folder / "out")))
    assert deployment.run("airflow", "version").strip().endswith("3.1.8")
    deployment.run("airflow", "dags", "reserialize")
    listed = deployment.told("dags", "list")
    # Airflow still lists for a while what documents of other tests said.
    assert "bifrost_export__listed" in {each["dag_id"] for each in listed}


def test_a_window_is_exported_and_found_unchanged(deployment: Deployment) -> None:
    """All tasks of the run, twice."""
    out = deployment.folder / "out" / "to_files"
    write_document(deployment, export_to("to_files", "local", path=str(out)))
    for _ in range(2):
        deployment.run("airflow", "dags", "test", "bifrost_export__to_files", "2026-03-01")

    (part,) = out.rglob("*.parquet")
    ids = pq.read_table(part, columns=["request_id"])["request_id"].to_pylist()
    assert ids == expected(deployment.folder / "logs.db")


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_kind_of_schedule_exports_its_own_window(deployment: Deployment, name: str) -> None:
    """A run at a window's start takes that window, here as in the newest."""
    schedule, end = SCHEDULES[name]
    out = deployment.folder / "out" / name
    write_document(deployment, {**export_to(name, "local", path=str(out)), "schedule": schedule})
    deployment.run("airflow", "dags", "reserialize")
    deployment.run("airflow", "dags", "test", f"bifrost_export__{name}", "2026-03-01")

    window = Window.parse("2026-03-01T00:00:00Z", end)
    (manifest,) = (out / "_manifests").rglob("*.json")
    assert json.loads(manifest.read_text("utf-8"))["window"] == window.to_json()
    records = independent.rows(deployment.folder / "logs.db", window.start, window.end)[0]
    ids = [each for path in sorted(out.rglob("*.parquet")) for each in ids_in(path)]
    assert ids == [record["request_id"] for record in records]


def ids_in(path: Path) -> list[str]:
    """The ids of a part, in order."""
    found: list[str] = pq.read_table(path, columns=["request_id"])["request_id"].to_pylist()
    return found
