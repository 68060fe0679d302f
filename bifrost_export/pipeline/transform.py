"""`transform`: change rows as the config says; with no transformation it hands its files on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.pipeline.taking import check_token

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime


def transform(runtime: Runtime, plan: Plan, item: dict[str, Any]) -> dict[str, Any]:
    """Transform a slice.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        item: What `filter` gave.

    Returns:
        The same shape.

    Raises:
        PlanMismatchError: The item isn't the planned one.
    """
    check_token(plan, item, ["extract", "filter"])
    runtime.report("transform", {"label": item["label"], "steps": []})
    return {**item, "done": [*item["done"], "transform"]}
