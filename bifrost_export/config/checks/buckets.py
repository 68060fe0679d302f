"""Check whether windows cut the buckets of `metrics`, which then stand in two windows, each with a part of the rows.

It goes through the windows of a year, which takes too long for a DAG file: `validate` tells it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bifrost_export.config.checks.checker import Checker
from bifrost_export.datasets.metrics import METRICS
from bifrost_export.errors import WindowError
from bifrost_export.fields.units import duration_of
from bifrost_export.window import EPOCH, UTC, Window, rfc3339

if TYPE_CHECKING:
    from bifrost_export.config.models.export import Export
    from bifrost_export.schedules.base import BaseSchedule

_FROM = dt.datetime(2026, 1, 1, tzinfo=UTC)
"""Fixed, so that the same document gives the same warning on each day."""
_WINDOWS = 400
"""Windows that are looked at: with daily ones a year, and all its clock changes."""
_SHORTER = ("1d", "12h", "6h", "4h", "3h", "2h", "1h", "30m", "15m", "10m", "5m", "1m")
_SECOND = dt.timedelta(seconds=1)


def check_buckets(checker: Checker, export: Export, pointer: str) -> None:
    """Warn when windows cut buckets.

    Args:
        checker: Notes it.
        export: The export.
        pointer: Where it stands.
    """
    bucket = duration_of(export.data.metrics_bucket)
    if METRICS.name not in export.data.include or bucket is None:
        return
    windows = list(_windows(export.schedule))
    cut = next((each for each in windows if _seconds(each.end) % _length(bucket)), None)
    if cut is None:
        return
    start = cut.end - dt.timedelta(seconds=_seconds(cut.end) % _length(bucket))
    is_default = export.data.metrics_bucket == type(export.data).model_fields["metrics_bucket"].default
    checker.add(
        f"{pointer}/schedule" if is_default else f"{pointer}/data/metrics_bucket",
        f"windows cut buckets of {METRICS.name}: the window {cut} ends inside the bucket of"
        f" {export.data.metrics_bucket} from {rfc3339(start)} on,"
        " so that this bucket has rows in two windows, each of a part of its requests",
        severity="warning",
        hint=_hint(windows, bucket),
    )


def _windows(schedule: BaseSchedule) -> Iterator[Window]:
    """Some windows, one after another."""
    try:
        window = schedule.window_containing(_FROM)
        for _ in range(_WINDOWS):
            yield window
            window = schedule.window_from(window.end)
    except WindowError:
        return  # a schedule that hardly ever fires has no more


def _hint(windows: list[Window], bucket: dt.timedelta) -> str:
    common = math.gcd(*(_seconds(each.end) for each in windows))
    for word in _SHORTER:
        shorter = duration_of(word)
        if shorter is not None and shorter < bucket and common % _length(shorter) == 0:
            return (
                f'No window cuts buckets of "metrics_bucket": "{word}"; or let windows end where buckets begin, in UTC.'
            )
    return "Let windows end where buckets begin, in UTC."


def _seconds(instant: dt.datetime) -> int:
    return (instant - EPOCH) // _SECOND


def _length(bucket: dt.timedelta) -> int:
    return bucket // _SECOND
