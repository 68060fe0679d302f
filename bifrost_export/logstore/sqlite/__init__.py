"""Bifrost's log store in a SQLite file."""
