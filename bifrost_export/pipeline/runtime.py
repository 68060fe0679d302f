"""What the steps are given by whoever runs them: Airflow's operators, the CLI, a test."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bifrost_export.window import UTC


def _now() -> dt.datetime:
    return dt.datetime.now(UTC)


def no_bundle(document: Path) -> Path | None:
    """Return None: outside of Airflow a document lies where its reader put it."""


def silent(event: str, facts: dict[str, Any]) -> None:
    """Tell nobody of a step's progress."""


@dataclass(frozen=True)
class Runtime:
    """The surroundings of a step.

    Args:
        environ: Variables that references are resolved from.
        on_secret: Told every secret value that is resolved, to mask it in logs.
        get_connection: Finds an Airflow connection by its id, or None where there is no Airflow.
        now: The clock, aware.
        attempt: Part of the names that one attempt of one task writes.
        max_map_length: How many instances a mapped task may have.
        executor_is_local: Whether all tasks of the run see this machine's disk.
        rows_per_slice: Rows that one instance of `extract` reads, about.
        bundle_of: Gives the DAG bundle that a document lies in, or None.
        report: Told the progress of a step: its name, and facts to show.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    on_secret: Callable[[str], None] | None = None
    get_connection: Callable[[str], Any] | None = None
    now: Callable[[], dt.datetime] = _now
    attempt: str = field(default_factory=lambda: secrets.token_hex(4))
    max_map_length: int = 1024
    executor_is_local: bool = True
    rows_per_slice: int = 1_000_000
    bundle_of: Callable[[Path], Path | None] = no_bundle
    report: Callable[[str, dict[str, Any]], None] = silent
