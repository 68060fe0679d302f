"""The columns of the rows at each step of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.datasets import Column, arrow_schema, columns_of
from bifrost_export.datasets.reading import columns_read, is_divided

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.config.models import Data
    from bifrost_export.pipeline.plan_document import Plan

READING = "logs"
"""Stands for a dataset where rows of several are read together, and `filter` divides them."""


def reading_of(data: Data) -> str:
    """Whose rows `extract` stages: those of the one dataset, or `READING`."""
    return READING if is_divided(data) else data.include[0]


def read_columns(plan: Plan) -> tuple[Column, ...]:
    """The columns that `extract` stages."""
    return columns_read(plan.export.data)


def filtered_columns(plan: Plan, dataset: str) -> tuple[Column, ...]:
    """The columns that `filter` stages."""
    return columns_of(dataset, plan.export.data)


def loaded_columns(plan: Plan, dataset: str) -> tuple[Column, ...]:
    """The columns that the last step stages, and that parts hold."""
    return filtered_columns(plan, dataset)


def read_schema(plan: Plan) -> pa.Schema:
    """`read_columns` as Arrow's schema."""
    return arrow_schema(read_columns(plan))


def filtered_schema(plan: Plan, dataset: str) -> pa.Schema:
    """`filtered_columns` as Arrow's schema."""
    return arrow_schema(filtered_columns(plan, dataset))


def loaded_schema(plan: Plan, dataset: str) -> pa.Schema:
    """`loaded_columns` as Arrow's schema."""
    return arrow_schema(loaded_columns(plan, dataset))
