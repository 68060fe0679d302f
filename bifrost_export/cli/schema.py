"""`bifrost-export schema`: the JSON Schema of a document or of a manifest, or the columns of a dataset."""

from __future__ import annotations

import json
from typing import Any

import click

from bifrost_export.cli import output


@click.command("schema")
@click.option("--dataset", metavar="NAME", help="Show the columns of this dataset in place of the document's schema.")
@click.option("--manifest", is_flag=True, help="Show the manifest's JSON Schema in place of the document's.")
@output.format_option
def schema(dataset: str | None, manifest: bool, output_format: str) -> None:
    """Print the JSON Schema of a document, for an editor to complete and check it.

    Name the saved file under the key "$schema" of a document, or in the editor's settings.
    """
    if dataset is not None and manifest:
        raise click.UsageError("--dataset and --manifest exclude each other: give one of them")
    if manifest:
        from bifrost_export.destinations.object_store.manifest import json_schema

        found = json_schema()
    elif dataset is None:
        from bifrost_export.config.schema.document import document_schema

        found = document_schema()
    else:
        from bifrost_export.datasets import describe, named

        columns = zip(describe(dataset)["columns"], named(dataset).columns, strict=True)
        told = [{**each, "description": column.description} for each, column in columns]
        found = {"dataset": dataset, **describe(dataset), "columns": told}
    if output_format == "json":
        output.print_json(found)
    elif dataset is None:
        output.print_text(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(found)


def _show(described: dict[str, Any]) -> None:
    from rich.table import Table

    columns = described["columns"]
    table = Table(title=f"{described['dataset']}, version {described['version']}", title_justify="left")
    names = list(dict.fromkeys(key for column in columns for key in column))
    for name in names:
        table.add_column(name, overflow="fold")
    for column in columns:
        table.add_row(*(_cell(column.get(name)) for name in names))
    output.result_console().print(table)


def _cell(value: Any) -> str:
    return {True: "yes", False: "no", None: ""}.get(value, str(value)) if not isinstance(value, str) else value
