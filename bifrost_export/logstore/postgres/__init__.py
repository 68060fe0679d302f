"""Bifrost's log store in PostgreSQL."""

from __future__ import annotations

from bifrost_export.logstore.postgres.store import PostgresLogStore

__all__ = ["PostgresLogStore"]
