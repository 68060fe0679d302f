"""The wheel in somebody else's Airflow: a clean environment, the `amazon` extra alone, one DAG file copied."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from demo.servers.s3_server import S3Server
from tests.integration.deployment import ROOT, Deployment, deploy, expected, export_to, write_document
from tests.servers.s3 import BUCKET


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, sample_store: Path) -> Deployment:
    """The wheel beside the locked versions."""
    return deploy(tmp_path_factory.mktemp("deployment"), sample_store, "--constraint", ROOT / "requirements.lock")


def test_airflow_runs_the_dags_of_the_installed_wheel(deployment: Deployment, s3: S3Server) -> None:
    """It lists them without an import error, and each exports its day: to files, and to a bucket."""
    credentials = {"access_key_id": "${AWS_ACCESS_KEY_ID}", "secret_access_key": "${AWS_SECRET_ACCESS_KEY}"}
    to_bucket = {"bucket": BUCKET, "region": "us-west-2", "endpoint_url": s3.url, "credentials": credentials}
    to_files = {"path": str(deployment.folder / "out")}
    write_document(deployment, export_to("to_files", "local", **to_files), export_to("to_bucket", "s3", **to_bucket))
    assert deployment.told("dags", "list-import-errors", "--local") == []
    listed = deployment.told("dags", "list", "--local")
    assert {each["dag_id"] for each in listed} == {"bifrost_export__to_files", "bifrost_export__to_bucket"}

    keys = {"AWS_ACCESS_KEY_ID": s3.access_key_id, "AWS_SECRET_ACCESS_KEY": s3.secret_access_key}
    for name in ("to_files", "to_bucket"):
        deployment.run("airflow", "dags", "test", f"bifrost_export__{name}", "2026-03-01", variables=keys)

    (part,) = (deployment.folder / "out").rglob("*.parquet")
    ids = pq.read_table(part, columns=["request_id"])["request_id"].to_pylist()
    assert ids == expected(deployment.folder / "logs.db")
    objects = s3.client().list_objects_v2(Bucket=BUCKET)["Contents"]
    assert sorted(Path(each["Key"]).suffix for each in objects) == [".json", ".parquet"]
    (key,) = (each["Key"] for each in objects if each["Key"].endswith(".parquet"))
    assert s3.client().get_object(Bucket=BUCKET, Key=key)["Body"].read() == part.read_bytes()


def test_the_wheel_brings_no_provider_but_amazons(deployment: Deployment) -> None:
    """The other destinations' providers stay away, and the command line works without them."""
    names = "from importlib.metadata import distributions as d; print('\\n'.join(sorted(x.name for x in d())))"
    installed = set(deployment.run("python", "-c", names).split())
    providers = {name for name in installed if name.startswith("apache-airflow-providers-")}
    assert "apache-airflow-providers-amazon" in providers
    assert not {name for name in providers if name.endswith(("google", "microsoft-azure", "snowflake"))}
    assert "moto" not in installed
    assert "validate" in deployment.run("bifrost-export", "--help")


def test_the_wheel_carries_the_dag_files(deployment: Deployment) -> None:
    """`demo` works without a checkout: the files in the wheel are those of the repository."""
    script = "import json; from demo.workspace import dag_files; print(json.dumps(dag_files()))"
    carried = json.loads(deployment.run("python", "-c", script))
    assert carried == {each.name: each.read_text("utf-8") for each in (ROOT / "dags").glob("bifrost_export*.py")}
