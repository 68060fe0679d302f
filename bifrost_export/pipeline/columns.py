"""The columns of a dataset's rows at each step of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.datasets import Column, arrow_schema, columns_of

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.pipeline.plan_document import Plan


def read_columns(plan: Plan, dataset: str) -> tuple[Column, ...]:
    """The columns that `extract` and `filter` stage."""
    return columns_of(dataset, plan.export.data)


def loaded_columns(plan: Plan, dataset: str) -> tuple[Column, ...]:
    """The columns that the last step stages, and that parts hold."""
    return read_columns(plan, dataset)


def read_schema(plan: Plan, dataset: str) -> pa.Schema:
    """`read_columns` as Arrow's schema."""
    return arrow_schema(read_columns(plan, dataset))


def loaded_schema(plan: Plan, dataset: str) -> pa.Schema:
    """`loaded_columns` as Arrow's schema."""
    return arrow_schema(loaded_columns(plan, dataset))
