"""The columns that `extract` stages, and whose rows they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.datasets import arrow_schema
from bifrost_export.datasets.hidden import ODDITIES_COLUMN
from bifrost_export.datasets.reading import columns_read, is_divided

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.config.models import Data
    from bifrost_export.pipeline.plan_document import Plan

READING = "logs"
"""Stands for a dataset where rows of several are read together, and `filter` divides them."""

TOOL_CALLS = "mcp"
"""Stands for a dataset where rows of `mcp_tool_logs` are staged and booked."""


def reading_of(data: Data) -> str:
    """Whose rows `extract` stages: those of the one dataset, or `READING`."""
    return READING if is_divided(data) else data.include[0]


def read_schema(plan: Plan) -> pa.Schema:
    """The schema of the rows that `extract` reads, with what travels beside them."""
    from bifrost_export.pipeline.flows import flow  # with pyarrow, which no DAG file loads
    from bifrost_export.pipeline.twins import twins_of

    twins = dict.fromkeys(twin for dataset in plan.datasets for twin in twins_of(flow(plan, dataset)))
    return arrow_schema((*columns_read(plan.export.data), *twins, ODDITIES_COLUMN))


def is_filtered(plan: Plan) -> bool:
    """Whether `filter` has something to do."""
    return any("filter" in steps for steps in plan.steps.values())
