"""Makes the `SnowflakeHook`, from credentials in the document or from an Airflow connection."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export import connections, trust
from bifrost_export.destinations.snowflake.config import ACCOUNT, account_of
from bifrost_export.destinations.warehouse import engine
from bifrost_export.errors import ConfigError, CredentialsRefusedError

if TYPE_CHECKING:
    from bifrost_export.destinations.snowflake.config import SnowflakeConfig, SnowflakeCredentials

LOCK_SECONDS = engine.LOCK_SECONDS
"""So long a statement waits for a lock that another transaction holds."""


def connect(config: SnowflakeConfig, query_tag: str) -> Any:
    """A connection of the provider's hook that commits each statement by itself.

    Args:
        config: The destination's config, references resolved.
        query_tag: What the account's query history shows beside every statement.

    Raises:
        DestinationError: The snowflake provider isn't installed, or not with packages that fit it.
        ConfigError: There is no connection of the id that the config names, or the private key can't be read.
    """
    try:
        from airflow.providers.snowflake.hooks.snowflake import SnowflakeHook
    except (ImportError, AttributeError) as error:  # AttributeError: with a SQLAlchemy that is too new for it
        raise connections.missing("the destination snowflake", "snowflake", "snowflake", error) from None
    # The driver tells every failed sign-in on its own, with a traceback.
    logging.getLogger("snowflake.connector").setLevel(logging.CRITICAL)
    hook = SnowflakeHook(snowflake_conn_id=config.conn_id or connections.IN_MEMORY)
    connection = _connection(config, query_tag)
    hook.get_connection = lambda _conn_id: connection
    try:
        return hook.get_conn()
    except (ValueError, TypeError) as error:  # how the hook refuses a key
        raise CredentialsRefusedError(
            f"the private key can't be used ({type(error).__name__})",
            hint="Give it as PEM (PKCS#8), with its passphrase as password where it has one.",
        ) from None


def _connection(config: SnowflakeConfig, query_tag: str) -> Any:
    """The document's part and the connection's as one, in memory."""
    from airflow.sdk import Connection

    given: Any = connections.find(config.conn_id) if config.conn_id else None
    if given is not None:
        trust.require_type(given, "Snowflake", "destination.config.conn_id")
    _require_host(config, connections.addresses_of(given) if given is not None else [])
    extra = dict(given.extra_dejson) if given else {}
    told = {"database": config.database, "warehouse": config.warehouse, "role": config.role}
    extra |= {name: value for name, value in told.items() if value}
    if config.account:
        extra |= account_of(config.account)
    extra["session_parameters"] = {
        **extra.get("session_parameters", {}),
        "QUERY_TAG": query_tag,
        "TIMEZONE": "UTC",
        "LOCK_TIMEOUT": LOCK_SECONDS,
        "ABORT_DETACHED_QUERY": True,
    }
    credentials = config.credentials
    if credentials and credentials.private_key:
        extra["private_key_content"] = _pem(credentials)
    return Connection(
        conn_id=config.conn_id or connections.IN_MEMORY,
        conn_type="snowflake",
        login=credentials.username if credentials else given.login,
        password=credentials.password if credentials else given.password,
        schema=config.schema_,
        extra=json.dumps(extra),
    )


def _require_host(config: SnowflakeConfig, named: list[trust.Address | None]) -> None:
    if config.account:
        trust.require_host(config.address, "Snowflake", ACCOUNT, config.sent_in_clear, named)


def _pem(credentials: SnowflakeCredentials) -> str:
    """The private key as the hook takes it."""
    key = str(credentials.private_key)
    if "-----BEGIN" not in key:
        try:
            key = Path(key).expanduser().read_text("ascii")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"private_key is neither PEM nor a file that can be read ({type(error).__name__})",
                allowed="the key's PEM text, or a path to it",
            ) from None
    return base64.b64encode(key.replace("\\n", "\n").encode()).decode()
