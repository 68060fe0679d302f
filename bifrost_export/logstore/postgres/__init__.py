"""Bifrost's log store in PostgreSQL."""
