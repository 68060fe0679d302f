"""The wheel in somebody else's Airflow: a clean environment, one DAG file copied."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bifrost_export.window import Window
from tests import independent

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


def deploy(folder: Path, log_store: Path, *requirements: str | Path) -> Deployment:
    """Build the sdist and from it the wheel, install that with `amazon` into a clean environment, and make a database.

    Args:
        folder: Gets all of it.
        log_store: A SQLite log store, which is copied.
        requirements: What else `uv pip install` is told.
    """
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", ROOT]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = (folder / "dist").glob("bifrost_export-*.whl")
    uv("venv", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    uv("pip", "install", "--python", python, f"{wheel}[amazon]", *requirements)
    uv("pip", "check", "--python", python)
    (folder / "dags").mkdir()
    (folder / "include").mkdir()
    shutil.copy(ROOT / "dags" / "bifrost_exports.py", folder / "dags")
    shutil.copy(log_store, folder / "logs.db")
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
