"""`aggregate`: what works over all slices; always in the graph, so that a running run finishes as planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bifrost_export.pipeline.arrow_files import Stamp, read_rows, write_rows
from bifrost_export.pipeline.flows import WHOLE, flow, last_schema, steps_before, whole_datasets
from bifrost_export.pipeline.plan_document import check_token, take
from bifrost_export.pipeline.resources import open_staging
from bifrost_export.pipeline.transform_chain import Chain

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging


def aggregate(runtime: Runtime, plan: Plan, items: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """Run each dataset's first aggregation and all transformations after it; without one its slices are handed on.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        items: What the instances of `transform` gave.

    Returns:
        One item a slice, in order. Where a dataset was worked on as a whole, its files are taken out of them, and an
        item of slice -1 stands behind: `{"token", "slice", "label", "done", "files", "rejected", "changes"}`, the last
        by dataset `{"changes", "staged"}`.

    Raises:
        PlanMismatchError: A planned slice is missing.
        StagingGoneError: A staged file isn't there.
        TransformError: A transformation fails.
        ConfigError: A reference has no value.
    """
    slices = take(plan, items, "slice", len(plan.slices), "transform")
    for item in slices:
        check_token(plan, item, ["extract", "filter", "transform"])
    whole = whole_datasets(plan)
    made = {dataset: _as_a_whole(runtime, plan, slices, dataset) for dataset in whole}
    runtime.report("aggregate", {"slices": len(slices), "rows": {name: each["rows"] for name, each in made.items()}})
    done = [*(slices[0]["done"] if slices else []), "aggregate"]
    handed = [
        {**item, "done": done, "files": {name: file for name, file in item["files"].items() if name not in made}}
        for item in slices
    ]
    if not made:
        return handed
    files = {name: each["file"] for name, each in made.items()}
    changes = {name: {key: each[key] for key in ("changes", "staged")} for name, each in made.items()}
    over_all = {"token": plan.token, "slice": WHOLE, "label": "all slices", "done": done, "files": files}
    return [*handed, {**over_all, "rejected": None, "changes": changes}]


def _as_a_whole(runtime: Runtime, plan: Plan, slices: list[dict[str, Any]], dataset: str) -> dict[str, Any]:
    way, staging = flow(plan, dataset), open_staging(runtime, plan)
    chain = Chain.open(runtime, plan, staging, dataset, way.whole)
    before = steps_before(plan, dataset, way.whole)
    after = Stamp.of(plan, WHOLE, dataset, plan.steps[dataset])
    rows = chain.of(_in_order(plan, staging, slices, dataset, before))
    file, count = write_rows(staging, after, runtime.attempt, last_schema(plan, dataset), rows)
    return {
        "file": file,
        "rows": count,
        "changes": [each.to_json() for each in chain.changes],
        "staged": chain.staged.to_json(),
    }


def _in_order(
    plan: Plan, staging: Staging, slices: list[dict[str, Any]], dataset: str, steps: tuple[str, ...]
) -> Iterator[pa.RecordBatch]:
    """The rows of all slices."""
    for item in slices:
        if dataset in item["files"]:
            yield from read_rows(staging, item["files"][dataset], Stamp.of(plan, item["slice"], dataset, steps))
