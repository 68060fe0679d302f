"""Registers bifrost-export's plugin in an Airflow that runs the package from a source tree.

Where the package is installed its entry point has done so already, and this file adds nothing: Airflow reports a plugin
that is registered twice as an import error.
"""

from __future__ import annotations

from importlib.metadata import entry_points

if not any(point.name == "bifrost_export" for point in entry_points(group="airflow.plugins")):
    from bifrost_export.plugin import BifrostExportPlugin  # noqa: F401 (Airflow looks for it here)
