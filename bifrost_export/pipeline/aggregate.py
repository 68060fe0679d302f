"""`aggregate`: what works over all slices; always in the graph, so that a running run finishes as planned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bifrost_export.pipeline.taking import check_token, take

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime


def aggregate(runtime: Runtime, plan: Plan, items: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """Aggregate over all slices; without an aggregation the slices are handed on.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        items: What the instances of `transform` gave.

    Returns:
        One item a slice, in order.

    Raises:
        PlanMismatchError: A planned slice is missing.
    """
    slices = take(plan, items, "slice", len(plan.slices))
    for item in slices:
        check_token(plan, item, ["extract", "filter", "transform"])
    runtime.report("aggregate", {"slices": len(slices)})
    return [{**item, "done": [*item["done"], "aggregate"]} for item in slices]
