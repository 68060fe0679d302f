"""One operator for each step of a run. What they hold is no secret: a document's path, a name, what XCom brings.

The pipeline is imported where a step runs, so that reading a DAG file stays light.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from bifrost_export.airflow.retries import told_apart
from bifrost_export.airflow.task_runtime import task_runtime
from bifrost_export.airflow.versions import AirflowSkipException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from bifrost_export.pipeline.plan import PlanRequest
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime

PLAN = "plan"
"""Task id of the plan, and key of its XCom with the whole plan."""

RECONCILED = "reconciled"
"""Key of the XCom with the books, which `publish` compares with what was loaded."""


class StepOperator(BaseOperator):
    """Runs a step of the pipeline and hands its result on by XCom."""

    ui_color = "#e7f0fb"

    def execute(self, context: Context) -> Any:
        """Run the step; a fault that no retry mends fails the task at once."""
        from airflow.sdk.log import mask_secret

        from bifrost_export.redaction.listeners import listening

        with told_apart(self.log), listening(mask_secret):
            return self.step(context, task_runtime(context, self.log))

    @abstractmethod
    def step(self, context: Context, runtime: Runtime) -> Any:
        """Run the step; gives what later tasks need."""


class PlanOperator(StepOperator):
    """Fixes for the whole run what it exports; its result is what `extract` is mapped over.

    Args:
        document: The document's path.
        export: The export's name.
    """

    def __init__(self, *, document: str, export: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.document = document
        self.export = export

    def step(self, context: Context, runtime: Runtime) -> list[dict[str, Any]]:
        """Plan the run."""
        from bifrost_export.airflow.task_log import narrate_plan
        from bifrost_export.pipeline.plan import plan

        planned = plan(runtime, self._request(context))
        narrate_plan(self.log, planned)
        context["ti"].xcom_push(PLAN, planned.to_json())
        return planned.items()

    def _request(self, context: Context) -> PlanRequest:
        from bifrost_export.airflow.trigger_form import check_conf, choose_window
        from bifrost_export.config.loader import load_export
        from bifrost_export.errors import ConfigError
        from bifrost_export.pipeline.plan import PlanRequest

        run, form = context["dag_run"], context["params"]
        # context["params"] has taken the conf's unknown keys in; the DAG's own have not.
        check_conf(run.conf, context["dag"].params)
        export = load_export(self.document, self.export).export
        if export is None:
            raise ConfigError(f"the export {self.export!r} is broken")
        interval = (context.get("data_interval_start"), context.get("data_interval_end"))
        return PlanRequest(
            document=self.document,
            export=self.export,
            window=choose_window(export.schedule, form, interval, run.run_after),
            run_id=context["run_id"],
            force=bool(form["force"]),
            replace_overlapping=bool(form["replace_overlapping"]),
            dry_run=bool(form["dry_run"]),
            allow_shrink=bool(form["allow_shrink"]),
            replace_source=bool(form["replace_source"]),
        )


class SliceOperator(StepOperator):
    """A step on one slice.

    Args:
        item: What the step before gave for the slice.
    """

    template_fields: Sequence[str] = ("item",)

    def __init__(self, *, item: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item = item

    def given(self, by: str) -> dict[str, Any]:
        """Return the item.

        Args:
            by: The task that should have given it.

        Raises:
            PlanMismatchError: That task has left no result.
        """
        if not isinstance(self.item, dict):
            raise no_result(by)
        return self.item


class ExtractOperator(SliceOperator):
    """Reads a slice of the log store."""

    def step(self, context: Context, runtime: Runtime) -> dict[str, Any]:
        """Read the slice into staging."""
        from bifrost_export.pipeline.extract import extract

        return extract(runtime, _plan(context), self.given(PLAN))


class FilterOperator(SliceOperator):
    """Filters a slice."""

    def step(self, context: Context, runtime: Runtime) -> dict[str, Any]:
        """Keep the rows that pass."""
        from bifrost_export.pipeline.filter import filter_slice

        return filter_slice(runtime, _plan(context), self.given("extract"))


class TransformOperator(SliceOperator):
    """Transforms a slice."""

    def step(self, context: Context, runtime: Runtime) -> dict[str, Any]:
        """Change the rows."""
        from bifrost_export.pipeline.transform import transform

        return transform(runtime, _plan(context), self.given("filter"))


class AggregateOperator(StepOperator):
    """Works over all slices."""

    def step(self, context: Context, runtime: Runtime) -> list[dict[str, Any]]:
        """Aggregate what all slices hold."""
        from bifrost_export.pipeline.aggregate import aggregate

        return aggregate(runtime, _plan(context), _all(context, "transform"))


class ReconcileOperator(StepOperator):
    """Balances the books and plans the parts; its result is what `load` is mapped over."""

    def step(self, context: Context, runtime: Runtime) -> list[dict[str, Any]]:
        """Compare all that was counted."""
        from bifrost_export.pipeline.reconcile import reconcile

        plan, given = _plan(context), _pulled(context, "aggregate")
        reconciled = reconcile(runtime, plan, given)
        context["ti"].xcom_push(RECONCILED, reconciled)
        groups: list[dict[str, Any]] = reconciled["groups"]
        return groups


class LoadOperator(StepOperator):
    """Writes a group of parts to the destination.

    Args:
        group: What `reconcile` gave.
    """

    def __init__(self, *, group: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group = group

    def step(self, context: Context, runtime: Runtime) -> dict[str, Any]:
        """Write the parts under the run's token."""
        from bifrost_export.pipeline.load import load

        if not isinstance(self.group, dict):
            raise no_result("reconcile")
        return load(runtime, _plan(context), self.group)


