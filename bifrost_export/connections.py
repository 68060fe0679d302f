"""Connections for the providers' hooks: an Airflow connection by its id, or one that lives in memory only.

Credentials from the document reach a hook in this way alone, never by the process's environment or a file.
"""

from __future__ import annotations

import json
import re
from typing import Any

from bifrost_export import trust
from bifrost_export.errors import ConfigError, DestinationError, PermanentError
from bifrost_export.fields.plain_text import check_plain
from bifrost_export.redaction.listeners import tell_of_connection

_PLAIN = (
    *("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "role_arn", "region_name", "endpoint_url"),
    *("account_key", "connection_string", "sas_token", "shared_access_key"),
)
"""Settings of connections that stand in one line."""

IN_MEMORY = "bifrost_export_document"
"""The id of a connection that is made of the document."""


def find(conn_id: str) -> Any:
    """The Airflow connection of that id.

    Raises:
        ConfigError: There is none.
    """
    from airflow.sdk import BaseHook

    try:
        found = BaseHook.get_connection(conn_id)
    except Exception as error:  # noqa: BLE001 (each secrets backend fails in its own way)
        raise ConfigError(
            f"there is no Airflow connection {conn_id!r} ({type(error).__name__})",
            hint=f"Make it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}.",
        ) from None
    tell_of_connection(found)
    _check_plain(found)
    return found


def _check_plain(connection: Any) -> None:
    """Refuse a newline behind a key or password, with which every request would fail without a word about it."""
    whose = f"of the Airflow connection {connection.conn_id!r}"
    for name, value in (("login", connection.login), ("password", connection.password)):
        if isinstance(value, str) and not value.lstrip().startswith(("{", "-----")):
            check_plain(value, f"the {name} {whose}", may_have_blanks=True)
    extra = connection.extra_dejson
    for name in _PLAIN:
        if isinstance(extra.get(name), str):
            check_plain(extra[name], f"the setting {name} {whose}", may_have_blanks=True)


def make(conn_type: str, *, login: str | None = None, password: str | None = None, **extra: Any) -> Any:
    """A connection that lives in memory.

    Args:
        conn_type: Airflow's word for its kind.
        login: The user.
        password: Their secret.
        extra: The connection's other settings; `host` is its host, and what is None is left out.
    """
    from airflow.sdk import Connection

    host = extra.pop("host", None)
    told = json.dumps({name: value for name, value in extra.items() if value is not None})
    return Connection(conn_id=IN_MEMORY, conn_type=conn_type, host=host, login=login, password=password, extra=told)


def addresses_of(connection: Any) -> list[trust.Address | None]:
    """Return every address that a connection names: secrets of its own go there by its own word."""
    extra = connection.extra_dejson
    stated = re.findall(r"BlobEndpoint=([^;]+)", str(extra.get("connection_string") or ""), re.IGNORECASE)
    urls = [connection.host, extra.get("endpoint_url"), extra.get("account_url"), *stated, *_of_services(extra)]
    return [
        *(trust.of_url(str(each).rstrip("/")) for each in urls if each),
        trust.of_host(connection.host, connection.port),
        trust.of_host(_text(extra.get("host")), _number(extra.get("port"))),
    ]


def _of_services(extra: dict[str, Any]) -> list[Any]:
    services = extra.get("service_config")
    configs = services.values() if isinstance(services, dict) else ()
    return [each.get("endpoint_url") for each in configs if isinstance(each, dict)]


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _number(value: Any) -> int | None:
    return int(value) if str(value).isascii() and str(value).isdecimal() else None


def altered(connection: Any, *, host: str | None = None, **extra: Any) -> Any:
    """A copy of a connection with other settings; what is None stays as it is."""
    from airflow.sdk import Connection

    changes = {name: value for name, value in extra.items() if value is not None}
    return Connection(
        conn_id=connection.conn_id,
        conn_type=connection.conn_type,
        host=host if host is not None else connection.host,
        login=connection.login,
        password=connection.password,
        schema=connection.schema,
        port=connection.port,
        extra=json.dumps({**connection.extra_dejson, **changes}),
    )


def hook_with(kind: type, connection: Any, **arguments: Any) -> Any:
    """A provider's hook that finds this connection, whatever id it looks for.

    Args:
        kind: The hook's class.
        connection: The connection.
        arguments: Of the hook.
    """
    found = classmethod(lambda _cls, _conn_id: connection)
    return type(kind.__name__, (kind,), {"get_connection": found})(**arguments)


def missing(
    what: str, provider: str, extra: str, error: Exception, kind: type[PermanentError] = DestinationError
) -> PermanentError:
    """The error for a provider that isn't installed, or not with packages that fit it.

    Args:
        what: What needs it.
        provider: Airflow's name for it.
        extra: This package's extra that brings it.
        error: How its import failed.
        kind: The error to give.
    """
    return kind(
        f"{what} needs Airflow's {provider} provider ({error})",
        hint=f"Install it where tasks run: pip install 'bifrost-export[{extra}]'.",
    )
