"""The progress of a run on standard error: a bar on a terminal, a line a step elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bifrost_export.cli import output
from bifrost_export.cli.summary import many, size
from bifrost_export.pipeline.flows import TOOL_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.progress import Progress as Bar

_AFTER_SLICES = 4
"""Events that come once a run: aggregate, reconcile, publish, clean_up."""


class Progress:
    """Shows what the steps report; a context manager."""

    def __init__(self) -> None:
        self._console = output.for_people()
        self._bar: Bar | None = None
        self._total = 1
        self._done = 0
        self._began = time.monotonic()
        self._outlook: dict[str, Any] | None = None

    def __enter__(self) -> Progress:
        """Begin to show."""
        if self._console.is_terminal:
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                BarColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}"),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._bar.add_task("planning", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
        if self._outlook is not None and error is None:
            self._show_outlook(self._outlook)

    def _show_outlook(self, outlook: dict[str, Any]) -> None:
        """What a dry run would have written, and where."""
        from bifrost_export.cli.rows import tables

        for target in outlook["targets"]:
            self._console.print(f"would write {target}", markup=False)
        for dataset, rows in outlook["rows"].items():
            self._console.print(f"first rows of {dataset}", markup=False)
            for table in tables(rows, self._console.width) if rows else ():
                self._console.print(table)

    def report(self, event: str, facts: dict[str, Any]) -> None:
        """Show one event of a step.

        Args:
            event: The step, or `warning`.
            facts: What it says of itself.
        """
        sentence = _SENTENCES[event](facts) if event in _SENTENCES else ""
        if event == "warning":
            self._console.print(f"[yellow]warning:[/] {sentence}", markup=True)
            return
        if event == "dry_run":
            self._outlook = facts
            return
        self._count(event, facts)
        if self._bar is None:
            self._console.print(f"{time.monotonic() - self._began:6.1f} s  {event:<10} {sentence}", markup=False)
        else:
            task = self._bar.task_ids[0]
            self._bar.update(task, description=f"{event} {sentence}", total=self._total, completed=self._done)

    def _count(self, event: str, facts: dict[str, Any]) -> None:
        """Slices are known after `plan` and files after `reconcile`, so the bar's length grows once."""
        if event == "plan":
            self._total = 2 * facts["slices"] + _AFTER_SLICES
        elif event not in ("filter", "sweep"):
            self._done += 1
        if event == "reconcile":
            self._total += facts["files"]


def _plan(facts: dict[str, Any]) -> str:
    return f"{facts['window']} in {many(facts['slices'], 'slice')}, token {facts['token']}"


def _aggregate(facts: dict[str, Any]) -> str:
    made = "".join(f"; {dataset}: {many(rows, 'row')}" for dataset, rows in facts["rows"].items())
    return many(facts["slices"], "slice") + made


def _reconcile(facts: dict[str, Any]) -> str:
    # Tool calls are counted by themselves, and stand among the rows of `traces`.
    rows = sum(books["staged"]["rows"] for name, books in facts["books"].items() if name != TOOL_CALLS)
    return f"the books balance: {many(rows, 'row')} for {many(facts['files'], 'file')}"


def _publish(facts: dict[str, Any]) -> str:
    if facts["manifest"] is None:
        return "nothing: a dry run"
    state = "unchanged since revision" if facts["unchanged"] else "revision"
    return f"{state} {facts['revision']}, {facts['manifest']}"


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "plan": _plan,
    "extract": lambda facts: f"{facts['label']}: {many(facts['rows'], 'row')}, {facts['rejected']:,} rejected",
    "filter": lambda facts: f"{facts['label']}: {many(facts['kept'], 'row')} of {facts['dataset']} kept",
    "transform": lambda facts: f"{facts['label']}{': ' if facts['steps'] else ''}{'; '.join(facts['steps'])}",
    "aggregate": _aggregate,
    "reconcile": _reconcile,
    "load": lambda facts: f"{facts['key']}: {many(facts['rows'], 'row')}, {size(facts['bytes'])}",
    "publish": _publish,
    "clean_up": lambda facts: "staging is removed",
    "sweep": lambda facts: f"removed what {many(len(facts['swept']), 'former run')} left in staging",
    "warning": lambda facts: str(facts["message"]),
}
