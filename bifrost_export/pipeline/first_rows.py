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
    count = min(limit, staged_rows(item, dataset))
    stamp = Stamp.of(plan, item["slice"], dataset, plan.steps[dataset])
    batches = read_rows(staging, item["files"][dataset], stamp, 0, count)
    return [_as_json(row) for batch in batches for row in batch.to_pylist()]


def staged_rows(item: dict[str, Any], dataset: str) -> int:
    """How many rows of a dataset the last step has staged, of a slice or of the whole window."""
    return _staged(item, dataset, "rows")


def staged_bytes(item: dict[str, Any], dataset: str) -> int:
    """What the values of these rows take; 0 where the item has none of the dataset's files."""
    return _staged(item, dataset, "bytes") if dataset in item["files"] else 0


def _staged(item: dict[str, Any], dataset: str, measure: str) -> int:
    told = item["changes"] if "changes" in item else item["books"]
    found: int = told[dataset]["staged"][measure]
    return found


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return rfc3339(value)
    return value.isoformat() if isinstance(value, dt.date) else value
