"""The wheel in somebody else's Airflow: a clean environment, the `amazon` extra alone, one DAG file copied."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
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


@pytest.fixture(scope="module")
def wheel(deployment: Deployment) -> Path:
    """The file that was installed."""
    (found,) = (deployment.folder / "dist").glob("*.whl")
    return found


def metadata(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


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
    """Who installs it copies them from there: they are those of the repository."""
    script = """
import json
from importlib.resources import files
folder = files("bifrost_export") / "dag_files"
print(json.dumps({each.name: each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".py")}))
"""
    carried = json.loads(deployment.run("python", "-c", script))
    assert carried == {each.name: each.read_text("utf-8") for each in (ROOT / "dags").glob("*.py")}


def test_the_demo_of_an_installed_package_says_where_it_is(deployment: Deployment) -> None:
    """It is in the repository, and not in the wheel."""
    with pytest.raises(AssertionError, match="Clone the repository of Bifrost Export and run: make demo"):
        deployment.run("bifrost-export", "demo")


def test_an_index_accepts_the_wheel_and_the_sdist(deployment: Deployment) -> None:
    """`twine check --strict` finds nothing in either."""
    files = sorted((deployment.folder / "dist").iterdir())
    assert [each.suffix for each in files] == [".whl", ".gz"]
    command = [sys.executable, "-m", "twine", "check", "--strict", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_the_wheel_and_the_sdist_carry_the_license(wheel: Path) -> None:
    """Its text is in the wheel's `licenses`, and the metadata names both the file and the license."""
    text = (ROOT / "LICENSE").read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(name) == text
    assert metadata(wheel)["License-Expression"] == "Apache-2.0"
    assert metadata(wheel).get_all("License-File") == ["LICENSE"]

    (sdist,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        top = sdist.name.removesuffix(".tar.gz")
        carried = archive.extractfile(f"{top}/LICENSE")
        assert carried is not None
        assert carried.read() == text
        assert {f"{top}/CHANGELOG.md", f"{top}/CONTRIBUTING.md", f"{top}/SECURITY.md"} <= set(archive.getnames())


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Tests, benchmarks and tools stay in the repository."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {each.split("/")[0] for each in names} == {
        "bifrost_export",
        f"{'-'.join(wheel.stem.split('-')[:2])}.dist-info",
    }
    assert "bifrost_export/py.typed" in names


def test_the_installed_version_is_the_wheels(deployment: Deployment, wheel: Path) -> None:
    """The command line and the package read it from the metadata."""
    version = metadata(wheel)["Version"]
    assert wheel.name.startswith(f"bifrost_export-{version}-")
    assert deployment.run("bifrost-export", "--version").split()[-1] == version
    script = "import bifrost_export; print(bifrost_export.__version__)"
    assert deployment.run("python", "-c", script).strip() == version


def test_the_installed_command_validates_the_published_example(deployment: Deployment) -> None:
    """A new user's first command."""
    told = deployment.run("bifrost-export", "validate", str(ROOT / "include" / "log_exports.json"), "--format", "json")
    assert json.loads(told)["ok"] is True


def test_the_entry_points_of_the_wheel_load(deployment: Deployment) -> None:
    """Airflow finds the plugin with its timetable, and the command line its function."""
    (plugin,) = (each for each in deployment.told("plugins") if each["name"] == "bifrost_export")
    assert "bifrost-export" in str(plugin["source"])
    assert "ExportTimetable" in str(plugin["timetables"])
    script = (
        "from importlib.metadata import distribution\n"
        "for each in distribution('bifrost-export').entry_points: print(each.group, each.name, callable(each.load()))"
    )
    assert sorted(deployment.run("python", "-c", script).splitlines()) == [
        "airflow.plugins bifrost_export True",
        "console_scripts bifrost-export True",
    ]
