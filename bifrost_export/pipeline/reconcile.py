"""`reconcile`: balance the books before anything leaves, then cut the parts by position in the row order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bifrost_export.datasets.tool_calls import reads_tool_calls
from bifrost_export.errors import PlanMismatchError, RejectedRowsError
from bifrost_export.pipeline.arrow_files import StagedFile
from bifrost_export.pipeline.books import Books, Change, Sums
from bifrost_export.pipeline.first_rows import first_rows, staged_bytes, staged_rows
from bifrost_export.pipeline.flows import TOOL_CALLS, WHOLE, whole_datasets
from bifrost_export.pipeline.odd_counts import OddCounts
from bifrost_export.pipeline.plan_document import check_token, take
from bifrost_export.pipeline.resources import open_destination, open_staging

if TYPE_CHECKING:
    from bifrost_export.config.models.export import Data
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime

DONE = ["extract", "filter", "transform", "aggregate"]
ALWAYS_ALLOWED = 10
"""Rejected rows that never fail a run (contract, section 4)."""
SHOWN_ROWS = 5
"""Rows of each dataset that a dry run shows."""


def reconcile(runtime: Runtime, plan: Plan, items: Iterable[dict[str, Any] | None]) -> dict[str, Any]:
    """Check every slice's books and their sum, and plan the parts.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        items: What `aggregate` gave.

    Returns:
        `{"token", "groups", "books", "pieces", "odd", "window_rows"}`: what `load` is mapped over, the books by
        dataset, how many files there will be, the odd fields of all, and the log rows of the window alone. In a dry
        run there are no groups.

    Raises:
        BooksError: Rows, tokens or cost differ between two stages.
        RejectedRowsError: More rows were rejected than `max_rejected` allows.
        PlanMismatchError: A planned slice is missing.
    """
    given = list(items)
    over_all = [item for item in given if isinstance(item, dict) and item.get("slice") == WHOLE]
    slices = take(plan, (item for item in given if item not in over_all), "slice", len(plan.slices))
    whole = _whole(plan, over_all)
    for item in slices:
        check_token(plan, item, DONE)
        for dataset, books in item["books"].items():
            Books.from_json(books).check(f"{dataset}, slice {item['label']}")
    totals = {
        dataset: sum((Books.from_json(item["books"][dataset]) for item in slices), Books()) for dataset in plan.datasets
    }
    if reads_tool_calls(plan.export.data):
        totals[TOOL_CALLS] = sum((Books.from_json(item["books"][TOOL_CALLS]) for item in slices), Books())
    for dataset, change in (whole["changes"] if whole else {}).items():
        changes = [Change.from_json(each) for each in change["changes"]]
        totals[dataset] = totals[dataset].changed(changes, Sums.from_json(change["staged"]))
    staged = [*slices, whole] if whole else slices
    for dataset, books in totals.items():
        books.check(f"{dataset}, the whole window")
        _check_rejected(plan, dataset, books)
    pieces = [*_parts(plan, staged), *_rejected(slices)]
    facts = {dataset: books.to_json() for dataset, books in totals.items()}
    odd = sum((OddCounts.from_json(item["odd"]) for item in slices), OddCounts())
    runtime.report("reconcile", {"books": facts, "files": len(pieces), **odd.by_column()})
    groups: list[dict[str, Any]] = []
    if plan.dry_run:
        runtime.report("dry_run", _outlook(runtime, plan, staged))
    else:
        groups = list(_groups(runtime, plan, pieces))
    held = {"odd": odd.to_json(), "window_rows": _window_rows(plan, slices)}
    return {"token": plan.token, "groups": groups, "books": facts, "pieces": len(pieces), **held}


def _window_rows(plan: Plan, slices: list[dict[str, Any]]) -> dict[str, int | None]:
    """Count the log rows inside the window, by table; all datasets but the tool calls are made of the same."""
    inside = [item["books"] for item in slices if plan.window.covers(plan.slices[item["slice"]].window)]

    def rows(dataset: str) -> int:
        return sum(Books.from_json(books[dataset]).source.rows for books in inside)

    calls = rows(TOOL_CALLS) if reads_tool_calls(plan.export.data) else None
    return {"logs": rows(plan.datasets[0]), "mcp_tool_logs": calls}


def _whole(plan: Plan, items: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What was worked on over all slices, exactly as planned.

    Raises:
        PlanMismatchError: It lacks a planned dataset, or has one that was not planned.
    """
    planned = whole_datasets(plan)
    mine = [item for item in items if item.get("token") == plan.token]
    given = [sorted(item["files"]) for item in mine]
    if given != ([sorted(planned)] if planned else []):
        raise PlanMismatchError(
            f"planned {planned} as a whole, and got {given} of this plan's token {plan.token}", hint="Clear from plan."
        )
    if not mine:
        return None
    check_token(plan, mine[0], DONE)
    return mine[0]


