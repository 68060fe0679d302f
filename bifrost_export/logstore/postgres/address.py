"""A PostgreSQL log store as an address or an Airflow connection names it, turned into keys of `source.config`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bifrost_export.errors import ConfigError

_KEYS = {
    "sslmode": "ssl_mode",
    "sslrootcert": "ssl_root_cert",
    "sslcert": "ssl_cert",
    "sslkey": "ssl_key",
    "options": "schema",
}
"""libpq's names -> ours."""

ADDRESS = "postgresql://user:password@host:5432/database, after it ?sslmode=... and the like"
_SEARCH_PATH = re.compile(r"""-c\s*search_path\s*=\s*"?([A-Za-z_][A-Za-z0-9_$]*)"?""")
_SIGNS_IN_OTHERWISE = ("iam", "service", "passfile", "sslpassword", "azure_conn_id")


def from_address(address: str, where: str) -> dict[str, Any]:
    """Keys of `source.config` that an address stands for.

    Args:
        address: `postgresql://...`.
        where: What holds it, for messages.

    Raises:
        ConfigError: It names no host or database, or says more than is understood; the message doesn't hold it.
    """
    try:
        parts = urlsplit(address)
        config = {"port": parts.port or 5432, **_of_parts(parts)}
    except ValueError:
        raise ConfigError(f"{where} holds no address", allowed=ADDRESS) from None
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name == "host" and not parts.hostname:  # the folder of a socket can't stand before the path
            config["host"] = value
        elif name in _KEYS:
            config |= _option(name, value, where)
        else:
            raise ConfigError(
                f"{where} has the unknown parameter {name!r}", allowed=f"after the '?': {', '.join(_KEYS)}"
            )
    return _complete(config, where, ADDRESS)


def _of_parts(parts: SplitResult) -> dict[str, Any]:
    named = {
        "host": parts.hostname,
        "user": parts.username,
        "password": parts.password,
        "db_name": parts.path.removeprefix("/"),
    }
    return {key: unquote(value) for key, value in named.items() if value}


def from_connection(connection: Any, conn_id: str) -> dict[str, Any]:
    """Keys of `source.config` that an Airflow connection stands for.

    Args:
        connection: Of type `postgres`.
        conn_id: Its id, for messages.

    Raises:
        ConfigError: It names no host or database, or another way to sign in than by user and password.
    """
    where = f"the connection {conn_id}"
    extra = getattr(connection, "extra_dejson", None) or {}
    otherwise = [name for name in _SIGNS_IN_OTHERWISE if _is_set(extra.get(name))]
    if otherwise:
        raise ConfigError(
            f"{where} signs in by {', '.join(otherwise)}, which is not supported for a log store",
            allowed="login and password, or a certificate (sslcert, sslkey)",
        )
    named = {
        "host": connection.host,
        "port": connection.port,
        "user": connection.login,
        "password": connection.password,
        "db_name": connection.schema,
    }
    config = {key: value for key, value in named.items() if value}
    for name in _KEYS:
        if extra.get(name):
            config |= _option(name, str(extra[name]), where)
    return _complete(config, where, "its host, its schema (the database), login and password")


def _is_set(value: object) -> bool:
    return value not in (None, "", False, "false", "False")


def _option(name: str, value: str, where: str) -> dict[str, str]:
    if name != "options":
        return {_KEYS[name]: value}
    match = _SEARCH_PATH.fullmatch(value.strip())
    if match is None:
        raise ConfigError(
            f"{where} has options that are not understood",
            allowed="options of the form -c search_path=schema",
            hint="The exporter sets its own timeouts; other options belong to the user: ALTER ROLE ... SET ...",
        )
    return {"schema": match[1]}


def _complete(config: Mapping[str, Any], where: str, allowed: str) -> dict[str, Any]:
    for key, told in (("host", "host"), ("db_name", "database")):
        if not config.get(key):
            raise ConfigError(f"{where} names no {told}", allowed=allowed)
    return dict(config)
