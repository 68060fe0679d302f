"""What stands for an export that is broken: a DAG of the same id whose page and single task tell the problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator

from bifrost_export.airflow.dag_page import broken_page
from bifrost_export.airflow.versions import AirflowFailException
from bifrost_export.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

TAG = "invalid-config"


class BrokenExportOperator(BaseOperator):
    """Fails with the problems of an export.

    Args:
        problems: What is wrong, for people.
    """

    ui_color = "#fbe7e7"

    def __init__(self, *, problems: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problems = tuple(map(printable, problems))

    def execute(self, context: Context) -> None:
        """Fail at once."""
        raise AirflowFailException("\n".join(self.problems))


def broken_dag(dag_id: str, name: str, problems: Sequence[str]) -> DAG:
    """The DAG of a broken export: no schedule, so that nothing runs and no window is lost.

    Args:
        dag_id: Its id, the same as that of the mended export where the name is known.
        name: What it stands for.
        problems: What is wrong, for people.
    """
    with DAG(
        dag_id,
        schedule=None,
        description="The configuration is wrong: see the page.",
        doc_md=broken_page(name, problems),
        tags={"bifrost", "log-export", TAG},
        catchup=False,
        is_paused_upon_creation=False,
    ) as dag:
        BrokenExportOperator(task_id="show_problems", problems=problems)
    return dag
