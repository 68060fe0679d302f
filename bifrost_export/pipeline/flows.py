"""The columns of a run's datasets at every step, and the steps that make each staged file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.columns import arrow_schema
from bifrost_export.config.transformations import Flow, Stage, flow_of
from bifrost_export.datasets.reading import columns_read, is_divided
from bifrost_export.errors import PlanMismatchError
from bifrost_export.hidden_columns import ODDITIES_COLUMN
from bifrost_export.pipeline.twins import twins_of

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.config.models.export import Data, Export
    from bifrost_export.pipeline.plan_document import Plan

WHOLE = -1
"""Number of the slice of a file over all slices."""


def steps_of_export(export: Export) -> dict[str, tuple[str, ...]]:
    """Dataset -> the steps that make its rows, in order, as a plan fixes them."""
    return {dataset: _steps(export, flow_of(export.data, dataset)) for dataset in export.data.include}


def _steps(export: Export, flow: Flow) -> tuple[str, ...]:
    from bifrost_export.filters.row_filter import RowFilter

    passes_all = RowFilter(export.data.filters).is_empty and not is_divided(export.data)
    filtered = () if passes_all else ("filter",)
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


def first_schema(plan: Plan, dataset: str) -> pa.Schema:
    """The schema of a dataset's rows as they are read and filtered."""
    return arrow_schema(flow(plan, dataset).columns)


def staged_schema(plan: Plan, dataset: str) -> pa.Schema:
    """The same with the hidden columns that travel beside them."""
    found = flow(plan, dataset)
    return arrow_schema((*found.columns, *twins_of(found)))


def last_schema(plan: Plan, dataset: str) -> pa.Schema:
    """The schema of a dataset's rows as they are exported."""
    return arrow_schema(flow(plan, dataset).result)


def whole_datasets(plan: Plan) -> list[str]:
    """The datasets with a stage over all slices."""
    return [dataset for dataset in plan.datasets if flow(plan, dataset).whole]


READING = "logs"
"""Stands for a dataset where rows of several are read together, and `filter` divides them."""


TOOL_CALLS = "mcp"
"""Stands for a dataset where rows of `mcp_tool_logs` are staged and booked."""


def reading_of(data: Data) -> str:
    """Whose rows `extract` stages: those of the one dataset, or `READING`."""
    return READING if is_divided(data) else data.include[0]


def read_schema(plan: Plan) -> pa.Schema:
    """The schema of the rows that `extract` reads, with what travels beside them."""
    from bifrost_export.pipeline.twins import twins_of

    twins = dict.fromkeys(twin for dataset in plan.datasets for twin in twins_of(flow(plan, dataset)))
    return arrow_schema((*columns_read(plan.export.data), *twins, ODDITIES_COLUMN))


def is_filtered(plan: Plan) -> bool:
    """Whether `filter` has something to do."""
    return any("filter" in steps for steps in plan.steps.values())
