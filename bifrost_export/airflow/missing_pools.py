"""Tell at once of a pool that an export names and nobody has made: a listener in the scheduler.

Airflow leaves tasks of such a pool waiting without a word, and a task can't ask which pools there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from bifrost_export.config.documents import DAG_ID_PREFIX

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

_FIRST_TASK = "plan"


@hookimpl
def on_dag_run_running(dag_run: DagRun, msg: str) -> None:
    """Fail a run of an export whose pool is missing; its note says what to do.

    Args:
        dag_run: The run that the scheduler starts.
        msg: Why.
    """
    if not dag_run.dag_id.startswith(DAG_ID_PREFIX):
        return
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is not None:
        _check(dag_run, session)


def _check(dag_run: Any, session: Session) -> None:
    from airflow.models.pool import Pool
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    tasks = dag_run.get_task_instances(session=session)
    named = {task.pool for task in tasks}
    missing = sorted(named - set(session.scalars(select(Pool.pool).where(Pool.pool.in_(named)))))
    if not missing:
        return
    dag_run.note = (
        f"There is no pool {missing[0]!r}, which airflow.pool of the export names, or a cluster policy of this Airflow"
        f" sets: its tasks would wait for ever. Make it (`airflow pools set {missing[0]} 4 'Bifrost exports'`, or"
        " Admin > Pools), then clear `plan`; or take airflow.pool out of the document."
    )
    for task in tasks:
        if task.task_id == _FIRST_TASK and task.state is None:
            task.state = TaskInstanceState.FAILED
