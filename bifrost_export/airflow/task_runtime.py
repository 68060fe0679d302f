"""The surroundings of a step when it runs as an Airflow task."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export.airflow.task_log import narrate
from bifrost_export.airflow.versions import setting
from bifrost_export.dag_bundles import bundle_folders, bundle_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context
    from airflow.sdk.types import Logger

    from bifrost_export.pipeline.runtime import Runtime

_ONE_MACHINE = {"LocalExecutor", "SequentialExecutor", "DebugExecutor"}


def task_runtime(context: Context, log: Logger) -> Runtime:
    """What a step is given in a task.

    Args:
        context: The task's.
        log: The task's, which tells the step's progress in words.
    """
    from airflow.sdk import BaseHook
    from airflow.sdk.log import mask_secret

    from bifrost_export.pipeline.runtime import Runtime

    def report(event: str, facts: dict[str, Any]) -> None:
        narrate(log, event, facts)

    return Runtime(
        on_secret=mask_secret,
        get_connection=BaseHook.get_connection,
        attempt=f"{context['ti'].try_number}-{secrets.token_hex(4)}",
        max_map_length=int(setting("core", "max_map_length", "1024")),
        executor_is_local=is_in_process() or is_one_machine(setting("core", "executor", "LocalExecutor"), os.environ),
        bundle_of=lambda document: bundle_of(document, bundle_folders()),
        environ=variables(os.environ),
        report=report,
    )


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the task's variables, with the home that Airflow takes when `AIRFLOW_HOME` isn't set.

    Args:
        environ: The process's own.
    """
    home = os.path.expandvars(environ.get("AIRFLOW_HOME") or "~/airflow")
    return {**environ, "AIRFLOW_HOME": str(Path(home).expanduser())}


def is_in_process() -> bool:
    """Return whether all tasks of the run are run in this process, whatever executor is set: `airflow dags test`."""
    from airflow.sdk.execution_time import supervisor, task_runner

    comms = getattr(task_runner, "SUPERVISOR_COMMS", None)
    return comms is not None and isinstance(comms, getattr(supervisor, "InProcessSupervisorComms", ()))


def is_one_machine(executors: str, environ: Mapping[str, str]) -> bool:
    """Whether all tasks see one disk.

    Args:
        executors: Airflow's setting: one or more, by name or by `module.path.Class`, each maybe as `alias:executor`
            or `team=executor`.
        environ: The task's variables. A Kubernetes pod is often told that it runs under LocalExecutor.
    """
    if environ.get("AIRFLOW_IS_K8S_EXECUTOR_POD"):
        return False
    names = {name.strip().replace(":", ".").replace("=", ".").rpartition(".")[2] for name in _each(executors)}
    return names <= _ONE_MACHINE


def _each(executors: str) -> list[str]:
    return [name for part in executors.split(";") for name in part.split(",") if name.strip()]
