"""The command line `bifrost-export`. Importing this package, and asking for help, imports nothing heavy."""

from __future__ import annotations

from bifrost_export.cli.group import main

__all__ = ["main"]
