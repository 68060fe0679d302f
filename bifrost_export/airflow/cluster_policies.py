"""Airflow's cluster policies, tried on a DAG before Airflow sees it: a refused one hides every DAG of its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.sdk import DAG

from bifrost_export.airflow.versions import has_policies
from bifrost_export.errors import PolicyRefusalError, PolicySkipError


def passed(build: Callable[[], DAG], dag_file: str | None) -> DAG:
    """Return a DAG that the cluster's policies let pass.

    Policies are tried on a DAG of its own, since they may change what they are given, and Airflow applies them again.

    Args:
        build: Makes the DAG, the same one each time, without registering it.
        dag_file: The file that it belongs to, which policies may look at.

    Raises:
        PolicyRefusalError: A policy refuses it, or skips it.
    """
    if has_policies():
        trial = build()
        if dag_file is not None:
            trial.fileloc = dag_file
        _try(trial)
    return build()


def register(dag: DAG) -> None:
    """Let the DAG file that is being read have a DAG, as if it had been made there."""
    dag.auto_register = True
    with dag:
        pass  # leaving the block registers it


def _try(dag: DAG) -> None:
    from airflow import settings
    from airflow.exceptions import AirflowClusterPolicySkipDag

    judge: Any = settings
    try:
        judge.dag_policy(dag)
        for task in dag.tasks:
            judge.task_policy(task)
    except AirflowClusterPolicySkipDag as error:
        raise PolicySkipError(
            f"a cluster policy of this Airflow skips the DAG {dag.dag_id}",
            hint="Ask who set the policy in airflow_local_settings.py.",
        ) from error
    except (Exception, SystemExit) as error:
        raise PolicyRefusalError(
            f"a cluster policy of this Airflow refuses the DAG {dag.dag_id}: {type(error).__name__}: {error}",
            hint="Change the export as the policy asks (owner, airflow.retries, airflow.tags and the like), or ask who"
            " set the policy in airflow_local_settings.py.",
        ) from error
