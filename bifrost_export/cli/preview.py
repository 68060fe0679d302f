"""`bifrost-export preview`: the first rows of a window on the screen, as they would be exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bifrost_export.cli import output

if TYPE_CHECKING:
    from bifrost_export.cli.masking import Masker
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.window import Window


@click.command("preview")
@click.argument("config", type=click.Path())
@click.option("--export", "export_name", required=True, metavar="NAME", help="The export's name.")
@click.option("--window-start", metavar="TIME", help="Another window than the latest that has settled.")
@click.option("--window-end", metavar="TIME", help="Its end; without a zone, in the export's timezone.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many rows.")
@output.format_option
@click.pass_obj
def preview(
    masker: Masker,
    /,
    config: str,
    export_name: str,
    window_start: str | None,
    window_end: str | None,
    limit: int,
    output_format: str,
) -> None:
    """Show the first rows of a window of the export NAME, after filters and masks.

    Nothing is written, neither to the destination nor to staging; the log store is read no further than needed.
    """
    from bifrost_export.cli.runtime import runtime_of
    from bifrost_export.config.loader import load_export
    from bifrost_export.pipeline.preview import preview as preview_window

    loaded = load_export(config, export_name)
    runtime = runtime_of(masker)
    window = _window(loaded, window_start, window_end, runtime.now())
    with output.results_apart():
        rows = preview_window(runtime, loaded, window, limit)
    if output_format == "json":
        output.print_json({"datasets": rows})
        return
    for number, (dataset, found) in enumerate(rows.items()):
        _show(f"{dataset} of {window}", found, below_another=number > 0)


def _window(loaded: LoadedExport, start: str | None, end: str | None, now: Any) -> Window:
    from bifrost_export.errors import WindowError
    from bifrost_export.window import Window

    schedule = loaded.good.schedule
    if start is None and end is None:
        return schedule.latest_settled(now)
    if start is None or end is None:
        raise WindowError(
            f"--window-{'start' if end is None else 'end'} is given without the other",
            allowed="both of --window-start and --window-end, or neither",
        )
    return Window.parse(start, end, schedule.zone)


def _show(title: str, rows: list[dict[str, Any]], *, below_another: bool) -> None:
    from bifrost_export.cli.rows import tables

    console = output.result_console()
    if below_another:
        console.print()
    console.print(f"[bold]{title}[/]", soft_wrap=True)
    if not rows:
        console.print("No row of this window would be exported.")
    for table in tables(rows, console.width):
        console.print(table)
