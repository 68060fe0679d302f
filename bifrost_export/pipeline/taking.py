"""Take from earlier tasks exactly what the plan says: each once, nothing of another token, nothing missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bifrost_export.errors import PlanMismatchError
from bifrost_export.pipeline.plan_document import Plan


def take(
    plan: Plan, items: Iterable[dict[str, Any] | None], key: str, count: int, by: str | None = None
) -> list[dict[str, Any]]:
    """The planned items in order; those of other tokens are left aside (XComs of removed instances stay).

    Args:
        plan: The run's plan.
        items: What the earlier task's instances gave.
        key: The key of an item with its number.
        count: How many were planned.
        by: The earlier task, when each item is the result of one of its instances.

    Raises:
        PlanMismatchError: One of this plan's items is missing, comes twice, or was never planned.
    """
    given = [item for item in items if isinstance(item, dict) and item.get("token") == plan.token]
    mine = {item.get(key): item for item in given}
    if len(given) != count or set(mine) != set(range(count)):
        missing = sorted(set(range(count)) - set(mine))
        if by is not None and missing and len(given) == len(mine):
            raise PlanMismatchError(
                f"{len(missing)} of {count} instances of the task {by!r} have left no result of this run's plan: they"
                f" have not run yet, or were marked as success by hand; numbers: {missing[:10]}",
                hint=f"Clear these instances of {by!r} with all tasks after them.",
            )
        raise PlanMismatchError(
            f"planned {count} of {key}, and got {len(given)} of this plan's token {plan.token}"
            + (f"; missing: {missing[:10]}" if missing else ""),
            hint="Clear from plan.",
        )
    return [mine[number] for number in range(count)]


def check_token(plan: Plan, item: dict[str, Any], done: Sequence[str]) -> None:
    """Refuse an item of another plan, or one that lacks or adds a step.

    Raises:
        PlanMismatchError: It is one.
    """
    if item.get("token") != plan.token:
        raise PlanMismatchError(
            f"this task was given an item of token {item.get('token')!r}, and the plan's is {plan.token!r}",
            hint="Clear from plan.",
        )
    if list(item.get("done", [])) != list(done):
        raise PlanMismatchError(
            f"the item has been through {item.get('done', [])} instead of {list(done)}", hint="Clear from plan."
        )
