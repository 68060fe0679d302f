"""`bifrost-export sample-logs`: a log store with plausible rows, for trying things."""

from __future__ import annotations

from pathlib import Path

import click

from bifrost_export.cli import output


@click.command("sample-logs")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--backend", type=click.Choice(["sqlite"]), default="sqlite", show_default=True, help="Its kind.")
@click.option("--rows", type=click.IntRange(min=1), default=200_000, show_default=True, help="How many rows.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed and times give the same rows.")
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="How many days they cover.")
@click.option("--end", metavar="TIME", help="First instant after the rows, UTC without a zone. [default: today 00:00]")
@output.format_option
def sample_logs(out: Path, backend: str, rows: int, seed: int, days: int, end: str | None, output_format: str) -> None:
    """Make a log store with plausible rows in the file OUT, which must not exist yet."""
    from bifrost_export.testing.sample_logs import write
    from bifrost_export.window import parse_instant

    made = write(out, rows=rows, seed=seed, days=days, end=parse_instant(end) if end else None)
    facts = {"path": str(made.path), "backend": backend, "rows": made.rows, "bytes": made.size, "seed": seed}
    if output_format == "json":
        output.print_json({**facts, "window": made.window.to_json()})
        return
    output.print_text(f"{made.path}: {made.rows:,} rows, {made.size / 1e6:,.1f} MB, {made.window}")
    output.print_text(f"As a log store: BIFROST_LOG_STORE=sqlite:///{made.path.absolute()}")
