"""`bifrost-export sample-logs`: a log store with plausible rows, for trying things."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from bifrost_export.cli import output

_SCHEMES = ("postgresql://", "postgres://")


@click.command("sample-logs")
@click.argument("out")
@click.option(
    "--backend", type=click.Choice(["sqlite", "postgres"]), default="sqlite", show_default=True, help="Its kind."
)
@click.option("--rows", type=click.IntRange(min=1), default=200_000, show_default=True, help="How many rows.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed and times give the same rows.")
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="How many days they cover.")
@click.option("--end", metavar="TIME", help="First instant after the rows, UTC without a zone. [default: today 00:00]")
@click.option("--broken", type=click.IntRange(min=0), default=0, help="How many rows have a latency beyond 32 bits.")
@click.option(
    "--offloaded", type=click.FloatRange(0, 1), default=0, help="Share of the rows whose payload lies in an object."
)
@click.option("--objects", type=click.Path(path_type=Path, file_okay=False), help="Folder for these objects.")
@output.format_option
def sample_logs(out: str, backend: str, end: str | None, output_format: str, **options: Any) -> None:
    """Make a log store with plausible rows.

    OUT is a file that must not exist yet, or with --backend postgres the postgresql:// address of a database whose log
    store is missing or empty. The objects of --offloaded are laid out as in Bifrost's bucket: copy the folder's
    contents into one.
    """
    from bifrost_export.cli.summary import size
    from bifrost_export.sample.logs import write, write_postgres
    from bifrost_export.window import parse_instant

    began = time.monotonic()
    console = output.for_people()

    def report(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {text}", markup=False)

    options["end"] = parse_instant(end) if end else None
    if backend == "postgres":
        _check_address(out)
        made, place = write_postgres(out, report, **options), _without_password(out)
    else:
        made, place = write(Path(out), report, **options), str(Path(out))
    facts: dict[str, Any] = {"path": place, "backend": backend, "rows": made.rows, "tool_calls": made.tool_calls}
    facts |= {"offloaded": made.offloaded, "bytes": made.size, "seed": options["seed"]}
    if output_format == "json":
        output.print_json({**facts, "window": made.window.to_json()})
        return
    output.print_text(f"{place}: {made.rows:,} rows, {made.tool_calls:,} tool calls, {size(made.size)}, {made.window}")
    if made.offloaded:
        output.print_text(f"{options['objects']}: the payloads of {made.offloaded:,} rows")
    address = place if backend == "postgres" else f"sqlite:///{Path(out).absolute()}"
    output.print_text(f"As a log store: BIFROST_LOG_STORE={address}")


def _check_address(out: str) -> None:
    from bifrost_export.errors import ConfigError

    if not out.startswith(_SCHEMES):
        raise ConfigError("OUT is no address of a PostgreSQL database", allowed="postgresql://user@host:5432/database")


def _without_password(url: str) -> str:
    """The address with three stars for a password, wherever it stands in it."""
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    account, at, host = parts.netloc.rpartition("@")
    user, colon, _ = account.partition(":")
    query = "&".join("password=***" if each.startswith("password=") else each for each in parts.query.split("&"))
    return urlunsplit((parts.scheme, f"{user}{':***' if colon else ''}{at}{host}", parts.path, query, ""))
