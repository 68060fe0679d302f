"""Export one window by the package's own steps, with staging, as tasks would: slices read side by side."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from bifrost_export.pipeline.aggregate import aggregate
from bifrost_export.pipeline.clean_up import clean_up
from bifrost_export.pipeline.extract import extract
from bifrost_export.pipeline.filter import filter_slice
from bifrost_export.pipeline.load import load
from bifrost_export.pipeline.plan import PlanRequest, plan
from bifrost_export.pipeline.publish import publish
from bifrost_export.pipeline.reconcile import reconcile
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.pipeline.transform import transform
from bifrost_export.window import Window, parse_instant


def main(document: str, start: str, end: str, rows: str, slices: str) -> None:
    """Export the window; every row has to arrive.

    Raises:
        SystemExit: There are more or fewer slices than asked for.
    """
    # A slice is cut before the minute that would pass this number, so that halves need a little room.
    runtime = Runtime(rows_per_slice=int(rows) * 105 // (100 * int(slices)))
    planned = plan(runtime, PlanRequest(document, "bench", Window(parse_instant(start), parse_instant(end)), "bench"))
    if len(planned.slices) != int(slices):
        raise SystemExit(f"{len(planned.slices)} slices in place of {slices}")
    with ThreadPoolExecutor(int(slices)) as side_by_side:
        done = list(
            side_by_side.map(
                lambda item: transform(
                    runtime, planned, filter_slice(runtime, planned, extract(runtime, planned, item))
                ),
                planned.items(),
            )
        )
        reconciled = reconcile(runtime, planned, aggregate(runtime, planned, done))
        loaded = list(side_by_side.map(lambda group: load(runtime, planned, group), reconciled["groups"]))
    publish(runtime, planned, reconciled, loaded)
    clean_up(runtime, planned)


if __name__ == "__main__":
    main(*sys.argv[1:])
