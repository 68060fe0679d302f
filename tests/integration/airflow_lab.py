"""A running Airflow with exports of a sample log store, and the same exports by the command line to compare with."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bifrost_export.sample.logs import write
from bifrost_export.schedules.schedule import DailySchedule
from bifrost_export.window import UTC, Window, rfc3339
from demo.servers.airflow_server import AirflowHome, AirflowServer, airflow_server, migration
from demo.workspace import dag_files
from tests.integration.published import comparable, folder_contents

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-for-the-tests-of-airflow-0123456789abcdef0123456789abcdef"
SCHEDULE = DailySchedule(frequency="daily")
DATA = {"max_rows_per_file": 100, "max_rejected": "50%", "filters": {"has_errors": False}}
_OVER = {"success", "failed"}


def local_export(name: str, out: Path, **data: Any) -> dict[str, Any]:
    """An export to files.

    Args:
        name: Its name.
        out: Their folder.
        data: Of the export, beside what all have.
    """
    export = export_to(name, "local", path=str(out), prefix="logs/{day}/")
    return {**export, "data": {**export["data"], **data}}


def export_to(name: str, kind: str, **config: Any) -> dict[str, Any]:
    """An export to any destination."""
    return {
        "name": name,
        "schedule": SCHEDULE.model_dump(mode="json"),
        "destination": {"type": kind, "config": config},
        "data": DATA,
    }


@dataclass(frozen=True)
class Lab:
    """A running Airflow.

    Args:
        server: Its components.
        folder: Holds everything that it writes.
        last: The window that the scheduler takes first.
    """

    server: AirflowServer
    folder: Path
    last: Window

    def day(self, back: int) -> Window:
        """A window that many days before the last settled one."""
        delta = dt.timedelta(days=back)
        return Window(self.last.start - delta, self.last.end - delta)

    def out(self, name: str) -> Path:
        """The folder that an export to files writes to."""
        return self.folder / "out" / name

    def fault(self, name: str, task_id: str, kind: str) -> Path:
        """Let the next run of a task fail; gives the file that is gone when it has."""
        path = self.folder / "faults" / f"bifrost_export__{name}.{task_id}.{kind}"
        path.touch()
        return path

    def trigger(self, name: str, logical_date: dt.datetime | None = None, **form: Any) -> Run:
        """Start a manual run."""
        body = {"logical_date": None if logical_date is None else rfc3339(logical_date), "conf": form}
        answer = self.server.request(f"dags/bifrost_export__{name}/dagRuns", "POST", body)
        return Run(self, answer["dag_id"], answer["dag_run_id"])

    def export_day(self, name: str, back: int) -> Run:
        """Start a manual run for the window of a day, by a logical date inside the day after it."""
        return self.trigger(name, self.day(back).end + dt.timedelta(hours=12))

    def scheduled(self, name: str) -> Run:
        """The first run that the scheduler has started."""
        path = f"dags/bifrost_export__{name}/dagRuns?run_type=scheduled"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.server.knows(f"bifrost_export__{name}") and (runs := self.server.request(path)["dag_runs"]):
                return Run(self, runs[0]["dag_id"], runs[0]["dag_run_id"])
            time.sleep(0.5)
        raise AssertionError(f"the scheduler started no run of {name}")

    def pause(self, name: str, is_paused: bool) -> None:
        """Pause a DAG, or let it go on."""
        self.server.request(f"dags/bifrost_export__{name}", "PATCH", {"is_paused": is_paused})

    def set_back(self, name: str, days: int) -> None:
        """Let the last automatic run be one of some days earlier, as after an outage of so many days."""
        moved = ", ".join(
            f"{column} = strftime('%Y-%m-%d %H:%M:%f000', {column}, '-{days} days')"
            for column in ("logical_date", "data_interval_start", "data_interval_end", "run_after")
        )
        with contextlib.closing(sqlite3.connect(self.server.home.home / "airflow.db", timeout=30)) as database:
            changed = database.execute(
                f"UPDATE dag_run SET {moved}, run_id = run_id || '_moved' WHERE dag_id = ? AND run_type = 'scheduled'",
                (f"bifrost_export__{name}",),
            )
            database.commit()
            assert changed.rowcount == 1

    def windows_run(self, name: str, count: int) -> list[Window]:
        """The intervals of a DAG's automatic runs in order, when so many are over and all have succeeded."""
        deadline = time.monotonic() + 240
        runs: list[dict[str, Any]] = []
        while time.monotonic() < deadline:
            runs = self.server.request(f"dags/bifrost_export__{name}/dagRuns?order_by=run_after&limit=50")["dag_runs"]
            if len(runs) >= count and all(run["state"] in _OVER for run in runs):
                assert all(run["state"] == "success" for run in runs)
                return [Window.parse(run["data_interval_start"], run["data_interval_end"]) for run in runs]
            time.sleep(1)
        raise AssertionError([(run["run_id"], run["state"]) for run in runs])

    def by_command_line(self, name: str, window: Window, out: Path, **data: Any) -> dict[str, Any]:
        """What `bifrost-export run` publishes for the window, told so that it can be compared."""
        document = write_document(out.parent / f"{out.name}.json", self.folder, [local_export(name, out, **data)])
        program = Path(sys.executable).with_name("bifrost-export")
        ends = ["--window-start", rfc3339(window.start), "--window-end", rfc3339(window.end)]
        subprocess.run(
            [program, "run", document, "--export", name, *ends], check=True, capture_output=True, timeout=120
        )
        return comparable(folder_contents(out))

    def published(self, name: str, window: Window) -> dict[str, Any]:
        """What an export to files has published for the window, told so that it can be compared."""
        contents = folder_contents(self.out(name))
        return comparable({key: data for key, data in contents.items() if window.name in key})


