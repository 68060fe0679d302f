"""Where files stand in the staging bucket."""

from __future__ import annotations

from bifrost_export.destinations.keys import folded

FOLDER = "bifrost_export_staging/"
"""Below the config's prefix; nothing else of ours stands there."""


def folder_of(prefix: str) -> str:
    """The folder of every run.

    Args:
        prefix: `staging.prefix` of the config.
    """
    prefix = folded(prefix)
    return (prefix if not prefix or prefix.endswith("/") else f"{prefix}/") + FOLDER