class PublishOperator(StepOperator):
    """Commits the run and tells its outlets; in a dry run it is skipped, so that no asset event is made."""

    def step(self, context: Context, runtime: Runtime) -> dict[str, Any]:
        """Publish the window."""
        from bifrost_export.pipeline.publish import publish

        plan, reconciled = _plan(context), _pulled(context, "reconcile", RECONCILED)
        result = publish(runtime, plan, reconciled, _all(context, "load"))
        if plan.dry_run:
            raise AirflowSkipException("A dry run: nothing was written to the destination.")
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra.update(event_of(result))
        return result


class CleanUpOperator(StepOperator):
    """Removes the run's staging.

    It is a plain task and no teardown, which would remove what a cleared `load` needs.
    """

    def step(self, context: Context, runtime: Runtime) -> None:
        """Remove it, and sweep what dead runs have left."""
        from bifrost_export.pipeline.clean_up import clean_up

        clean_up(runtime, _plan(context))


def event_of(result: dict[str, Any]) -> dict[str, Any]:
    """What the asset event of a published window says.

    Args:
        result: What `publish` gave.
    """
    datasets = {
        name: {
            "rows": each["exported"],
            "bytes": sum(place["bytes"] for place in each.get("parts", each.get("tables"))),
        }
        for name, each in result["datasets"].items()
    }
    return {**{key: result[key] for key in ("window", "manifest", "revision", "unchanged")}, "datasets": datasets}


def no_result(task_id: str) -> Exception:
    """Return the error for a task without a result: only who ran it leaves one, whatever state Airflow shows.

    Args:
        task_id: The task.
    """
    from bifrost_export.errors import PlanMismatchError

    return PlanMismatchError(
        f"the task {task_id!r} of this run has left no result: it has not run yet, or it was marked as success by hand",
        hint=f"Clear {task_id!r} with all tasks after it.",
    )


def _plan(context: Context) -> Plan:
    from bifrost_export.pipeline.plan_document import Plan

    return Plan.from_json(_pulled(context, PLAN, PLAN))


def _pulled(context: Context, task_id: str, key: str = "return_value") -> Any:
    """Return what a task has left.

    Raises:
        PlanMismatchError: Nothing.
    """
    found = context["ti"].xcom_pull(task_ids=task_id, key=key)
    if found is None:
        raise no_result(task_id)
    return found


def _all(context: Context, task_id: str) -> list[dict[str, Any] | None]:
    """The results of all instances of a mapped task, in one request; also of instances that the run no longer has."""
    found: list[dict[str, Any] | None] = context["ti"].xcom_pull(task_ids=[task_id])
    return found
