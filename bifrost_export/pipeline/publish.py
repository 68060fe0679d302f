"""`publish`: compare what landed with the books, then commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bifrost_export.datasets import describe
from bifrost_export.destinations.port import Draft, Landed, Outcome
from bifrost_export.errors import PlanMismatchError
from bifrost_export.logstore.port import OUTCOMES
from bifrost_export.pipeline.books import Books, Sums, balance
from bifrost_export.pipeline.encoding import encoding_of
from bifrost_export.pipeline.flows import TOOL_CALLS, flow
from bifrost_export.pipeline.odd_counts import OddCounts
from bifrost_export.pipeline.plan_document import take
from bifrost_export.pipeline.resources import open_destination
from bifrost_export.registry import DESTINATIONS

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime


def publish(
    runtime: Runtime, plan: Plan, reconciled: dict[str, Any], loaded: Iterable[dict[str, Any] | None]
) -> dict[str, Any]:
    """Publish the window. It reads nothing from staging, so that it can be cleared after success.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        reconciled: What `reconcile` gave.
        loaded: What the instances of `load` gave.

    Returns:
        The JSON of the CLI's `run` (contract, section 9); in a dry run without manifest and parts,
        `exported` being what would have been.

    Raises:
        BooksError: The parts don't hold what was staged.
        LostCommitError: Another run has published the window since `plan`.
        DestinationError: What landed is not what was loaded.
    """
    if reconciled.get("token") != plan.token:
        raise PlanMismatchError("publish was given the books of another plan", hint="Clear from plan.")
    books = {name: Books.from_json(each) for name, each in reconciled["books"].items()}
    calls = books.pop(TOOL_CALLS, None)
    odd = OddCounts.from_json(reconciled["odd"])
    if plan.dry_run:
        return _result(plan, books, calls, odd, None, [])
    groups = take(plan, loaded, "group", len(reconciled["groups"]), "load")
    pieces = [piece for group in groups for piece in group["pieces"]]
    _check_pieces(plan, reconciled, books, pieces)
    landed = tuple(Landed(*(piece[name] for name in Landed.__dataclass_fields__)) for piece in pieces)
    body = {**_body(plan, books, calls, pieces), **odd.by_column(), "window_rows": reconciled.get("window_rows")}
    draft = Draft(body, landed, plan.seen, plan.replace_overlapping, plan.consent)
    outcome = open_destination(runtime, plan).publish(draft)
    for warning in outcome.warnings:
        runtime.report("warning", {"message": warning})
    result = _result(plan, books, calls, odd, outcome, outcome.warnings)
    runtime.report("publish", {key: result[key] for key in ("manifest", "revision", "unchanged")})
    return result


def _check_pieces(
    plan: Plan, reconciled: dict[str, Any], books: dict[str, Books], pieces: list[dict[str, Any]]
) -> None:
    planned = [
        (piece["dataset"], piece["number"], piece["of"], piece["rows"])
        for group in reconciled["groups"]
        for piece in group["pieces"]
    ]
    given = [(piece["dataset"], piece["number"], piece["of"], piece["rows"]) for piece in pieces]
    if planned != given:
        raise PlanMismatchError(
            f"load gave other parts than reconcile planned: {given} instead of {planned}", hint="Clear from plan."
        )
    for dataset in plan.datasets:
        parts = [Sums.from_json(piece["sums"]) for piece in pieces if piece["dataset"] == dataset]
        balance(f"{dataset}, staged rows against the parts", books[dataset].staged, sum(parts, Sums()))


def _body(plan: Plan, books: dict[str, Books], calls: Books | None, pieces: list[dict[str, Any]]) -> dict[str, Any]:
    encoding = encoding_of(plan.export)
    rejected = next((_part(piece) for piece in pieces if piece["dataset"] is None), None)
    return {
        "export": plan.export.name,
        "window": plan.window.to_json(),
        "timezone": plan.export.schedule.timezone,
        "run_id": plan.run_id,
        "export_timestamp": plan.export_timestamp,
        "package": {"name": "bifrost-export", "version": plan.export_version},
        "config_hash": plan.config_hash,
        "source": plan.log_store,
        "format": encoding.name,
        "compression": encoding.compression,
        "csv_safe": plan.export.data.csv_safe and not encoding.is_own,
        "unsettled": max(each.unsettled for each in books.values()),
        "unplaced": plan.unplaced,
        "datasets": {name: _entry(plan, name, each, pieces) for name, each in books.items()},
        "mcp": _calls(calls),
        "payloads": _payloads({"logs": books[plan.datasets[0]], **({"mcp_tool_logs": calls} if calls else {})}),
        "rejected": rejected,
    }


def _payloads(books: dict[str, Books]) -> dict[str, dict[str, dict[str, int]]]:
    """The rows that needed their offloaded payload, by table and column; all datasets are made of the same log rows."""
    return {table: dict(sorted(each.payloads.items())) for table, each in books.items() if each.payloads}


def _calls(books: Books | None) -> dict[str, Any] | None:
    """The books of the tool calls; None where none are read."""
    if books is None:
        return None
    return {
        "source": books.source.rows,
        "kept": books.kept.rows,
        "filtered": books.filtered.rows,
        "filtered_by": books.filtered_by,
        "rejected": books.rejected.rows,
        **books.odd.by_column(),
        "unsettled": books.unsettled,
        "offloaded": {name: books.offloaded.get(name, 0) for name in OUTCOMES},
        "cost_usd": books.kept.cost_usd,
    }


def _entry(plan: Plan, dataset: str, books: Books, pieces: list[dict[str, Any]]) -> dict[str, Any]:
    accepted = books.kept + books.blanked + books.filtered
    return {
        "schema": describe(dataset, flow(plan, dataset).result),
        "source": books.source.rows,
        "filtered": books.filtered.rows,
        "filtered_by": books.filtered_by,
        "rejected": books.rejected.rows,
        **books.odd.by_column(),
        "offloaded": {name: books.offloaded.get(name, 0) for name in OUTCOMES},
        "kept": books.kept.rows,
        "exported": books.staged.rows,
        "transformations": [
            {"step": each.step, "rows_in": each.given.rows, "rows_out": each.gave.rows} for each in books.changes
        ],
        "sums": {
            "source": accepted.tokens_and_cost(),
            "filtered": books.filtered.tokens_and_cost(),
            "exported": books.staged.tokens_and_cost(),
        },
        **_long_texts([piece for piece in pieces if piece["dataset"] == dataset]),
        "parts": [_part(piece) for piece in pieces if piece["dataset"] == dataset],
    }


def _long_texts(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """How many texts a warehouse could not hold whole, by column, where there were any."""
    counts: Counter[str] = Counter()
    for piece in pieces:
        counts.update(piece["long_texts"])
    return {"long_texts": dict(sorted(counts.items()))} if counts else {}


def _part(piece: dict[str, Any]) -> dict[str, Any]:
    names = ("key", "rows", "bytes", "sha256", "content_digest", "min_timestamp", "max_timestamp")
    return {name: piece[name] for name in names}


def _result(
    plan: Plan,
    books: dict[str, Books],
    calls: Books | None,
    odd: OddCounts,
    outcome: Outcome | None,
    warnings: list[str],
) -> dict[str, Any]:
    """The JSON of `run`. A manifest in place that says the same is told as it stands, with its own parts."""
    published = outcome.body["datasets"] if outcome else {}
    return {
        "export": plan.export.name,
        "window": plan.window.to_json(),
        "manifest": outcome.manifest if outcome else None,
        "revision": outcome.revision if outcome else None,
        "unchanged": outcome.unchanged if outcome else False,
        "dry_run": plan.dry_run,
        "unsettled": max(each.unsettled for each in books.values()),
        "unplaced": plan.unplaced,
        **odd.by_column(),
        "datasets": {
            name: {
                "source": each.source.rows,
                "filtered": each.filtered.rows,
                "filtered_by": each.filtered_by,
                "rejected": each.rejected.rows,
                **each.odd.by_column(),
                "exported": each.staged.rows,
                **_offloaded(each),
                **{key: value for key, value in published.get(name, {}).items() if key == "long_texts"},
                **_places(plan, published.get(name, {})),
            }
            for name, each in books.items()
        },
        **({} if calls is None else {"mcp": _calls(calls)}),
        "warnings": warnings,
    }


def _offloaded(books: Books) -> dict[str, Any]:
    """What became of offloaded payloads, where any was needed."""
    if not any(books.offloaded.values()):
        return {}
    return {"offloaded": {outcome: books.offloaded.get(outcome, 0) for outcome in OUTCOMES}}


def _places(plan: Plan, published: dict[str, Any]) -> dict[str, Any]:
    """Where the rows of a dataset are: its parts, or the tables in place of them."""
    if DESTINATIONS.load(plan.export.destination.type).is_table:
        return {"tables": published.get("tables", [])}
    keys = ("key", "rows", "bytes", "sha256")
    return {"parts": [{key: part[key] for key in keys} for part in published.get("parts", [])]}
