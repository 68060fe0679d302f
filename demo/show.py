"""What a person wants to see of a finished export: objects, manifest, books, first rows, and what to type next."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from bifrost_export.cli.summary import size
from bifrost_export.window import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from bifrost_export.window import Window
    from demo.servers.bigquery_server import BigQueryServer

_FIRST_ROWS = 8
_SHORT_LIST = 3
_LONGEST_CELL = 21


def objects(console: Console, sizes: Mapping[str, int], manifest: Mapping[str, Any]) -> None:
    """Every object in the bucket, with its rows and size."""
    rows = {part["key"]: part["rows"] for each in manifest["datasets"].values() for part in each["parts"]}
    if manifest.get("rejected"):
        rows[manifest["rejected"]["key"]] = manifest["rejected"]["rows"]
    table = Table(title="Objects in the bucket", title_justify="left")
    table.add_column("key", overflow="fold")
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    for key, count in sizes.items():
        table.add_row(key, f"{rows[key]:,}" if key in rows else "", size(count))
    console.print(table)


def tables(console: Console, bigquery: BigQueryServer, name: str) -> None:
    """Every table of the dataset with its rows, and the first rows of one."""
    listed = Table(title=f"Tables in BigQuery's dataset {bigquery.dataset}", title_justify="left")
    listed.add_column("table")
    listed.add_column("rows", justify="right", no_wrap=True)
    for each, count in bigquery.tables().items():
        listed.add_row(each, f"{count:,}")
    console.print(listed)
    first = bigquery.rows(f"SELECT * FROM {bigquery.quoted(name)} ORDER BY ALL LIMIT {_FIRST_ROWS}")  # noqa: S608 (ours)
    table = Table(title=f"First rows of {name}", title_justify="left")
    columns = [column for column in (first[0] if first else {}) if not column.startswith("_")]
    for column in columns:
        table.add_column(column)
    for row in first:
        table.add_row(*(_cell(row[column]) for column in columns))
    console.print(table)


def manifest_panel(console: Console, key: str, manifest: Mapping[str, Any]) -> None:
    """The manifest, its long lists cut short."""
    text = json.dumps(_shortened(manifest), indent=2)
    console.print(Panel(Syntax(text, "json", word_wrap=True), title=f"Manifest {key}", title_align="left"))


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        kept = [_shortened(inner) for inner in value[:_SHORT_LIST]]
        return [*kept, f"... {len(value) - _SHORT_LIST} more"] if len(value) > _SHORT_LIST else kept
    return value


def books(console: Console, manifest: Mapping[str, Any]) -> None:
    """The books as a sum that one can check by eye."""
    for name, entry in manifest["datasets"].items():
        table = Table(title=f"Books of {name}", title_justify="left", show_header=False)
        table.add_column(style="bold")
        table.add_column(justify="right")
        table.add_row("log rows in the window", f"{entry['source']:,}")
        for rule, count in entry["filtered_by"].items():
            table.add_row(f"- removed by {rule}", f"{count:,}")
        table.add_row("- rejected (their time or status can't be told)", f"{entry['rejected']:,}")
        table.add_row("= exported", f"{entry['exported']:,}", end_section=True)
        for column, count in entry["blanked"].items():
            table.add_row(f"rows with a blanked {column}", f"{count:,}")
        table.add_row("input tokens exported", f"{entry['sums']['exported']['input_tokens']:,}")
        table.add_row("output tokens exported", f"{entry['sums']['exported']['output_tokens']:,}")
        table.add_row("cost exported", f"{entry['sums']['exported']['cost_usd']:,.2f} USD")
        console.print(table)
        balanced = entry["source"] == entry["exported"] + sum(entry["filtered_by"].values()) + entry["rejected"]
        console.print("[green]The books balance.[/]" if balanced else "[red]The books do not balance.[/]")


def first_rows(console: Console, part: Path) -> None:
    """The first rows of a part as a table."""
    import pyarrow.parquet as pq

    batch = next(pq.ParquetFile(part).iter_batches(_FIRST_ROWS))
    table = Table(title=f"First rows of {part.name}", title_justify="left")
    for column in batch.schema:
        numeric = str(column.type) in {"int32", "double"}
        table.add_column(column.name, justify="right" if numeric else "left", overflow="ellipsis", no_wrap=True)
    for row in batch.to_pylist():
        table.add_row(*(_cell(value) for value in row.values()))
    console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return rfc3339(value)
    text = "" if value is None else str(value)
    return f"{text[: _LONGEST_CELL - 1]}…" if len(text) > _LONGEST_CELL else text


def _typed(program: str) -> str:
    """A program beside this Python, as it must be typed here: by its path where the shell finds another, or none."""
    path = Path(sys.executable).with_name(program)
    if shutil.which(program) == str(path):
        return program
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def next_steps(console: Console, folder: Path, document: Path, export: str, window: Window) -> None:
    """What to type next."""
    start, end = window.to_json().values()
    program, python = (_typed(name) for name in ("bifrost-export", "python"))
    lines = (
        ("export the same day to files, without Airflow", f"{program} run {document} --export {export} \\"),
        ("", f"    --window-start {start} --window-end {end}"),
        ("check a document of your own", f"{program} validate log_exports.json"),
        (
            "the rows as a data frame",
            f"{python} -c \"import pandas; print(pandas.read_parquet('{folder / 'exports' / 'request_logs'}'))\"",
        ),
        ("the demo's document, DAG files, logs and objects", f"ls {folder}"),
    )
    console.print("\n[bold]What to type next[/]")
    for about, command in lines:
        if about:
            console.print(f"  # {about}", style="dim", soft_wrap=True)
        console.print(f"  {command}", markup=False, soft_wrap=True)
