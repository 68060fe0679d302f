"""Bifrost's log store in a SQLite file."""

from __future__ import annotations

from bifrost_export.logstore.sqlite.store import SQLiteLogStore

__all__ = ["SQLiteLogStore"]
