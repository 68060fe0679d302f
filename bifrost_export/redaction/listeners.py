"""Secrets that come up outside of a document, in a connection, a key's file, a role: told to who masks logs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bifrost_export.redaction.client_logs import overhearing
from bifrost_export.redaction.encodings import forms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LISTENERS: list[Callable[[str], None]] = []


@contextmanager
def listening(on_secret: Callable[[str], None]) -> Iterator[None]:
    """Be told each secret that comes up while the block lasts, in every form of it."""
    _LISTENERS.append(on_secret)
    try:
        with overhearing(tell):
            yield
    finally:
        _LISTENERS.remove(on_secret)


def tell(secret: str) -> None:
    """Tell of a secret that has come up."""
    for on_secret in _LISTENERS:
        for form in forms_of(secret):
            on_secret(form)


def tell_of_connection(connection: Any) -> None:
    """Tell of all that is secret in an Airflow connection: its password, and what else has the name of a secret."""
    if connection.password:
        tell(connection.password)
    _tell_within(connection.extra_dejson)


def _tell_within(settings: dict[str, Any]) -> None:
    from bifrost_export.redaction.names import is_like_a_secret

    for name, value in settings.items():
        if isinstance(value, dict):
            _tell_within(value)
        elif isinstance(value, str) and value and is_like_a_secret(name):
            tell(value)
