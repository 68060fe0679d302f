"""A running Airflow as an administrator sets one up: by airflow.cfg, with bundles, and under cluster policies."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifrost_export.sample.logs import write
from bifrost_export.window import UTC
from demo.servers.airflow_server import AirflowHome, airflow_server, migration
from demo.workspace import dag_files
from tests.integration.airflow_lab import ROOT, SCHEDULE, SECRET, Lab

UNDER_POLICY = {"owner": "finops", "airflow": {"tags": ["team:core"]}}
"""What the policies ask of an export."""
NEVER = {**SCHEDULE.model_dump(mode="json"), "start_date": "2099-01-01"}
"""A schedule by which no run starts."""
CONFIGURED = "AIRFLOW__"
DEFAULT_FOLDER = "airflow"
"""Airflow's home, below that of its user, where nobody says another."""

_LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"
_GIT = "airflow.providers.git.bundles.git.GitDagBundle"
_FROM_GIT = {"repo_url": "$HOME/repository", "tracking_ref": "main", "subdir": "dags", "refresh_interval": 5}
_BUNDLES: dict[str, dict[str, Any]] = {
    "files": {"classpath": _LOCAL, "kwargs": {}},
    "team": {"classpath": _LOCAL, "kwargs": {"path": "$HOME/team"}},
    "repository": {"classpath": _GIT, "kwargs": _FROM_GIT},
}

POLICIES = '''
from airflow.exceptions import AirflowClusterPolicySkipDag, AirflowClusterPolicyViolation


def task_policy(task):
    """Airflow's own example, and three changes."""
    if not task.owner or task.owner.lower() == "airflow":
        raise AirflowClusterPolicyViolation(f"{task.task_id} of {task.dag_id} has no owner")
    task.retries = max(task.retries, 7)
    task.queue = "exports"
    if task.dag_id.endswith("__in_finances_pool"):
        task.pool = "finance"


def dag_policy(dag):
    """Every DAG but demos carries a tag of its team."""
    if dag.dag_id.endswith("__skipped"):
        raise AirflowClusterPolicySkipDag
    if not any(tag.startswith("team:") for tag in dag.tags):
        raise AirflowClusterPolicyViolation(f"{dag.dag_id} has no tag team:...")
    dag.tags.add("seen-by-policy")
'''


@dataclass(frozen=True)
class ConfiguredHome(AirflowHome):
    """An Airflow whose settings stand in airflow.cfg: its processes are told nothing but where their user's home is."""

    def environment(self, secret: str) -> dict[str, str]:
        """What is left of the variables; the file is written."""
        everything = super().environment(secret)
        settings = RawConfigParser()
        for name, value in everything.items():
            if name.startswith(CONFIGURED):
                section, _, key = name.removeprefix(CONFIGURED).lower().partition("__")
                if not settings.has_section(section):
                    settings.add_section(section)
                settings.set(section, key, value)
        self.home.mkdir(exist_ok=True)
        with (self.home / "airflow.cfg").open("w") as file:
            settings.write(file)
        left = {name: value for name, value in everything.items() if not name.startswith("AIRFLOW_")}
        connections = {name: value for name, value in everything.items() if name.startswith("AIRFLOW_CONN_")}
        return {**left, **connections, "HOME": str(self.home.parent)}


@dataclass(frozen=True)
class Bundle:
    """A folder with the DAG files in `dags` and the document in `include`.

    Args:
        root: The folder.
    """

    root: Path

    def write(self, source: Path, *exports: dict[str, Any]) -> None:
        """Write DAG files and document.

        Args:
            source: A SQLite log store.
            exports: Of the document.
        """
        for folder in ("dags", "include"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        for name, text in dag_files().items():
            (self.root / "dags" / name).write_text(text)
        content = {"source": {"type": "sqlite", "config": {"path": str(source)}}, "exports": exports}
        (self.root / "include" / "log_exports.json").write_text(json.dumps({"log_exports": content}))

    def commit(self) -> str:
        """Put all of it into a commit of `main`; gives its hash."""
        if not (self.root / ".git").exists():
            self._git("init", "--quiet", "--initial-branch", "main")
        self._git("add", "--all")
        self._git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "x")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", self.root, *arguments], check=True, capture_output=True, text=True, timeout=60
        ).stdout


