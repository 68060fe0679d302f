"""`bifrost-export demo`: run the demo of a source checkout, which the wheel does not contain."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from bifrost_export.errors import PermanentError


@click.command("demo", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Show two exports from end to end, in a real Airflow, on this machine.

    The demo is in the source repository: `make demo` and `make ui` run it.
    """
    checkout = Path(__file__).parents[2]
    if not (checkout / "demo" / "__main__.py").is_file():
        raise PermanentError(
            "the demo is not part of the installed package",
            hint="Clone the repository of Bifrost Export and run: make demo",
        )
    path = os.pathsep.join(filter(None, [str(checkout), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "demo", *arguments]
    os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": path})  # noqa: S606 (no shell is wanted)
