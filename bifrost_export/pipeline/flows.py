"""The columns of a run's datasets at every step, and the steps that make each staged file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.config.transformations import Flow, Stage, flow_of
from bifrost_export.errors import PlanMismatchError
from bifrost_export.filters import RowFilter

if TYPE_CHECKING:
    from bifrost_export.config.models import Export
    from bifrost_export.pipeline.plan_document import Plan

WHOLE = -1
"""Number of the slice of a file over all slices."""


def steps_of_export(export: Export) -> dict[str, tuple[str, ...]]:
    """Dataset -> the steps that make its rows, in order, as a plan fixes them."""
    return {dataset: _steps(export, flow_of(export.data, dataset)) for dataset in export.data.include}


def _steps(export: Export, flow: Flow) -> tuple[str, ...]:
    filtered = () if RowFilter(export.data.filters).is_empty else ("filter",)
    return ("extract", *filtered, *(stage.step.name for stage in flow.stages))


def flow(plan: Plan, dataset: str) -> Flow:
    """The way of a dataset through the transformations, as the plan has it.

    Raises:
        PlanMismatchError: A transformation that is installed now would take another way.
    """
    found = flow_of(plan.export.data, dataset)
    if _steps(plan.export, found) != plan.steps[dataset]:
        raise PlanMismatchError(
            f"the transformations of {dataset} are {list(_steps(plan.export, found))} now, and were planned as"
            f" {list(plan.steps[dataset])}",
            hint="Clear from plan: what is installed was changed in the middle of the run.",
        )
    return found


def steps_before(plan: Plan, dataset: str, stages: tuple[Stage, ...]) -> tuple[str, ...]:
    """The steps that stand before some last stages of a dataset."""
    steps = plan.steps[dataset]
    return steps[: len(steps) - len(stages)]


def whole_datasets(plan: Plan) -> list[str]:
    """The datasets with a stage over all slices."""
    return [dataset for dataset in plan.datasets if flow(plan, dataset).whole]
