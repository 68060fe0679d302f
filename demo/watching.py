"""Watch a DAG run in a running Airflow, and tell each task's change of state."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bifrost_export.errors import PermanentError
from demo.servers.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from demo.servers.airflow_server import AirflowServer

_OVER = {"success", "failed"}
_TOLD_LINES = 12
_TRIES = 5
_START_SECONDS = 240.0


def first_run(server: AirflowServer, dag_id: str) -> dict[str, Any]:
    """Wait for the run that the scheduler starts by itself, and give it.

    Raises:
        PermanentError: The DAG or its run did not appear.
    """
    processes = list(server.processes.values())
    found: list[dict[str, Any]] = []

    def has_begun() -> bool:
        # A machine with much else to do may leave a question unanswered.
        with contextlib.suppress(TimeoutError):
            if server.knows(dag_id):
                found.extend(_runs(server, dag_id))
        return bool(found)

    wait_until(has_begun, processes, _START_SECONDS, f"the first run of {dag_id}")
    return found[0]


def follow(
    server: AirflowServer, run: dict[str, Any], tell: Callable[[str, str, float], None], seconds: float = 600
) -> list[dict[str, Any]]:
    """Follow a run to its end.

    Args:
        server: The Airflow.
        run: The run, as its API gives it.
        tell: Called with a task's name, its new state and its duration in seconds, once for each change.
        seconds: How long it may take.

    Returns:
        The task instances, as the API gives them.

    Raises:
        PermanentError: The run has failed, or isn't over in time.
    """
    path = f"dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'], safe='')}"
    states: dict[tuple[str, int], str] = {}
    deadline = time.monotonic() + seconds
    while True:
        state = _ask(server, path)["state"]
        tasks: list[dict[str, Any]] = _ask(server, f"{path}/taskInstances?limit=200")["task_instances"]
        for task in tasks:
            key = (task["task_id"], task["map_index"])
            if task["state"] not in (None, "scheduled", states.get(key)):
                states[key] = task["state"]
                tell(task_name(task), task["state"], task["duration"] or 0.0)
        if state in _OVER:
            break
        for process in server.processes.values():
            process.check_alive()
        if time.monotonic() > deadline:
            raise PermanentError(f"the run {run['dag_run_id']} was not over after {seconds:.0f} s")
        time.sleep(0.3)
    if state == "failed":
        failed = [task for task in tasks if task["state"] in {"failed", "up_for_retry"}]
        raise PermanentError(
            "the run has failed in " + ", ".join(task_name(task) for task in failed) + _last_lines(server, failed),
            hint=f"See {server.home.home / 'logs'}.",
        )
    return tasks


def task_name(task: dict[str, Any]) -> str:
    """A task instance for people: its task, and its label where it is mapped."""
    label = task.get("rendered_map_index")
    return f"{task['task_id']} [{label}]" if task["map_index"] >= 0 and label is not None else str(task["task_id"])


def _ask(server: AirflowServer, path: str) -> dict[str, Any]:
    """An answer of its API; a machine with much else to do may need a few tries."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(TimeoutError):
            return dict(server.request(path))
    return dict(server.request(path))


def _runs(server: AirflowServer, dag_id: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = server.request(f"dags/{dag_id}/dagRuns")["dag_runs"]
    return runs


def _last_lines(server: AirflowServer, failed: list[dict[str, Any]]) -> str:
    """The end of the failed tasks' logs."""
    lines: list[str] = []
    for task in failed:
        folder = server.home.home / "logs" / f"dag_id={task['dag_id']}" / f"run_id={task['dag_run_id']}"
        for log in sorted((folder / f"task_id={task['task_id']}").rglob("*.log"))[-1:]:
            lines += ["", *list(_events(log))[-_TOLD_LINES:]]
    return "\n".join(lines)


def _events(log: Path) -> Iterator[str]:
    for line in log.read_text("utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            yield line
            continue
        yield f"{entry.get('level', '')}: {entry.get('event', '')}"
        for error in entry.get("error_detail") or ():
            yield f"{error.get('exc_type')}: {error.get('exc_value')}"