def _outlook(runtime: Runtime, plan: Plan, slices: list[dict[str, Any]]) -> dict[str, Any]:
    """Where a run would write, and the first rows of each dataset."""
    staging = open_staging(runtime, plan)
    rows: dict[str, list[dict[str, Any]]] = {dataset: [] for dataset in plan.datasets}
    for item in slices:
        for dataset, found in rows.items():
            if len(found) < SHOWN_ROWS:
                found += first_rows(plan, staging, item, dataset, SHOWN_ROWS - len(found))
    return {"targets": open_destination(runtime, plan).targets(), "rows": rows}


def _check_rejected(plan: Plan, dataset: str, books: Books) -> None:
    limit = plan.export.data.max_rejected
    source, rejected, blanked = books.source.rows, books.rejected.rows, books.odd.blanked_rows
    allowed = float(limit[:-1]) / 100 * source if isinstance(limit, str) else limit
    if rejected + blanked > max(ALWAYS_ALLOWED, allowed):
        fields = "; ".join(f"{name} {rows:,}" for name, rows in sorted(books.odd.blanked.items()))
        raise RejectedRowsError(
            f"{rejected:,} of {source:,} log rows of {dataset} were rejected, and {blanked:,} have a blanked field"
            f"{f' ({fields})' if fields else ''}; nothing was published",
            allowed=f"data.max_rejected = {limit}, and never fewer than {ALWAYS_ALLOWED} rows",
            hint="Check the rows that the *.rejected.*.jsonl and *.reported.*.jsonl files in staging name. Fix them, or"
            " raise data.max_rejected.",
        )


def _parts(plan: Plan, slices: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for dataset in plan.datasets:
        files = [
            (item["slice"], item["files"][dataset], staged_rows(item, dataset))
            for item in slices
            if dataset in item["files"]
        ]
        rows = sum(count for _, _, count in files)
        size = _rows_of_part(plan.export.data, rows, sum(staged_bytes(item, dataset) for item in slices))
        parts = -(-rows // size)
        for number in range(parts):
            first, last = number * size, min(rows, (number + 1) * size)
            yield {
                "dataset": dataset,
                "number": number + 1,
                "of": parts,
                "rows": last - first,
                "from": list(_stretch(files, first, last)),
            }


def _rows_of_part(data: Data, rows: int, size: int) -> int:
    """How many rows a part holds: parts of `max_file_size` on average, so that neither slices nor batches count.

    Args:
        data: `data` of the export.
        rows: Of the dataset, in the whole window.
        size: The bytes of their values.
    """
    if data.max_file_bytes is None or size <= data.max_file_bytes:
        return data.max_rows_per_file
    return max(1, min(data.max_rows_per_file, data.max_file_bytes * rows // size))


def _stretch(files: list[tuple[int, StagedFile, int]], first: int, last: int) -> Iterator[dict[str, Any]]:
    """The staged rows [first, last) as pieces of files."""
    start = 0
    for slice_, file, count in files:
        begin, end = max(first, start), min(last, start + count)
        if begin < end:
            yield {"slice": slice_, "file": file, "offset": begin - start, "rows": end - begin}
        start += count


def _rejected(slices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    files = [item["rejected"] for item in slices if item["rejected"]]
    if not files:
        return []
    rows = sum(each["rows"] for each in files)
    return [{"dataset": None, "number": 1, "of": 1, "rows": rows, "from": files}]


def _groups(runtime: Runtime, plan: Plan, pieces: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    size = max(1, -(-len(pieces) // runtime.max_map_length))
    for number, first in enumerate(range(0, len(pieces), size)):
        group = pieces[first : first + size]
        yield {"token": plan.token, "group": number, "label": _label(group), "pieces": group}


def _label(group: list[dict[str, Any]]) -> str:
    def name(piece: dict[str, Any]) -> str:
        return f"{piece['dataset']} part {piece['number']} of {piece['of']}" if piece["dataset"] else "rejected rows"

    return name(group[0]) if len(group) == 1 else f"{name(group[0])} to {name(group[-1])}"
