"""A task whose forerunner has left nothing says which one, and what to clear: people mark tasks as success by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time import supervisor, task_runner

from bifrost_export.airflow import operators
from bifrost_export.airflow.task_runtime import is_in_process
from bifrost_export.pipeline.plan_document import VERSION, Plan
from bifrost_export.window import Window

FROZEN = {
    "name": "nightly",
    "document": "/nowhere/log_exports.json",
    "pointer": "/log_exports/exports/0",
    "export": {
        "name": "nightly",
        "schedule": {"frequency": "daily"},
        "destination": {"type": "local", "config": {"path": "/nowhere"}},
    },
}
STAGING = {"url": "file:///nowhere/staging", "conn_id": None, "keep_days": 7, "shared": False, "host": "here"}
PLAN = Plan(
    token="0badcafe",
    window=Window.parse("2026-03-01", "2026-03-02"),
    frozen=FROZEN,
    config_hash="",
    slices=(),
    steps={"request_logs": ("extract",)},
    seen=None,
    export_timestamp="2026-03-02T00:30:00Z",
    export_version="0",
    run_id="test",
    staging=STAGING,
    log_store={},
).to_json()
PLAN["slices"] = [
    {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T12:00:00Z", "kind": "rows"},
    {"start": "2026-03-01T12:00:00Z", "end": "2026-03-02T00:00:00Z", "kind": "rows"},
]
ITEM = {"token": "0badcafe", "slice": 0, "label": "a", "done": [], "files": {}, "books": {}, "rejected": None}
ODD: dict[str, Any] = {"blanked": {}, "repaired": {}, "blanked_rows": 0}
RECONCILED = {"token": "0badcafe", "groups": [{}, {}], "books": {}, "pieces": 2, "odd": ODD}
GROUP = {"token": "0badcafe", "group": 0, "label": "x", "pieces": []}


class Instance:
    """A task instance that finds some results of others."""

    try_number = 1

    def __init__(self, results: dict[tuple[str, str], Any]) -> None:
        self.results = results

    def xcom_pull(self, task_ids: Any, key: str = "return_value") -> Any:
        """What Airflow's gives: None where nothing is left, a list for a list of tasks."""
        if isinstance(task_ids, list):
            return list(self.results.get((task_ids[0], key), []))
        return self.results.get((task_ids, key))


TASKS: dict[str, Any] = {
    "extract": lambda: operators.ExtractOperator(task_id="extract", item=ITEM),
    "filter": lambda: operators.FilterOperator(task_id="filter", item={**ITEM, "done": ["extract"]}),
    "transform": lambda: operators.TransformOperator(task_id="transform", item={**ITEM, "done": ["extract", "filter"]}),
    "aggregate": lambda: operators.AggregateOperator(task_id="aggregate"),
    "reconcile": lambda: operators.ReconcileOperator(task_id="reconcile"),
    "load": lambda: operators.LoadOperator(task_id="load", group=GROUP),
    "publish": lambda: operators.PublishOperator(task_id="publish"),
    "clean_up": lambda: operators.CleanUpOperator(task_id="clean_up"),
}


def told(task: Any, results: dict[tuple[str, str], Any]) -> str:
    """How the task fails: at once, since no retry gives it a result."""
    context: Any = {"ti": Instance(results), "run_id": "test"}
    with pytest.raises(AirflowFailException) as failed:
        task.execute(context)
    return str(failed.value)


@pytest.mark.parametrize("task_id", TASKS)
def test_without_a_plan_every_task_says_that_plan_has_left_none(task_id: str) -> None:
    """`publish` was marked as success before `plan` had run, so that `clean_up` runs first of all."""
    message = told(TASKS[task_id](), {})

    assert "the task 'plan' of this run has left no result: it has not run yet, or it was marked as success" in message
    assert "Clear 'plan' with all tasks after it." in message


@pytest.mark.parametrize("task_id", TASKS)
def test_a_plan_of_another_version_of_the_package_is_told_apart(task_id: str) -> None:
    """The package was upgraded in the middle of the run."""
    message = told(TASKS[task_id](), {("plan", "plan"): {**PLAN, "version": VERSION + 1}})

    assert f"version {VERSION + 1}" in message
    assert "Clear from plan: the package was changed in the middle of the run." in message


@pytest.mark.parametrize(
    ("task_id", "forerunner"), [("extract", "plan"), ("filter", "extract"), ("transform", "filter")]
)
def test_a_slice_without_the_result_of_the_step_before_names_that_step(task_id: str, forerunner: str) -> None:
    """It was marked as success by hand."""
    task = TASKS[task_id]()
    task.item = None

    message = told(task, {("plan", "plan"): PLAN})

    assert f"the task '{forerunner}' of this run has left no result" in message
    assert f"Clear '{forerunner}'" in message


def test_a_load_without_its_group_names_reconcile() -> None:
    """It was marked as success by hand."""
    task = TASKS["load"]()
    task.group = None

    assert "the task 'reconcile' of this run has left no result" in told(task, {("plan", "plan"): PLAN})


@pytest.mark.parametrize(
    ("task_id", "results", "forerunner"),
    [
        ("aggregate", {}, "transform"),
        ("aggregate", {("transform", "return_value"): [{**ITEM, "slice": 1}, None]}, "transform"),
        ("publish", {("reconcile", "reconciled"): RECONCILED}, "load"),
        ("publish", {("reconcile", "reconciled"): RECONCILED, ("load", "return_value"): [GROUP]}, "load"),
    ],
)
def test_instances_without_a_result_are_counted(task_id: str, results: dict[Any, Any], forerunner: str) -> None:
    """Some instances, or all of them, were marked as success by hand."""
    message = told(TASKS[task_id](), {("plan", "plan"): PLAN, **results})

    assert f"of 2 instances of the task '{forerunner}' have left no result of this run's plan" in message
    assert f"Clear these instances of '{forerunner}' with all tasks after them." in message


@pytest.mark.parametrize(("task_id", "forerunner"), [("reconcile", "aggregate"), ("publish", "reconcile")])
def test_a_task_over_all_slices_names_the_one_before(task_id: str, forerunner: str) -> None:
    """It was marked as success by hand."""
    assert f"the task '{forerunner}' of this run has left no result" in told(TASKS[task_id](), {("plan", "plan"): PLAN})


def test_airflow_dags_test_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever executor is set; a task of a worker is not."""
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", SimpleNamespace(), raising=False)
    assert not is_in_process()

    comms = supervisor.InProcessSupervisorComms(supervisor=SimpleNamespace())  # type: ignore[arg-type]
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
    assert is_in_process()

    monkeypatch.delattr(task_runner, "SUPERVISOR_COMMS")
    assert not is_in_process()
