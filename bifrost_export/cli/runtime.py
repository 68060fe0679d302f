"""What a command gives the pipeline: connections as Airflow finds them, and a clock; no metadata database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from bifrost_export.cli.masking import Masker
    from bifrost_export.pipeline.runtime import Runtime


def runtime_of(masker: Masker, report: Callable[[str, dict[str, Any]], None] | None = None) -> Runtime:
    """The runtime of a command.

    Args:
        masker: Learns every secret that is resolved.
        report: Told the progress of a run, or None.
    """
    from bifrost_export.pipeline.runtime import Runtime, silent

    return Runtime(on_secret=masker.learn, get_connection=get_connection, report=report or silent)


def get_connection(conn_id: str) -> Any:
    """An Airflow connection as Airflow finds it: `AIRFLOW_CONN_*`, a secrets backend; no metadata database."""
    from airflow.sdk import BaseHook

    return BaseHook.get_connection(conn_id)
