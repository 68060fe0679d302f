"""`preview`: the first rows of a window as they would be exported, by the steps of a run; nothing is written."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.temporary_files import temporary_folder
from bifrost_export.pipeline.aggregate import aggregate
from bifrost_export.pipeline.extract import extract
from bifrost_export.pipeline.filter import filter_slice
from bifrost_export.pipeline.first_rows import first_rows
from bifrost_export.pipeline.flows import whole_datasets
from bifrost_export.pipeline.plan import draft, pieces
from bifrost_export.pipeline.plan_document import Plan, Slice
from bifrost_export.pipeline.resources import open_staging, typed, with_log_store
from bifrost_export.pipeline.transform import transform
from bifrost_export.window import Window, merge

if TYPE_CHECKING:
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.logstore.port import LogStore
    from bifrost_export.pipeline.runtime import Runtime

Rows = dict[str, list[dict[str, Any]]]

ROWS_OF_FIRST = 10_000
"""Rows of the first slice, about: enough for a filter that keeps one in a thousand."""
GROWTH = 8
"""How many times as many rows the next slice has."""
MOST_TOGETHER = 64
"""How many times as many rows a slice has at most."""
MOST_PIECES = 1_000_000


def preview(runtime: Runtime, loaded: LoadedExport, window: Window, limit: int) -> Rows:
    """The first rows of each dataset, filtered and masked, as JSON has them.

    The window is read from its start until there are enough rows, to its end where a dataset is aggregated; a slice is
    read, filtered and transformed by the functions of a run, in a private folder of staging that is gone afterwards.

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
    with temporary_folder("bifrost-export-preview-") as folder:
        staging = {"url": folder.as_uri(), "conn_id": None, "keep_days": 1, "host": socket.gethostname()}
        drafted = replace(draft(runtime, loaded, window, "preview"), staging=staging)
        drafted = typed(runtime, drafted)
        open_staging(runtime, drafted).create({})
        plan = _slices(runtime, drafted)
        whole, done = whole_datasets(plan), []
        for item in plan.items():
            done.append(transform(runtime, plan, filter_slice(runtime, plan, extract(runtime, plan, item))))
            _take_rows(plan, runtime, done[-1], rows, limit, but=whole)
            if not whole and all(len(each) >= limit for each in rows.values()):
                break
        if whole:
            _take_rows(plan, runtime, aggregate(runtime, plan, done)[-1], rows, limit)
    return rows


def _slices(runtime: Runtime, drafted: Plan) -> Plan:
    """The plan with slices of a few rows first, and more and more later.

    A filter that keeps next to nothing should not cost a slice every few rows, nor ten rows a read of the whole window.
    """
    inside, _ = pieces(drafted.export, drafted.window)

    def cut(log_store: LogStore) -> list[Window]:
        return log_store.slices(inside, ROWS_OF_FIRST, most=MOST_PIECES) if inside else []

    cuts = with_log_store(runtime, drafted, cut)
    return replace(drafted, slices=tuple(Slice.of(each, "rows") for each in _growing(cuts)))


def _growing(cuts: list[Window]) -> Iterator[Window]:
    count = 1
    while cuts:
        joined = merge(cuts[:count])
        yield from joined
        cuts, count = cuts[count:], min(GROWTH * count, MOST_TOGETHER)


def _take_rows(
    plan: Plan, runtime: Runtime, item: dict[str, Any], rows: Rows, limit: int, but: Sequence[str] = ()
) -> None:
    """Add the first rows of an item to those that were found before."""
    staging = open_staging(runtime, plan)
    for dataset, found in rows.items():
        if dataset not in but:
            found += first_rows(plan, staging, item, dataset, limit - len(found))
