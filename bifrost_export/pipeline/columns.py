"""The columns of a dataset's rows at each step of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.datasets import columns_of

if TYPE_CHECKING:
    from bifrost_export.datasets.columns import Column
    from bifrost_export.pipeline.plan_document import Plan


def loaded_columns(plan: Plan, dataset: str) -> tuple[Column, ...]:
    """The columns that the last step stages, and that parts hold."""
    return columns_of(dataset)
