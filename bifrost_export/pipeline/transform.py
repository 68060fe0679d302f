"""`transform`: change rows as the config says; with no transformation of single slices it hands its files on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.columns import arrow_schema
from bifrost_export.pipeline.arrow_files import Stamp, read_rows, write_rows
from bifrost_export.pipeline.books import Books
from bifrost_export.pipeline.flows import flow, steps_before
from bifrost_export.pipeline.plan_document import check_token
from bifrost_export.pipeline.resources import open_staging
from bifrost_export.pipeline.transform_chain import Chain
from bifrost_export.pipeline.twins import twins_of

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime


def transform(runtime: Runtime, plan: Plan, item: dict[str, Any]) -> dict[str, Any]:
    """Transform a slice, up to the first transformation that needs the whole window.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        item: What `filter` gave.

    Returns:
        The same shape.

    Raises:
        PlanMismatchError: The item isn't the planned one.
        StagingGoneError: A staged file isn't there.
        TransformError: A transformation fails.
        ConfigError: A reference has no value.
    """
    check_token(plan, item, ["extract", "filter"])
    files, books = dict(item["files"]), dict(item["books"])
    told: dict[str, list[str]] = {}
    for dataset, file in item["files"].items():
        way = flow(plan, dataset)
        if not way.per_slice:
            continue
        staging = open_staging(runtime, plan)
        chain = Chain.open(runtime, plan, staging, dataset, way.per_slice)
        before = Stamp.of(plan, item["slice"], dataset, steps_before(plan, dataset, way.stages))
        after = Stamp.of(plan, item["slice"], dataset, steps_before(plan, dataset, way.whole))
        rows = chain.of(read_rows(staging, file, before))
        schema = arrow_schema((*way.per_slice[-1].after, *twins_of(way)))
        files[dataset], _ = write_rows(staging, after, runtime.attempt, schema, rows)
        books[dataset] = Books.from_json(books[dataset]).changed(chain.changes, chain.staged).to_json()
        told[dataset] = [stage.step.name for stage in way.per_slice]
    steps = [f"{dataset}: {', '.join(steps)}" for dataset, steps in told.items()]
    runtime.report("transform", {"label": item["label"], "steps": steps})
    return {**item, "done": [*item["done"], "transform"], "files": files, "books": books}
