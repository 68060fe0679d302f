"""The key of a Google service account, as JSON or by the path of its file: the only credentials a document may bring.

Other types of Google's credentials name addresses that a client posts secrets to, and files that it reads. They come
by an Airflow connection, or from the machine itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bifrost_export import trust
from bifrost_export.errors import ConfigError
from bifrost_export.fields.reference_text import has_references
from bifrost_export.redaction.listeners import tell

ALLOWED = "the JSON of a service account's key, or the path of the file that holds it"
KEY_FIELDS = ("client_email", "private_key", "token_uri")
_KEPT = ("type", "project_id", "private_key_id", "client_id", *KEY_FIELDS)
"""What a client needs of a key; no address beside `token_uri` reaches it."""

_TYPE, _UNIVERSE = "service_account", "googleapis.com"
_OTHER_WAYS = "Use an Airflow connection (conn_id), or the machine's own identity, for other types of credentials."
_LARGEST = 2**16


def read_key(text: str, where: str) -> dict[str, Any]:
    """Return a service account's key with nothing else in it.

    Args:
        text: Its JSON, or the path of a file that holds it.
        where: The key of the document that holds the text, in full.

    Raises:
        ConfigError: It is not such a key; the message never quotes it.
    """
    if not _is_json(text):
        try:
            with Path(text).expanduser().open("rb") as file:
                text = file.read(_LARGEST).decode("utf-8")
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"{where} is not JSON, and no file of that path can be read ({type(error).__name__})", allowed=ALLOWED
            ) from None
        tell(text)
    try:
        key = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(
            f"{where} is not JSON", allowed=ALLOWED, hint="Check whether the key was cut or quoted."
        ) from None
    return _checked(key, where)


def refused_key(field: str, text: str | None, where: str) -> Iterator[tuple[str, ConfigError]]:
    """Yield the field and the error of a key that is written out in the document, and is not one.

    Args:
        field: The key's place in its config, its steps parted by `/`.
        text: What the document says, where it says anything.
        where: The key of the document that holds the text, in full.
    """
    if text and _is_json(text) and not has_references(text):
        try:
            read_key(text, where)
        except ConfigError as error:
            yield field, error


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _checked(key: Any, where: str) -> dict[str, Any]:
    type_ = key.get("type") if isinstance(key, dict) else None
    if isinstance(key, dict) and type_ not in (None, _TYPE):
        raise ConfigError(
            f"{where} holds credentials of another type than {_TYPE!r}",
            allowed=f"a key of type {_TYPE}",
            hint=_OTHER_WAYS,
        )
    missing = [name for name in ("type", *KEY_FIELDS) if not _is_text(key, name)]
    if missing:
        raise ConfigError(f"{where} is not a service account's key: it lacks {', '.join(missing)}", allowed=ALLOWED)
    if key.get("universe_domain") not in (None, "", _UNIVERSE):
        raise ConfigError(
            f"{where} is for another universe_domain than {_UNIVERSE}", allowed=_UNIVERSE, hint=_OTHER_WAYS
        )
    address = trust.of_url(key["token_uri"])
    trust.require_host(address, "Google's sign-in", f"token_uri in {where}", "what the key signs")
    return {name: key[name] for name in _KEPT if _is_text(key, name)}


def _is_text(key: Any, name: str) -> bool:
    return isinstance(key, dict) and isinstance(key.get(name), str) and bool(key[name])
