"""`preview`: the first rows of a window as they would be exported, by the steps of a run; nothing is written."""

from __future__ import annotations

import datetime as dt
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export.pipeline.extract import extract
from bifrost_export.pipeline.filter import filter_slice
from bifrost_export.pipeline.first_rows import first_rows
from bifrost_export.pipeline.opening import open_log_store, open_staging
from bifrost_export.pipeline.plan import draft, pieces
from bifrost_export.pipeline.plan_document import Plan, Slice
from bifrost_export.pipeline.transform import transform
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.runtime import Runtime

Rows = dict[str, list[dict[str, Any]]]

ROWS_PER_SLICE = 10_000
"""Rows that are read at once, about: enough for a filter that keeps one in a thousand."""
FIRST_SHARE = 512
"""The first stretch of a window is this part of it, and each further one as long as all before it."""


def preview(runtime: Runtime, loaded: LoadedExport, window: Window, limit: int) -> Rows:
    """The first rows of each dataset, filtered and masked, as JSON has them.

    The window is read from its start until there are enough rows; a slice is read, filtered and transformed by the
    functions of a run, in a private folder of staging that is gone afterwards.

    Args:
        runtime: The surroundings.
        loaded: A good export.
        window: The window; `date_range` counts.
        limit: How many rows of each dataset.

    Raises:
        ConfigError: The export is broken, or no log store is named.
        LogStoreError: The log store can't be read.
    """
    rows: Rows = {dataset: [] for dataset in loaded.good.data.include}
    with tempfile.TemporaryDirectory(prefix="bifrost-export-preview-") as folder:
        staging = {"url": Path(folder).as_uri(), "conn_id": None, "keep_days": 1, "host": socket.gethostname()}
        drafted = replace(draft(runtime, loaded, window, "preview"), staging=staging)
        open_staging(runtime, drafted).create({})
        for plan, item in _slices(runtime, drafted):
            for dataset, found in _rows(runtime, plan, item, limit):
                rows[dataset] += found[: limit - len(rows[dataset])]
            if all(len(each) >= limit for each in rows.values()):
                break
    return rows


def _slices(runtime: Runtime, drafted: Plan) -> Iterator[tuple[Plan, dict[str, Any]]]:
    """The slices of the window, cut when they are needed: not even an index is read to the window's end."""
    inside, _ = pieces(drafted.export, drafted.window)
    for stretch in (part for piece in inside for part in _stretches(piece)):
        with closing(open_log_store(runtime, drafted)) as log_store:
            cuts = log_store.cuts([stretch], ROWS_PER_SLICE, most=1_000_000)
        plan = replace(drafted, slices=tuple(Slice.of(cut, "rows") for cut in cuts))
        yield from ((plan, item) for item in plan.items())


def _stretches(window: Window) -> Iterator[Window]:
    length = (window.end - window.start) / FIRST_SHARE
    start = window.start
    while start < window.end:
        end = min(window.end, start + max(length, dt.timedelta(seconds=1)))
        yield Window(start, end)
        start, length = end, end - window.start


def _rows(runtime: Runtime, plan: Plan, item: dict[str, Any], limit: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    done = transform(runtime, plan, filter_slice(runtime, plan, extract(runtime, plan, item)))
    staging = open_staging(runtime, plan)
    for dataset in done["files"]:
        yield dataset, first_rows(plan, staging, done, dataset, limit)
