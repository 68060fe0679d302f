"""`bifrost-export run`: export one window in this process, by the steps that Airflow's tasks run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bifrost_export.cli import output

if TYPE_CHECKING:
    from collections.abc import Callable

    from bifrost_export.cli.masking import Masker
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.backfill import Walk
    from bifrost_export.window import Window


def run_all(
    walk: Walk,
    run_window: Callable[[Window], dict[str, Any]],
    show: Callable[[dict[str, Any]], None] | None,
    masker: Masker,
) -> int:
    """Run the windows of a walk; the first that fails ends it.

    Args:
        walk: What to do.
        run_window: Exports one window.
        show: Shows a window that was exported to people; None prints one JSON object at the end instead.
        masker: Knows the secrets that were resolved.

    Returns:
        The exit code.
    """
    from bifrost_export.cli.errors import facts_of, tell
    from bifrost_export.cli.summary import many

    done: list[dict[str, Any]] = []
    error: Exception | None = None
    for window in walk.windows:
        try:
            done.append(run_window(window))
        except Exception as caught:  # noqa: BLE001 (it is told beside what was done)
            error = caught
            break
        if show is not None:
            show(done[-1])
    if show is None:
        facts, code = facts_of(error, masker) if error else (None, 0)
        output.print_json({"runs": done, "skipped": walk.skipped, **({"error": facts} if error else {})})
        return code
    left = len(walk.windows) - len(done)
    told = f"{many(len(done), 'window')} exported, {walk.skipped:,} published already"
    output.print_text(told + (f", {left:,} left" if left else ""))
    return tell(error, masker, as_json=False) if error else 0


_WINDOW_HELP = "ISO 8601; without a zone it is taken in the export's timezone."


@click.command("run")
@click.argument("config", type=click.Path())
@click.option("--export", "export_name", required=True, metavar="NAME", help="The export's name.")
@click.option("--window-start", metavar="TIME", help=f"First instant to export. {_WINDOW_HELP}")
@click.option("--window-end", metavar="TIME", help=f"First instant after it. {_WINDOW_HELP}")
@click.option(
    "--from", "since", metavar="TIME", help="Instead: walk the schedule from the first window that ends later,"
)
@click.option("--to", "until", metavar="TIME", help="to the last that starts earlier; published ones are skipped.")
@click.option("--force", is_flag=True, help="Export a window that has not settled yet.")
@click.option("--replace-overlapping", is_flag=True, help="Replace published windows that this one covers completely.")
@click.option(
    "--allow-shrink",
    is_flag=True,
    help="Publish a window that now holds fewer log rows, or fewer offloaded contents, than were published.",
)
@click.option("--replace-source", is_flag=True, help="Replace windows that were published from another log store.")
@click.option("--dry-run", is_flag=True, help="Read, filter and count, but write nothing to the destination.")
@output.format_option
@click.pass_obj
def run(
    masker: Masker,
    /,
    config: str,
    export_name: str,
    window_start: str | None,
    window_end: str | None,
    since: str | None,
    until: str | None,
    output_format: str,
    **flags: bool,
) -> int:
    """Export one window of the export NAME in the document CONFIG, now and in this process.

    A window that is published already and has not changed stays as it is. With --from and --to all windows of the
    schedule between the two are exported that no published window covers; the first that fails ends the walk.
    """
    from bifrost_export.config.loader import load_export

    start, end, walks = _times(window_start, window_end, since, until)
    loaded = load_export(config, export_name)
    asked = _window(loaded, start, end)

    def run_window(window: Window) -> dict[str, Any]:
        return _run(masker, document=config, export=export_name, window=window, **flags)

    def show(published: dict[str, Any]) -> None:
        _show(published, dry_run=flags["dry_run"])

    if walks:
        return _walk(masker, loaded, asked, run_window, None if output_format == "json" else show, force=flags["force"])
    published = run_window(asked)
    if output_format == "json":
        output.print_json(published)
    else:
        show(published)
    return 0


def _times(
    window_start: str | None, window_end: str | None, since: str | None, until: str | None
) -> tuple[str, str, bool]:
    """The two times that were given, and whether they are the ends of a walk."""
    if window_start and window_end and since is None and until is None:
        return window_start, window_end, False
    if since and until and window_start is None and window_end is None:
        return since, until, True
    raise click.UsageError("Give --window-start and --window-end, or --from and --to: two that belong together.")


def _window(loaded: LoadedExport, start: str, end: str) -> Window:
    from bifrost_export.window import Window

    return Window.parse(start, end, loaded.good.schedule.zone)


def _run(masker: Masker, **asked: Any) -> dict[str, Any]:
    from bifrost_export.cli.progress import Progress
    from bifrost_export.cli.runtime import runtime_of
    from bifrost_export.pipeline.plan import PlanRequest
    from bifrost_export.pipeline.run import run as run_pipeline
    from bifrost_export.window import UTC, compact

    with output.results_apart(), Progress() as progress:
        # Airflow's logging writes to what standard output is when it is first imported: that is standard error here.
        runtime = runtime_of(masker, progress.report)
        run_id = f"cli__{compact(runtime.now().astimezone(UTC))}"
        return run_pipeline(runtime, PlanRequest(run_id=run_id, **asked))


def _walk(
    masker: Masker,
    loaded: LoadedExport,
    between: Window,
    run_window: Callable[[Window], dict[str, Any]],
    show: Callable[[dict[str, Any]], None] | None,
    *,
    force: bool,
) -> int:
    from bifrost_export.cli.runtime import runtime_of
    from bifrost_export.pipeline.backfill import walk

    with output.results_apart():
        found = walk(runtime_of(masker), loaded, between, force=force)
    return run_all(found, run_window, show, masker)


def _show(published: dict[str, Any], *, dry_run: bool) -> None:
    from bifrost_export.cli.summary import books_table, parts_table

    console = output.result_console()
    window = published["window"]
    console.print(f"[bold]{published['export']}[/]  {window['start']} to {window['end']}", soft_wrap=True)
    console.print(books_table(published["datasets"], published.get("mcp")))
    if dry_run:
        console.print("Dry run: nothing was written to the destination.")
        return
    if any(dataset.get("parts") for dataset in published["datasets"].values()):
        console.print(parts_table(published["datasets"]))
    state = "unchanged since" if published.get("unchanged") else "published as"
    console.print(f"{state} revision {published['revision']}, manifest {published['manifest']}", soft_wrap=True)
