"""`bifrost-export plan`: what the next runs would do, without asking anything but the document."""

from __future__ import annotations

import datetime as dt
import json
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import click

from bifrost_export.cli import output
from bifrost_export.cli.exports import choose, export_option

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import Console

    from bifrost_export.cli.masking import Masker
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.upcoming import Outlook
    from bifrost_export.window import Window

_SHOWN = 150
"""Characters of a statement that people are shown."""


@click.command("plan")
@click.argument("config", type=click.Path())
@export_option
@click.option(
    "--from",
    "since",
    metavar="TIME",
    help="Begin with the first window that ends after it; without a zone, in the export's timezone. [default: now]",
)
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many windows.")
@click.option("--iam", is_flag=True, help="Tell the least rights that each export needs of its destination's cloud.")
@output.format_option
@click.pass_obj
def plan(
    masker: Masker,
    /,
    config: str,
    export_name: str | None,
    since: str | None,
    count: int,
    iam: bool,
    output_format: str,
) -> int:
    """Show the next windows of the exports of the document CONFIG, in local time and UTC, and where they go.

    No network is used and no secret is resolved. In names, <token> stands for the 8 hex digits that a run draws, and
    <number> and <parts> for what the rows decide. The SQL is that of the first window, for a log store with all
    columns.
    """
    from bifrost_export.cli.runtime import runtime_of
    from bifrost_export.pipeline.upcoming import outlook

    chosen = choose(config, export_name)
    runtime = runtime_of(masker)
    found = []
    for loaded in chosen.exports:
        begin = _since(loaded, since, runtime.now())
        with output.results_apart():
            found.append((loaded, outlook(runtime, loaded, begin, count)))
    if output_format == "json":
        output.print_json({"exports": [_to_json(*each, iam=iam) for each in found]})
    else:
        for each in found:
            _show(output.result_console(), *each, iam=iam)
    return chosen.exit_code


def _since(loaded: LoadedExport, text: str | None, now: dt.datetime) -> dt.datetime:
    from bifrost_export.window import parse_instant

    return now if text is None else parse_instant(text, loaded.good.schedule.zone)


def _to_json(loaded: LoadedExport, found: Outlook, *, iam: bool) -> dict[str, Any]:
    return {
        "name": loaded.name,
        "dag_id": loaded.dag_id,
        "windows": [window.to_json() for window in found.windows],
        "targets": [target for each in found.targets for target in each],
        "statements": found.statements,
        **({"iam": found.rights} if iam else {}),
        **({"warnings": found.warnings} if found.warnings else {}),
    }


def _show(console: Console, loaded: LoadedExport, found: Outlook, *, iam: bool) -> None:
    from rich.table import Table

    schedule = loaded.good.schedule
    console.print(f"[bold]{loaded.name}[/]  {loaded.dag_id}, {schedule.describe()}", soft_wrap=True)
    table = Table(title="Windows", title_justify="left")
    for name in (f"start in {schedule.timezone}", "end", "start in UTC", "end", "hours"):
        table.add_column(name, justify="right" if name == "hours" else "left")
    for window in found.windows:
        table.add_row(*_local(window, schedule.zone), *window.to_json().values(), _hours(window))
    console.print(table)
    console.print("[bold]Where they go[/]")
    for targets in found.targets:
        for target in targets:
            console.print(f"  {target}", markup=False, soft_wrap=True)
    _show_transformations(console, loaded)
    for warning in found.warnings:
        console.print("[yellow]warning:[/] ", end="")
        console.print(warning, markup=False, soft_wrap=True)
    if iam:
        console.print("[bold]What the destination's identity needs[/]")
        told = json.dumps(found.rights, indent=2) if found.rights else "Nothing but the rights of the system's user."
        console.print(told, markup=False, soft_wrap=True)
    if not found.statements:
        console.print("No log store is named: no SQL.")
        return
    console.print(f"[bold]SQL[/] of {found.windows[0]}, shortened; --format json tells it whole", soft_wrap=True)
    for statement in found.statements:
        console.print(f"  {shorten(statement, _SHOWN, placeholder=' ...')}", markup=False, soft_wrap=True)


def _show_transformations(console: Console, loaded: LoadedExport) -> None:
    from bifrost_export.config.transformations import told

    transformations = told(loaded.good.data)
    if transformations:
        console.print("[bold]Transformations[/]")
    for step, datasets in transformations:
        on = ", ".join(datasets) or "no dataset"
        text = f"  {step.number}. {step.type} on {on}: {step.transform.describe()}"
        console.print(text, markup=False, soft_wrap=True)


def _local(window: Window, zone: ZoneInfo) -> list[str]:
    return [instant.astimezone(zone).isoformat(" ", "seconds") for instant in (window.start, window.end)]


def _hours(window: Window) -> str:
    return f"{(window.end - window.start) / dt.timedelta(hours=1):g}"
