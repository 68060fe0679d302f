"""`bifrost-export run`: export one window in this process, by the steps that Airflow's tasks run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bifrost_export.cli import output

if TYPE_CHECKING:
    from bifrost_export.cli.masking import Masker
    from bifrost_export.window import Window

_WINDOW_HELP = "ISO 8601; without a zone it is taken in the export's timezone."


@click.command("run")
@click.argument("config", type=click.Path())
@click.option("--export", "export_name", required=True, metavar="NAME", help="The export's name.")
@click.option("--window-start", required=True, metavar="TIME", help=f"First instant to export. {_WINDOW_HELP}")
@click.option("--window-end", required=True, metavar="TIME", help=f"First instant after it. {_WINDOW_HELP}")
@click.option("--force", is_flag=True, help="Export a window that has not settled yet.")
@click.option("--replace-overlapping", is_flag=True, help="Replace published windows that this one covers completely.")
@click.option("--dry-run", is_flag=True, help="Read, filter and count, but write nothing to the destination.")
@output.format_option
@click.pass_obj
def run(
    masker: Masker,
    /,
    config: str,
    export_name: str,
    window_start: str,
    window_end: str,
    output_format: str,
    **flags: bool,
) -> None:
    """Export one window of the export NAME in the document CONFIG, now and in this process.

    A window that is published already and has not changed stays as it is.
    """
    from bifrost_export.cli.progress import Progress
    from bifrost_export.pipeline.plan import PlanRequest
    from bifrost_export.pipeline.run import run as run_pipeline
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.window import UTC, compact

    window = _window(config, export_name, window_start, window_end)
    with output.results_apart(), Progress() as progress:
        # Airflow's logging writes to what standard output is when it is first imported: that is standard error here.
        runtime = Runtime(on_secret=masker.learn, get_connection=_connection, report=progress.report)
        run_id = f"cli__{compact(runtime.now().astimezone(UTC))}"
        request = PlanRequest(document=config, export=export_name, window=window, run_id=run_id, **flags)
        published = run_pipeline(runtime, request)
    if output_format == "json":
        output.print_json(published)
    else:
        _show(published, dry_run=flags["dry_run"])


def _window(config: str, export_name: str, start: str, end: str) -> Window:
    """The window that was asked for, once the document and the export are known to be good."""
    from bifrost_export.config.loader import load_export
    from bifrost_export.window import UTC, Window

    loaded = load_export(config, export_name)
    return Window.parse(start, end, loaded.export.schedule.zone if loaded.export else UTC)


def _connection(conn_id: str) -> Any:
    """An Airflow connection as Airflow finds it: `AIRFLOW_CONN_*`, a secrets backend; no metadata database."""
    from airflow.sdk import BaseHook

    return BaseHook.get_connection(conn_id)


def _show(published: dict[str, Any], *, dry_run: bool) -> None:
    from bifrost_export.cli.summary import books_table, parts_table

    console = output.result_console()
    window = published["window"]
    console.print(f"[bold]{published['export']}[/]  {window['start']} to {window['end']}", soft_wrap=True)
    console.print(books_table(published["datasets"]))
    if dry_run:
        console.print("Dry run: nothing was written to the destination.")
        return
    if any(dataset.get("parts") for dataset in published["datasets"].values()):
        console.print(parts_table(published["datasets"]))
    for warning in published.get("warnings", ()):
        console.print(f"[yellow]warning:[/] {warning}", soft_wrap=True)
    state = "unchanged since" if published.get("unchanged") else "published as"
    console.print(f"{state} revision {published['revision']}, manifest {published['manifest']}", soft_wrap=True)
