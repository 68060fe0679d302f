"""`bifrost-export demo`: one export from end to end, in a real Airflow, on this machine alone."""

from __future__ import annotations

from demo.command import demo

__all__ = ["demo"]
