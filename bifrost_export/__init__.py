"""Scheduled exports of Bifrost's request logs, as Airflow DAGs.

A document becomes exports, an export becomes a DAG, and a DAG moves one window of the log store through
`extract -> filter -> transform -> load` to a destination. Importing this package imports nothing heavy.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("bifrost-export")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
