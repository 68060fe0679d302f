"""`clean_up`: take the run's staging away, and what runs long dead have left there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bifrost_export.errors import BifrostExportError
from bifrost_export.pipeline.resources import open_destination, open_staging

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging


def clean_up(runtime: Runtime, plan: Plan) -> None:
    """Remove this run's staging, what its former plans staged, and folders older than `staging.keep_days`."""
    staging = open_staging(runtime, plan)
    keep = dt.timedelta(days=plan.staging["keep_days"])
    open_destination(runtime, plan).clean_up(keep)
    staging.remove()
    swept = staging.sweep(keep, runtime.now(), plan.run_id)
    runtime.report("clean_up", {"removed": staging.name, "swept": swept})


def sweep_abandoned(runtime: Runtime, plan: Plan, staging: Staging) -> None:
    """Remove folders older than `staging.keep_days` before a run stages anything.

    Runs that always fail never reach `clean_up`, and would fill the disk. What can't be swept stops no run.
    """
    try:
        swept = staging.sweep(dt.timedelta(days=plan.staging["keep_days"]), runtime.now())
    except BifrostExportError as error:
        runtime.report("warning", {"message": f"staging of former runs could not be swept: {error}"})
        return
    if swept:
        runtime.report("sweep", {"swept": swept})


def discard(runtime: Runtime, plan: Plan) -> None:
    """Remove the staging of a run that has failed and that nothing resumes.

    What the destination holds under the run's token is left to the next run of the window.
    """
    try:
        open_staging(runtime, plan).remove()
    except BifrostExportError as error:
        runtime.report("warning", {"message": f"staging of this run could not be removed: {error}"})
