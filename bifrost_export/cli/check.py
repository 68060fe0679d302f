"""`bifrost-export check`: probe the log store and the destination, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bifrost_export.cli import output
from bifrost_export.cli.exports import choose, export_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bifrost_export.cli.masking import Masker
    from bifrost_export.destinations.checks import Probe


@click.command("check")
@click.argument("config", type=click.Path())
@export_option
@output.format_option
@click.pass_obj
def check(masker: Masker, /, config: str, export_name: str | None, output_format: str) -> int:
    """Probe what the exports of the document CONFIG need: log store, destination, staging.

    Each step is told by itself: reach, sign in, write, conditional write, read, list, delete. What the probes write
    is taken away. Exit code 1 when a step failed, 2 when what failed is the document or a reference.
    """
    from bifrost_export.cli.runtime import runtime_of
    from bifrost_export.pipeline.check import check as check_export

    chosen = choose(config, export_name)
    runtime = runtime_of(masker)
    found: list[tuple[str, Probe]] = []
    for loaded in chosen.exports:
        name = str(loaded.name)
        with output.results_apart():
            probes = list(check_export(runtime, loaded))
        found += [(name, probe) for probe in probes]
        if output_format == "text":
            _show(masker, name, probes)
    if output_format == "json":
        output.print_json({"checks": [_to_json(masker, name, probe) for name, probe in found]})
    return max([chosen.exit_code, *(probe.exit_code for _, probe in found)])


def _to_json(masker: Masker, name: str, probe: Probe) -> dict[str, Any]:
    return {
        "export": name,
        "what": probe.what,
        "ok": probe.ok,
        "message": masker.mask(probe.message),
        "hint": None if probe.hint is None else masker.mask(probe.hint),
    }


def _show(masker: Masker, name: str, probes: Iterable[Probe]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=name, title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for probe in probes:
        mark, colour = _mark(probe)
        told = " ".join(part if part.endswith(".") else f"{part}." for part in (probe.message, probe.hint) if part)
        table.add_row(Text(mark, colour), probe.what, Text(masker.mask(told)))
    output.result_console().print(table)


def _mark(probe: Probe) -> tuple[str, str]:
    if probe.ok:
        return ("✓", "green") if probe.hint is None else ("!", "yellow")
    return ("✗", "red") if probe.was_tried else ("-", "dim")
