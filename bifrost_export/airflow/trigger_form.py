"""The trigger form of an export's DAG: what a person may set for one run, in the UI, by the API or in a backfill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from bifrost_export.airflow.versions import plain
from bifrost_export.errors import ConfigError, WindowError
from bifrost_export.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Param

    from bifrost_export.schedules.schedule import Schedule

_EXAMPLE = "2026-03-01, 2026-03-01T02:00 or 2026-03-01T02:00:00Z"


def trigger_form(timezone: str) -> dict[str, Param]:
    """The form's fields, each with a valid default: a scheduled run takes them all.

    The times are plain text: Airflow's date-time format refuses a time without a zone, which here means the export's.

    Args:
        timezone: The export's.
    """
    from airflow.sdk import Param

    # Airflow shows them as plain text.
    times = f"Write it as {_EXAMPLE}; without a zone it is taken in {timezone}."
    return {
        "window_start": Param(
            None,
            type=["null", "string"],
            title="Window start",
            description=f"The first instant to export, in place of the run's own window. {times}",
        ),
        "window_end": Param(
            None,
            type=["null", "string"],
            title="Window end",
            description=f"The first instant that is not exported any more. {times}",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Force",
            description="Export a window that has not settled yet: rows of its last requests may still arrive.",
        ),
        "replace_overlapping": Param(
            False,
            type="boolean",
            title="Replace overlapping windows",
            description="Replace published windows that this one covers completely. Otherwise they stop the run.",
        ),
        "allow_shrink": Param(
            False,
            type="boolean",
            title="Allow shrinking",
            description="Publish a window that now holds fewer log rows, or fewer offloaded contents, than were"
            " published. Otherwise the run fails: Bifrost deletes old rows (client.log_retention_days), and payloads"
            " expire.",
        ),
        "replace_source": Param(
            False,
            type="boolean",
            title="Replace the source",
            description="Publish windows that were published from another log store, such as one that has moved."
            " Otherwise the run fails.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Read, filter and balance the books, but write nothing to the destination.",
        ),
    }


def check_conf(conf: Mapping[str, Any] | None, known: Mapping[str, Any]) -> None:
    """Refuse what Airflow would accept in silence: a misspelt `window_start` would export another window.

    Args:
        conf: The configuration that the run was triggered with.
        known: The form's fields by name.

    Raises:
        ConfigError: It holds keys that the form has not.
    """
    unknown = sorted(set(conf or {}) - set(known))
    if not unknown:
        return
    near = [close[0] for name in unknown if (close := get_close_matches(str(name), list(known), n=1))]
    raise ConfigError(
        f"the run's configuration has unknown keys: {', '.join(repr(name) for name in unknown)}",
        allowed=", ".join(known),
        hint=f"Did you mean {', '.join(repr(name) for name in near)}? Trigger a new run." if near else None,
    )


def choose_window(
    schedule: Schedule,
    form: Mapping[str, Any],
    interval: tuple[dt.datetime | None, dt.datetime | None],
    run_after: dt.datetime,
) -> Window:
    """The window of a run.

    Args:
        schedule: The export's schedule, in whose timezone the form's times are taken.
        form: The trigger form; empty text means the same as null.
        interval: The run's data interval; Airflow keeps none when a run is triggered with `logical_date: null`.
        run_after: When the run was due, aware.

    Raises:
        WindowError: The form has one end without the other, or what it says is no window.
    """
    start, end = (str(form.get(name) or "").strip() for name in ("window_start", "window_end"))
    if bool(start) != bool(end):
        given, missing = ("window_start", "window_end") if start else ("window_end", "window_start")
        raise WindowError(
            f"the trigger form has {given} = {start or end}, and no {missing}", hint="Give both or neither."
        )
    if start:
        return Window.parse(start, end, schedule.zone)
    if interval[0] is not None and interval[1] is not None:
        return Window(plain(interval[0]), plain(interval[1]))
    return schedule.latest_settled(plain(run_after))
