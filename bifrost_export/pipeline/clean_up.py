"""`clean_up`: take the run's staging away, and what runs long dead have left there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bifrost_export.pipeline.opening import open_destination, open_staging

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime


def clean_up(runtime: Runtime, plan: Plan) -> None:
    """Remove this run's staging, what its former plans staged, and folders older than `staging.keep_days`."""
    staging = open_staging(runtime, plan)
    keep = dt.timedelta(days=plan.staging["keep_days"])
    open_destination(runtime, plan).clean_up(keep)
    staging.remove()
    swept = staging.sweep(keep, runtime.now(), plan.run_id)
    runtime.report("clean_up", {"removed": staging.name, "swept": swept})
