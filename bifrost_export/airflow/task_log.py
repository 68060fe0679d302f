"""The progress of a step as lines of its task's log, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bifrost_export.config.transformations import told
from bifrost_export.pipeline.flows import TOOL_CALLS
from bifrost_export.redaction.printable import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow.sdk.types import Logger

    from bifrost_export.pipeline.plan_document import Plan

SHOWN_TEXT: Final = 120
"""Characters of a text that a dry run shows of a row: many people read logs, and they are kept for long."""

_CONTENTS: Final = {"request_content", "response_content", "attributes"}
"""Columns that hold what was asked and answered where `data.include_content` adds it."""


def narrate(log: Logger, event: str, facts: Mapping[str, Any]) -> None:
    """Tell what a step reports.

    Args:
        log: The task's.
        event: The step, or `warning`.
        facts: What it says of itself.
    """
    if event == "warning":
        log.warning("%s", printable(str(facts["message"])))
    elif event in _SENTENCES:
        log.info("%s", printable(_SENTENCES[event](facts)))


def narrate_plan(log: Logger, plan: Plan) -> None:
    """Tell what a run is going to do: the window stands here, since Airflow may show none or another."""
    narrate(log, "plan", {"slices": len(plan.slices), "token": plan.token, "window": str(plan.window)})
    for step, datasets in told(plan.export.data):
        on = ", ".join(datasets) or "no dataset, since none has the columns"
        log.info("Transformation %s on %s: %s.", step.name, on, printable(step.transform.describe()))
    if plan.unplaced:
        rows = _many(plan.unplaced, "row")
        log.warning("%s of the log store have no time that can be read, and belong to no window.", rows)
    if plan.replace_overlapping:
        log.info("Published windows that this one covers will be replaced.")
    if plan.allow_shrink:
        log.info("allow_shrink is set: fewer log rows or contents than were published are accepted.")
    if plan.replace_source:
        log.info("replace_source is set: windows published from another log store are replaced.")
    if plan.dry_run:
        log.info("A dry run: nothing will be written to the destination.")


def _plan(facts: Mapping[str, Any]) -> str:
    return (
        f"The window is {facts['window']}, in {_many(facts['slices'], 'slice')}; the run's token is {facts['token']}."
    )


def _extract(facts: Mapping[str, Any]) -> str:
    told = f"{facts['label']}: read {_many(facts['rows'], 'row')}, {facts['rejected']:,} of them rejected"
    if "tool_calls" in facts:
        told += f"; and {_many(facts['tool_calls'], 'tool call')}, {facts['rejected_tool_calls']:,} of them rejected"
    return f"{told}."


def _filter(facts: Mapping[str, Any]) -> str:
    removed = [f"{rule} {rows:,}" for rule, rows in facts["removed"].items() if rows]
    told = f"; removed by {', '.join(removed)}" if removed else ""
    return f"{facts['label']}: kept {_many(facts['kept'], 'row')} of {facts['dataset']}{told}."


def _transform(facts: Mapping[str, Any]) -> str:
    return f"{facts['label']}: {', '.join(facts['steps']) or 'nothing to transform'}."


def _aggregate(facts: Mapping[str, Any]) -> str:
    made = ", ".join(f"{dataset} {_many(rows, 'row')}" for dataset, rows in facts["rows"].items())
    return f"{_many(facts['slices'], 'slice')}, complete{f'; aggregated: {made}' if made else ''}."


def _reconcile(facts: Mapping[str, Any]) -> str:
    lines = [f"The books balance; {_many(facts['files'], 'file')} to write."]
    for dataset, books in facts["books"].items():
        source, rejected, filtered = (books[name]["rows"] for name in ("source", "rejected", "filtered"))
        noun = "tool calls" if dataset == TOOL_CALLS else "log rows"
        told = f"{source:,} {noun} = {books['kept']['rows']:,} kept + {filtered:,} filtered + {rejected:,} rejected"
        rules = ", ".join(f"{rule} {rows:,}" for rule, rows in books.get("filtered_by", {}).items() if rows)
        lines.append(f"{dataset}: {told}{f' (filtered by {rules})' if rules else ''}.")
        offloaded = ", ".join(f"{outcome} {rows:,}" for outcome, rows in books.get("offloaded", {}).items() if rows)
        if offloaded:
            lines.append(f"{dataset}: rows whose payload was offloaded: {offloaded}.")
        lines += [f"{dataset}: {told}." for told in _odd(books.get("odd", {}))]
        if books.get("unsettled"):
            lines.append(f"{dataset}: {_many(books['unsettled'], 'row')} of the window had not ended, and stay out.")
    return " ".join(lines)


def _odd(counts: Mapping[str, Any]) -> Iterator[str]:
    """Return what was blanked and repaired, by column."""
    for kind in ("blanked", "repaired"):
        columns = ", ".join(f"{name} {rows:,}" for name, rows in counts.get(kind, {}).items() if rows)
        if columns:
            yield f"rows with {kind} fields: {columns}"


def _dry_run(facts: Mapping[str, Any]) -> str:
    lines = ["This run would write:", *(f"  {target}" for target in facts["targets"])]
    for dataset, rows in facts["rows"].items():
        lines += [f"The first rows of {dataset}:", *(f"  {_row(row)}" for row in rows)]
    return "\n".join(lines)


def _row(row: Mapping[str, Any]) -> str:
    cut = {name: _cut(value, SHOWN_TEXT, is_content=name in _CONTENTS) for name, value in row.items()}
    return printable_json(json.dumps(cut, ensure_ascii=False))


def _cut(value: Any, most: int, *, is_content: bool = False) -> Any:
    """Cut the texts of a value, those inside it too; less than half of a prompt or an answer is shown."""
    if isinstance(value, list):
        return [_cut(each, most, is_content=is_content) for each in value]
    if isinstance(value, dict):
        return {name: _cut(each, most, is_content=is_content) for name, each in value.items()}
    if not isinstance(value, str):
        return value
    shown = min(most, len(value) // 2) if is_content else most
    return value if len(value) <= shown else f"{value[:shown]}... ({_many(len(value), 'character')})"


def _load(facts: Mapping[str, Any]) -> str:
    return f"Wrote {facts['key']}: {_many(facts['rows'], 'row')}, {_many(facts['bytes'], 'byte')}."


def _publish(facts: Mapping[str, Any]) -> str:
    if facts["unchanged"]:
        return f"Unchanged: revision {facts['revision']} stands, {facts['manifest']}."
    return f"Published revision {facts['revision']}, {facts['manifest']}."


def _clean_up(facts: Mapping[str, Any]) -> str:
    swept = f"; swept what dead runs left: {', '.join(map(str, facts['swept']))}" if facts["swept"] else ""
    return f"Removed the staging folder {facts['removed']}{swept}."


def _sweep(facts: Mapping[str, Any]) -> str:
    return f"Removed the staging folders of runs that ended long ago: {', '.join(map(str, facts['swept']))}."


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "plan": _plan,
    "extract": _extract,
    "filter": _filter,
    "transform": _transform,
    "aggregate": _aggregate,
    "reconcile": _reconcile,
    "dry_run": _dry_run,
    "load": _load,
    "publish": _publish,
    "clean_up": _clean_up,
    "sweep": _sweep,
}