@dataclass(frozen=True)
class Run:
    """A run of a DAG."""

    lab: Lab
    dag_id: str
    run_id: str

    @property
    def path(self) -> str:
        """Where Airflow's API tells of it."""
        return f"dags/{self.dag_id}/dagRuns/{quote(self.run_id, safe='')}"

    def wait(self, seconds: float = 180) -> str:
        """Wait until it is over; gives its state."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = str(self.lab.server.request(self.path)["state"])
            if state in _OVER:
                return state
            time.sleep(0.3)
        raise AssertionError(f"{self.run_id} is not over after {seconds} s: {self.states()}")

    def tasks(self) -> list[dict[str, Any]]:
        """Its task instances."""
        tasks: list[dict[str, Any]] = self.lab.server.request(f"{self.path}/taskInstances?limit=200")["task_instances"]
        return tasks

    def states(self) -> dict[str, set[str]]:
        """The states of its tasks."""
        told: dict[str, set[str]] = {}
        for task in self.tasks():
            told.setdefault(task["task_id"], set()).add(task["state"])
        return told

    def tries(self, task_id: str) -> int:
        """The most tries of any instance of a task."""
        return max(task["try_number"] for task in self.tasks() if task["task_id"] == task_id)

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        """What an unmapped task has handed on."""
        return self.lab.server.request(f"{self.path}/taskInstances/{task_id}/xcomEntries/{key}?deserialize=true")[
            "value"
        ]

    def clear(self, *task_ids: str) -> None:
        """Clear what has failed of these tasks, and all that follows them."""
        body = {
            "dry_run": False,
            "dag_run_id": self.run_id,
            "task_ids": list(task_ids),
            "only_failed": False,
            "include_downstream": True,
            "reset_dag_runs": True,
        }
        self.lab.server.request(f"dags/{self.dag_id}/clearTaskInstances", "POST", body)

    def log(self, task_id: str) -> str:
        """All that the tries of a task have logged."""
        folder = self.lab.server.home.home / "logs" / f"dag_id={self.dag_id}" / f"run_id={self.run_id}"
        return "".join(each.read_text() for each in sorted((folder / f"task_id={task_id}").rglob("*.log")))


def write_document(path: Path, folder: Path, exports: list[dict[str, Any]]) -> Path:
    """A document with these exports of the lab's log store."""
    content = {
        "source": {"type": "sqlite", "config": {"path": str(folder / "logs.db")}},
        "staging": {"url": (folder / "staging").as_uri()},
        "exports": exports,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"log_exports": content}))
    return path


@contextlib.contextmanager
def running_lab(
    folder: Path, exports: list[dict[str, Any]], variables: Mapping[str, str] | None = None
) -> Iterator[Lab]:
    """Run an Airflow while the block lasts; the block begins when the first scheduled run of each export is over."""
    for name in ("dags", "faults", "output", "out"):
        (folder / name).mkdir()
    for name, text in dag_files().items():
        if name == "bifrost_exports.py":
            faults = repr(str(folder / "faults"))
            text = text.replace("globals().update(", f"blind({faults})\nglobals().update(")
            text = text.replace(
                "\nfrom bifrost", "\nfrom tests.integration.airflow_faults import blind, install\nfrom bifrost"
            )
            text += f"\ninstall(globals(), {faults})\n"
        (folder / "dags" / name).write_text(text)
    last = SCHEDULE.latest_settled(dt.datetime.now(UTC))
    write(folder / "logs.db", rows=3_000, seed=3, days=6, end=last.end)
    write_document(folder / "include" / "log_exports.json", folder, exports)
    extra = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AWS_EC2_METADATA_DISABLED": "true",
        **(variables or {}),
    }
    home = AirflowHome(folder / "airflow", folder / "dags", extra)
    with migration(home, folder / "output" / "migrate.log", SECRET):
        pass
    with airflow_server(home, folder / "output", SECRET) as server:
        server.wait()
        lab = Lab(server, folder, last)
        for export in exports:
            lab.scheduled(export["name"]).wait(600)
        yield lab
