"""All steps of a run in this process, for the CLI and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.pipeline.aggregate import aggregate
from bifrost_export.pipeline.clean_up import clean_up, discard
from bifrost_export.pipeline.extract import extract
from bifrost_export.pipeline.filter import filter_slice
from bifrost_export.pipeline.load import load
from bifrost_export.pipeline.plan import PlanRequest, plan
from bifrost_export.pipeline.publish import publish
from bifrost_export.pipeline.reconcile import reconcile
from bifrost_export.pipeline.transform import transform

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime


def run(runtime: Runtime, request: PlanRequest) -> dict[str, Any]:
    """Plan, read, write and publish one window; what was staged is removed when that fails, too.

    Args:
        runtime: The surroundings.
        request: What to export.

    Returns:
        The JSON of the CLI's `run` (contract, section 9).

    Raises:
        BifrostExportError: As the steps do.
    """
    planned = plan(runtime, request)
    try:
        return _run(runtime, planned)
    except BaseException:  # Ctrl-C too: nothing goes on from what is staged, as a cleared task in Airflow does
        discard(runtime, planned)
        raise


def _run(runtime: Runtime, planned: Plan) -> dict[str, Any]:
    items = planned.items()
    runtime.report("plan", {"slices": len(items), "token": planned.token, "window": str(planned.window)})
    done = [transform(runtime, planned, filter_slice(runtime, planned, extract(runtime, planned, x))) for x in items]
    reconciled = reconcile(runtime, planned, aggregate(runtime, planned, done))
    loaded = [load(runtime, planned, group) for group in reconciled["groups"]]
    result = publish(runtime, planned, reconciled, loaded)
    clean_up(runtime, planned)
    return result
