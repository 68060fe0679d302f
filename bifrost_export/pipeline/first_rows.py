"""The first rows of a dataset as its last step staged them, for `preview` and for dry runs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from bifrost_export.pipeline.arrow_files import Stamp, read_rows
from bifrost_export.window import rfc3339

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.staging import Staging


def first_rows(plan: Plan, staging: Staging, item: dict[str, Any], dataset: str, limit: int) -> list[dict[str, Any]]:
    """The first rows of one slice, as JSON has them.

    Args:
        plan: The run's plan.
        staging: Where they stand.
        item: The slice, as the last step gave it.
        dataset: The dataset.
        limit: How many rows, at most.

    Raises:
        PlanMismatchError: The file lacks a planned step, a mask say.
    """
    if dataset not in item["files"]:
        return []
    count = min(limit, item["books"][dataset]["staged"]["rows"])
    stamp = Stamp.of(plan, item["slice"], dataset, plan.steps)
    batches = read_rows(staging, item["files"][dataset], stamp, 0, count)
    return [_as_json(row) for batch in batches for row in batch.to_pylist()]


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {name: rfc3339(value) if isinstance(value, dt.datetime) else value for name, value in row.items()}
