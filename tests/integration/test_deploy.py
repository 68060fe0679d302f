"""The wheel in somebody else's Airflow: a clean environment, the `amazon` extra alone, one DAG file copied."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bifrost_export.testing.s3_server import S3Server
from bifrost_export.window import Window
from tests import independent
from tests.servers.s3 import BUCKET

ROOT = Path(__file__).parents[2]
DAY = Window.parse("2026-03-01", "2026-03-02")


@dataclass(frozen=True)
class Deployment:
    """An Airflow with the wheel, and one DAGs folder.

    Args:
        folder: Holds the environment, the DAGs folder and `include/`.
    """

    folder: Path

    def run(self, *command: str, variables: Mapping[str, str] | None = None) -> str:
        """Run a program of the environment; gives its standard output.

        Raises:
            AssertionError: It failed; the message holds what it wrote.
        """
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        program = self.folder / "venv" / "bin" / command[0]
        done = subprocess.run(
            [program, *command[1:]],
            env={**inherited, **self.variables(), **(variables or {})},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def told(self, *command: str) -> list[dict[str, object]]:
        """What an `airflow` command prints as JSON: its last line, behind a warning that graphviz isn't there."""
        lines = self.run("airflow", *command, "--output", "json").strip().splitlines()
        told: list[dict[str, object]] = json.loads(lines[-1])
        return told

    def variables(self) -> dict[str, str]:
        """What Airflow is told: where its things are, and nothing about our package."""
        return {
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.folder / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            "AWS_EC2_METADATA_DISABLED": "true",
            "BIFROST_LOG_STORE": f"sqlite:///{self.folder / 'logs.db'}",
        }


def uv(*arguments: str | Path) -> None:
    """Run uv, which `make setup` has put beside Python."""
    subprocess.run([Path(sys.executable).with_name("uv"), "--quiet", *arguments], check=True, timeout=500)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, sample_store: Path) -> Deployment:
    """The wheel is built, installed beside the locked versions, and given a database."""
    folder = tmp_path_factory.mktemp("deployment")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", ROOT]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = (folder / "dist").glob("bifrost_export-*.whl")
    uv("venv", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    uv("pip", "install", "--python", python, "--constraint", ROOT / "requirements.lock", f"{wheel}[amazon]")
    uv("pip", "check", "--python", python)
    (folder / "dags").mkdir()
    (folder / "include").mkdir()
    shutil.copy(ROOT / "dags" / "bifrost_exports.py", folder / "dags")
    shutil.copy(sample_store, folder / "logs.db")
    deployed = Deployment(folder)
    deployed.run("airflow", "db", "migrate")
    return deployed


def write_document(deployment: Deployment, *exports: dict[str, object]) -> None:
    """Write the document where the package looks for it by default: `include/` beside the DAGs folder."""
    document = {"log_exports": {"enabled": True, "exports": list(exports)}}
    (deployment.folder / "include" / "log_exports.json").write_text(json.dumps(document))


def export_to(name: str, kind: str, **config: object) -> dict[str, object]:
    """A daily export."""
    return {"name": name, "schedule": {"frequency": "daily"}, "destination": {"type": kind, "config": config}}


def expected(store: Path) -> list[str]:
    """The ids of the day's records, in order."""
    return [record["request_id"] for record in independent.rows(store, DAY.start, DAY.end)[0]]


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
    script = "import json; from bifrost_export.cli.demo.workspace import dag_files; print(json.dumps(dag_files()))"
    carried = json.loads(deployment.run("python", "-c", script))
    assert carried == {each.name: each.read_text("utf-8") for each in (ROOT / "dags").glob("bifrost_export*.py")}
