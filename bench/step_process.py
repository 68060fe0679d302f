"""One step of a run, in a process of its own as a task is; what it hands on lies in a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bifrost_export.pipeline.aggregate import aggregate
from bifrost_export.pipeline.extract import extract
from bifrost_export.pipeline.filter import filter_slice
from bifrost_export.pipeline.load import load
from bifrost_export.pipeline.plan import PlanRequest, plan
from bifrost_export.pipeline.plan_document import Plan
from bifrost_export.pipeline.publish import publish
from bifrost_export.pipeline.reconcile import reconcile
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.pipeline.transform import transform
from bifrost_export.window import Window, parse_instant

_EACH = {"extract": extract, "filter": filter_slice, "transform": transform}


def main(folder: str, step: str, start: str, end: str, rows: str) -> None:
    """Run the step with what the one before it left."""
    runtime = Runtime(rows_per_slice=int(rows) + 1, environ={"BENCH_KEY": "a key of no worth, but long enough"})
    state = Path(folder) / "state.json"
    if step == "plan":
        window = Window(parse_instant(start), parse_instant(end))
        planned = plan(runtime, PlanRequest(folder, "bench", window, "bench"))
        told: dict[str, Any] = {"plan": planned.to_json(), "given": planned.items()}
    else:
        told = json.loads(state.read_text())
        told["given"] = _next(runtime, Plan.from_json(told["plan"]), step, told)
    state.write_text(json.dumps(told))


def _next(runtime: Runtime, planned: Plan, step: str, told: dict[str, Any]) -> Any:
    given = told["given"]
    if step in _EACH:
        return [_EACH[step](runtime, planned, item) for item in given]
    if step == "aggregate":
        return aggregate(runtime, planned, given)
    if step == "reconcile":
        return reconcile(runtime, planned, given)
    if step == "load":
        return {"reconciled": given, "loaded": [load(runtime, planned, group) for group in given["groups"]]}
    publish(runtime, planned, given["reconciled"], given["loaded"])
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
