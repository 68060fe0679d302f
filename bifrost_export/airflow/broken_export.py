"""What stands for an export that is broken: a DAG of the same id whose page and single task tell the problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator
from pydantic import ValidationError

from bifrost_export.airflow.dag_page import broken_page
from bifrost_export.airflow.retries import PAUSES
from bifrost_export.airflow.versions import AirflowException, AirflowFailException
from bifrost_export.config.models.airflow_options import AirflowOptions
from bifrost_export.redaction.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

TAG = "invalid-config"

OWNER = "bifrost-export"
"""Owner of a broken export's task where the document names none: cluster policies often ask for one."""


class BrokenExportOperator(BaseOperator):
    """Fails with the problems of an export.

    Args:
        problems: What is wrong, for people.
        may_pass: Whether a retry may find it mended, as when the worker's copy of the document comes late.
    """

    ui_color = "#fbe7e7"

    def __init__(self, *, problems: Sequence[str], may_pass: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problems = tuple(map(printable, problems))
        self.may_pass = may_pass

    def execute(self, context: Context) -> None:
        """Fail: at once, or so that the task is tried again."""
        message = "\n".join(self.problems)
        self.log.error("%s", message)
        raise (AirflowException if self.may_pass else AirflowFailException)(message)


def broken_dag(dag_id: str, name: str, problems: Sequence[str], raw: Any = None) -> DAG:
    """The DAG of a broken export: no schedule, so that nothing runs and no window is lost.

    Args:
        dag_id: Its id, the same as that of the mended export where the name is known.
        name: What it stands for.
        problems: What is wrong, for people.
        raw: The export as it is written; what of it is good for its task is kept, since cluster policies look at it.
    """
    options = _options(raw)
    with DAG(
        dag_id,
        schedule=None,
        description="The configuration is wrong: see the page.",
        doc_md=broken_page(name, problems),
        tags={"bifrost", "log-export", TAG, *options.tags},
        default_args=arguments(_owner(raw) or OWNER, options),
        catchup=False,
        is_paused_upon_creation=False,
        auto_register=False,
    ) as dag:
        BrokenExportOperator(task_id="show_problems", problems=problems)
    return dag


def stand_in(dag_id: str, task_id: str, problems: Sequence[str], *, may_pass: bool) -> DAG:
    """The DAG that a worker gives for one that it can't build: its task tells why, in the task's own log.

    Args:
        dag_id: The DAG that the worker asks for.
        task_id: The task that it asks for.
        problems: Why, for people.
        may_pass: Whether a retry may find it mended.
    """
    kept = arguments(OWNER, AirflowOptions())  # a cluster policy looks at this one too
    with DAG(dag_id, schedule=None, catchup=False, default_args=kept, tags={TAG}, auto_register=False) as dag:
        BrokenExportOperator(task_id=task_id, problems=problems, may_pass=may_pass)
    return dag


def arguments(owner: str | None, options: AirflowOptions) -> dict[str, Any]:
    """Arguments of every task of an export.

    Args:
        owner: Its owner, or None for Airflow's default.
        options: `airflow` of the export.
    """
    given = {"owner": owner, "pool": options.pool, "queue": options.queue}
    return {
        **PAUSES,
        "retries": options.retries,
        "execution_timeout": options.timeout,
        **{name: value for name, value in given.items() if value is not None},
    }


def _owner(raw: Any) -> str | None:
    owner = raw.get("owner") if isinstance(raw, dict) else None
    return owner if isinstance(owner, str) and owner.strip() else None


def _options(raw: Any) -> AirflowOptions:
    """`airflow` of an export that is broken, key by key: the defaults stand for what is wrong."""
    written = raw.get("airflow") if isinstance(raw, dict) else None
    good: dict[str, Any] = {}
    for key, value in written.items() if isinstance(written, dict) else ():
        given = tuple(value) if isinstance(value, list) else value
        try:
            AirflowOptions.model_validate({key: given})
        except (ValidationError, TypeError):
            continue
        good[key] = given
    return AirflowOptions.model_validate(good)
