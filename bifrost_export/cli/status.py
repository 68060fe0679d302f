"""`bifrost-export status`: which windows are published, how far behind an export is, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bifrost_export.cli import output
from bifrost_export.cli.exports import choose, export_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from bifrost_export.cli.masking import Masker
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.status import Status
    from bifrost_export.window import Window


@click.command("status")
@click.argument("config", type=click.Path())
@export_option
@output.format_option
@click.pass_obj
def status(masker: Masker, /, config: str, export_name: str | None, output_format: str) -> int:
    """Tell which windows of the exports of the document CONFIG are published, from what stands at the destination.

    "exported through" is the end of the last window before the first gap; the lag counts from there to the end of
    the latest window that has settled. A window that was withdrawn or replaced counts as not published.
    """
    from bifrost_export.cli.runtime import runtime_of
    from bifrost_export.pipeline.status import status as status_of_export

    chosen = choose(config, export_name)
    runtime = runtime_of(masker)
    with output.results_apart():
        found = [(loaded, status_of_export(runtime, loaded)) for loaded in chosen.exports]
    if output_format == "json":
        output.print_json({"exports": [{"name": loaded.name, **each.to_json()} for loaded, each in found]})
    else:
        _show(output.result_console(), config, found)
    return chosen.exit_code


def _show(console: Console, config: str, found: list[tuple[LoadedExport, Status]]) -> None:
    from rich.table import Table

    table = Table()
    for name in ("export", "exported through", "behind", "windows", "gaps", "last rows", "last bytes"):
        table.add_column(name, justify="left" if name in ("export", "exported through") else "right", overflow="fold")
    for loaded, each in found:
        table.add_row(str(loaded.name), *_cells(each))
    console.print(table)
    for loaded, each in found:
        for warning in each.warnings:
            console.print(f"warning: {loaded.name}: {warning}", markup=False, soft_wrap=True)
        for line in _how_to_close(config, loaded, each):
            console.print(line, markup=False, soft_wrap=True)


def _cells(status: Status) -> list[str]:
    from bifrost_export.cli.summary import size
    from bifrost_export.window import rfc3339

    if status.exported_through is None or status.lag is None:
        return ["nothing yet", "", "0", "", "", ""]
    last = status.published[-1]
    behind = str(status.lag) if status.lag else "up to date"
    through = rfc3339(status.exported_through)
    counts = f"{len(status.published):,}", f"{len(status.gaps):,}"
    return [through, behind, *counts, f"{last.rows:,}", size(last.bytes)]


def _how_to_close(config: str, loaded: LoadedExport, status: Status) -> Iterator[str]:
    """The gaps, each with the command that closes it."""
    for gap in status.gaps:
        yield f"{loaded.name} lacks {gap}. This closes it:"
        yield f"  {_command(config, loaded, gap)}"


def _command(config: str, loaded: LoadedExport, gap: Window) -> str:
    from bifrost_export.window import MICROSECOND, rfc3339

    firing_before = loaded.good.schedule.last_firing
    if firing_before(gap.start) != gap.start or firing_before(gap.end) != gap.end:
        # The schedule has changed since: its windows would not fit into the gap.
        window = f"--window-start {rfc3339(gap.start)} --window-end {rfc3339(gap.end)}"
        return f"bifrost-export run {config} --export {loaded.name} {window}"
    # Airflow takes the windows that start from the one date to the other, both included.
    dates = f"--from-date {rfc3339(gap.start)} --to-date {rfc3339(firing_before(gap.end - MICROSECOND))}"
    return f"airflow backfill create --dag-id {loaded.dag_id} {dates}"
