"""`bifrost-export verify`: read a published window again, and compare it with its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bifrost_export.cli import output

if TYPE_CHECKING:
    from bifrost_export.cli.masking import Masker
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.rereading import Verified


@click.command("verify")
@click.argument("manifest")
@click.option("--config", type=click.Path(), help="The document whose destination signs in.")
@click.option("--export", "export_name", metavar="NAME", help="The export in it.")
@output.format_option
@click.pass_obj
def verify(masker: Masker, /, manifest: str, config: str | None, export_name: str | None, output_format: str) -> int:
    """Read the files that MANIFEST names, and compare bytes, sha256, rows, times and sums.

    MANIFEST is a path, s3://bucket/key, gs://bucket/key or an address of Azure's, as run and plan tell it. Without
    --config and --export the cloud's default chain signs in. Exit code 1 when something differs, or when the window
    was withdrawn or replaced.
    """
    from bifrost_export.cli.surroundings import runtime_of
    from bifrost_export.pipeline.verify import verify as verify_window

    loaded = _loaded(config, export_name)
    with output.results_apart():
        found = verify_window(runtime_of(masker), manifest, loaded)
    if output_format == "json":
        notes = {"notes": list(found.notes)} if found.notes else {}
        output.print_json({"ok": not found.problems, "problems": list(found.problems), **notes})
    else:
        _show(manifest, found)
    return 1 if found.problems else 0


def _loaded(config: str | None, name: str | None) -> LoadedExport | None:
    from bifrost_export.config.loader import load_export
    from bifrost_export.errors import ConfigError

    if config is None and name is None:
        return None
    if config is None or name is None:
        raise ConfigError("--config and --export go together", allowed="both of them, or neither")
    return load_export(config, name)


def _show(manifest: str, found: Verified) -> None:
    from bifrost_export.cli.summary import many, size

    console = output.result_console()
    for problem in found.problems:
        console.print("[red]✗[/]", end=" ")
        console.print(problem, markup=False, soft_wrap=True)
    for note in found.notes:
        console.print("[yellow]![/]", end=" ")
        console.print(note, markup=False, soft_wrap=True)
    told = f"{many(found.files, 'file')}, {many(found.rows, 'row')}, {size(found.bytes)} read again: {manifest}"
    state = "[red]differs[/]" if found.problems else "[green]agrees[/]"
    console.print(f"{state}", end=" ")
    console.print(told, markup=False, soft_wrap=True)