@dataclass(frozen=True)
class Site:
    """The running Airflow.

    Args:
        lab: Its exports and their runs.
        files: The DAGs folder that airflow.cfg names, with what lies beside it.
        team: A folder that is a bundle.
        repository: What the bundle from Git follows.
        given: The variables of its processes.
    """

    lab: Lab
    files: Bundle
    team: Bundle
    repository: Bundle
    given: Mapping[str, str]

    def dag(self, name: str) -> dict[str, Any]:
        """What Airflow says of an export's DAG."""
        found: dict[str, Any] = self.lab.server.request(f"dags/bifrost_export__{name}/details")
        return found

    def tasks(self, name: str) -> list[dict[str, Any]]:
        """What Airflow says of the tasks of an export's DAG."""
        found: list[dict[str, Any]] = self.lab.server.request(f"dags/bifrost_export__{name}/tasks")["tasks"]
        return found

    def import_errors(self) -> dict[tuple[str, str], str]:
        """The errors of Airflow's banner, by bundle and file."""
        found = self.lab.server.request("importErrors?limit=100")["import_errors"]
        return {(each["bundle_name"], Path(each["filename"]).name): each["stack_trace"] for each in found}

    def wait_for(self, *names: str) -> None:
        """Wait until Airflow knows the DAGs of these exports."""
        deadline = time.monotonic() + 240
        while not all(self.lab.server.knows(f"bifrost_export__{name}") for name in names):
            assert time.monotonic() < deadline, f"not all of {names} are known"
            time.sleep(0.5)

    def wait_for_version(self, name: str, version: str) -> None:
        """Wait until an export's DAG is that of a commit."""
        deadline = time.monotonic() + 240
        while self.dag(name)["bundle_version"] != version:
            assert time.monotonic() < deadline, f"{name} is not of the commit {version}"
            time.sleep(0.5)


@contextlib.contextmanager
def running_site(
    folder: Path, exports: Mapping[str, list[dict[str, Any]]], variables: Mapping[str, str]
) -> Iterator[Site]:
    """Run it while the block lasts.

    Args:
        folder: The home of its user: gets everything.
        exports: Those of the document beside the DAGs folder (`files`), of a local bundle (`team`) and of one from Git
            (`repository`); there is no bundle without any. A file `no-document` in `faults` blinds the tasks of `team`.
        variables: What its processes are told beside.
    """
    last = SCHEDULE.latest_settled(dt.datetime.now(UTC))
    store = folder / "logs.db"
    write(store, rows=900, seed=3, days=3, end=last.end)
    for name in ("faults", "output"):
        (folder / name).mkdir()
    found = {name: Bundle(folder / name) for name in _BUNDLES}
    for name, given in exports.items():
        found[name].write(store, *given)
    if "team" in exports:
        _blind(found["team"].root / "dags" / "bifrost_exports.py", folder / "faults")
    if "repository" in exports:
        found["repository"].commit()
    bundles = [{"name": name, **_BUNDLES[name]} for name in exports]
    extra = {
        "AIRFLOW__CORE__DAGS_FOLDER": "$HOME/files/dags",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": "$HOME/bundles",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        **variables,
    }
    home = ConfiguredHome(folder / DEFAULT_FOLDER, folder / "files" / "dags", extra)
    (home.home / "config").mkdir(parents=True)
    (home.home / "config" / "airflow_local_settings.py").write_text(POLICIES)
    with migration(home, folder / "output" / "migrate.log", SECRET):
        pass
    with airflow_server(home, folder / "output", SECRET) as server:
        server.wait()
        yield Site(Lab(server, folder, last), found["files"], found["team"], found["repository"], server.environment)


def _blind(dag_file: Path, faults: Path) -> None:
    """Let a DAG file's tasks look for the document where none is, while a fault stands."""
    text = dag_file.read_text().replace("globals().update(", f"blind({str(faults)!r})\nglobals().update(")
    dag_file.write_text(
        text.replace("\nfrom bifrost", "\nfrom tests.integration.airflow_faults import blind\nfrom bifrost", 1)
    )
