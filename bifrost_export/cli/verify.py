"""`bifrost-export verify`: read a published window again, and compare it with its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bifrost_export.cli import output

if TYPE_CHECKING:
    from pathlib import Path

    from bifrost_export.cli.masking import Masker
    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.pipeline.file_verification import Verified


@click.command("verify")
@click.argument("manifest")
@click.option("--config", type=click.Path(), help="The document whose destination signs in.")
@click.option("--export", "export_name", metavar="NAME", help="The export in it.  [default: the address tells]")
@output.format_option
@click.pass_obj
def verify(masker: Masker, /, manifest: str, config: str | None, export_name: str | None, output_format: str) -> int:
    """Read the files that MANIFEST names, and compare bytes, sha256, rows, times and sums.

    MANIFEST is a path, s3://bucket/key, gs://bucket/key, an address of Azure's or of a warehouse, as run and plan
    tell it. Without --config the document that BIFROST_EXPORT_CONFIG names signs in, where it has an export of that
    name and kind, else the cloud's default chain. Exit code 1 when something differs, or when the window was withdrawn
    or replaced.
    """
    from bifrost_export.cli.runtime import runtime_of
    from bifrost_export.pipeline.verify import verify as verify_window

    loaded = _loaded(manifest, config, export_name)
    with output.results_apart():
        found = verify_window(runtime_of(masker), manifest, loaded)
    if output_format == "json":
        notes = {"notes": list(found.notes)} if found.notes else {}
        output.print_json({"ok": not found.problems, "problems": list(found.problems), **notes})
    else:
        _show(manifest, found)
    return 1 if found.problems else 0


def _loaded(manifest: str, config: str | None, name: str | None) -> LoadedExport | None:
    """The export whose destination signs in, or None for the cloud's default chain."""
    from bifrost_export.config.loader import VARIABLE, load_export, named_document
    from bifrost_export.errors import ConfigError

    path = config or named_document() or _beside_dags(manifest)
    if config is None and name is None:
        return _same_kind(path, manifest) if path else None
    if path is None:
        raise ConfigError("--export needs a document", hint=f"Give --config, or set {VARIABLE}.")
    return load_export(path, name or _export_of(manifest))


def _beside_dags(manifest: str) -> Path | None:
    """The document that the DAG files read, where there is one and the manifest's store needs a sign-in."""
    from bifrost_export.destinations.object_store.addresses import type_of

    if type_of(manifest) is None:
        return None
    from bifrost_export.dag_bundles import document_beside_dags

    with output.results_apart():
        found = document_beside_dags()
    return found if found.exists() else None


def _same_kind(path: str | Path, manifest: str) -> LoadedExport | None:
    """The good export of a document that has the manifest's name and kind of destination."""
    from bifrost_export.config.loader import load
    from bifrost_export.destinations.object_store.addresses import type_of

    kind, name = type_of(manifest), _export_of(manifest)
    if kind is None:  # a path: nobody signs in
        return None
    found = (each for each in load(path).exports if each.export is not None and each.name == name)
    return next((each for each in found if each.good.destination.type == kind), None)


def _export_of(manifest: str) -> str:
    """An export's name stands before its windows, in keys and in a warehouse's addresses."""
    return manifest.rstrip("/").rpartition("/")[0].rpartition("/")[2]


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
