"""Faults in the tasks of a running Airflow: each is a file in a folder, and the first task that finds it takes it away.

`<dag id>.<task id>.before` and `.after` kill the task's process (-9) before or after its step has worked, `.fail` fails
the task for good before it, and `.orphan` kills its supervisor and lets the task work on.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, get_parsing_context

from bifrost_export.airflow.operators import StepOperator
from bifrost_export.errors import PermanentError

Step = Callable[[Any, Any, Any], Any]


def blind(folder: str) -> None:
    """Let a worker look for the document where none is, as one whose volume isn't mounted.

    Args:
        folder: Where the faults stand: it does while `no-document` is there.
    """
    if get_parsing_context().task_id is not None and Path(folder, "no-document").exists():
        os.environ["BIFROST_EXPORT_CONFIG"] = str(Path(folder, "unmounted", "log_exports.json"))


def install(module: dict[str, Any], folder: str) -> None:
    """Make the tasks of a DAG file faulty, and let them retry at once.

    Args:
        module: The DAG file's names.
        folder: Where the faults stand.
    """
    for dag in [each for each in module.values() if isinstance(each, DAG)]:
        for task in dag.tasks:
            task.retry_delay = dt.timedelta(seconds=1)
    for kind in _kinds(StepOperator):
        if "step" in vars(kind):
            kind.step = _faulty(kind.step, Path(folder))


def _kinds(kind: type) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)


def _faulty(step: Step, folder: Path) -> Step:
    @functools.wraps(step)
    def run(self: Any, context: Any, runtime: Any) -> Any:
        place = folder / f"{self.dag_id}.{self.task_id}"
        if _taken(place, "fail"):
            raise PermanentError("a fault of the test")
        if _taken(place, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        if _taken(place, "orphan"):
            os.kill(os.getppid(), signal.SIGKILL)
        result = step(self, context, runtime)
        if _taken(place, "after"):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return run


def _taken(place: Path, kind: str) -> bool:
    try:
        place.with_name(f"{place.name}.{kind}").unlink()
    except FileNotFoundError:
        return False
    return True
