"""What the demo does first, whether it is shown or looked at: a line for each step, and the log store."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from bifrost_export.window import Window
    from demo.workspace import Workspace

DAYS = 7
"""That the log store covers, for the daily export."""
WEEKLY_DAYS = 14
"""That it covers where the week up to the last Sunday is exported too."""


@contextlib.contextmanager
def step(console: Console, what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    began = time.monotonic()
    with console.status(what):
        yield
    console.print(f"[green]ok[/] {time.monotonic() - began:5.1f} s  {what}")


def make_log_store(workspace: Workspace, rows: int, days: int = DAYS) -> Window:
    """Some days of rows up to the end of the window that the scheduler will take first; gives that window.

    Raises:
        PermanentError: The demo's document is broken.
    """
    from bifrost_export.config.loader import load_export
    from bifrost_export.errors import PermanentError
    from bifrost_export.sample.logs import write
    from bifrost_export.window import UTC
    from demo.workspace import EXPORT

    export = load_export(workspace.document, EXPORT).export
    if export is None:
        raise PermanentError("the demo's own document is broken")
    window: Window = export.schedule.latest_settled(dt.datetime.now(UTC))
    write(workspace.log_store, rows=rows, days=days, end=window.end, broken=-(-rows // 40_000))
    return window
