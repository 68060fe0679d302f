"""Makes the `S3Hook`: from credentials in the document, from an Airflow connection, or from the default chain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bifrost_export.errors import ConfigError, DestinationError

if TYPE_CHECKING:
    from bifrost_export.destinations.s3 import S3Config

RETRIES = {"max_attempts": 4, "mode": "standard"}
TIMEOUTS = {"connect_timeout": 20, "read_timeout": 60}


def make_hook(config: S3Config) -> Any:
    """The provider's hook, signed in as the config says.

    Raises:
        DestinationError: The amazon provider isn't installed.
        ConfigError: There is no connection of the id that the config names.
    """
    try:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    except ImportError as error:
        raise DestinationError(
            f"the destination s3 needs Airflow's amazon provider ({error})",
            hint="Install it where tasks run: pip install 'bifrost-export[amazon]'.",
        ) from None
    from botocore.config import Config

    settings = Config(retries=RETRIES, **TIMEOUTS)
    if config.conn_id:
        hook = S3Hook(aws_conn_id=config.conn_id, region_name=config.region)
        _overlay(hook, _connection(hook, config.conn_id), config)
        return hook
    hook = S3Hook(aws_conn_id="bifrost_export_document", region_name=config.region, config=settings)
    _overlay(hook, None, config)
    return hook


def _connection(hook: Any, conn_id: str) -> Any:
    try:
        return hook.get_connection(conn_id)
    except Exception as error:  # noqa: BLE001 (each secrets backend fails in its own way)
        raise ConfigError(
            f"there is no Airflow connection {conn_id!r} ({type(error).__name__})",
            hint=f"Make it in Airflow, or set AIRFLOW_CONN_{conn_id.upper()}.",
        ) from None


def _overlay(hook: Any, connection: Any, config: S3Config) -> None:
    """Let the hook find a connection in memory: the document's credentials never reach an environment or a file."""
    from airflow.sdk import Connection

    if connection is None:
        given = config.credentials
        extra: dict[str, Any] = {}
        if given and given.session_token:
            extra["aws_session_token"] = given.session_token
        if given and given.role_arn:
            extra["role_arn"] = given.role_arn
        connection = Connection(
            conn_id="bifrost_export_document",
            conn_type="aws",
            login=given.access_key_id if given else None,
            password=given.secret_access_key if given else None,
            extra=json.dumps(extra),
        )
    if config.endpoint_url:
        connection = Connection(
            conn_id=connection.conn_id,
            conn_type="aws",
            login=connection.login,
            password=connection.password,
            extra=json.dumps({**connection.extra_dejson, "endpoint_url": config.endpoint_url}),
        )
    hook.get_connection = lambda _conn_id: connection
