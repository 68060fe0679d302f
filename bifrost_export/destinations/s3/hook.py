"""Makes the `S3Hook`: from credentials in the document, from an Airflow connection, or from the default chain."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from bifrost_export import connections, trust
from bifrost_export.destinations.s3.config import ENDPOINT, S3Credentials
from bifrost_export.fields.plain_text import check_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bifrost_export.destinations.s3.config import S3Config

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
        raise connections.missing("the destination s3", "amazon", "amazon", error) from None
    from botocore.config import Config

    own = Config(**_checksums(config))
    if config.conn_id:
        found = connections.find(config.conn_id)
        trust.require_type(found, "AWS", "destination.config.conn_id")
        _require_host(config, connections.addresses_of(found))
        connection = connections.altered(found, endpoint_url=config.endpoint_url)
        settings = _of_connection(connection).merge(own)
        return connections.hook_with(
            S3Hook, connection, aws_conn_id=config.conn_id, region_name=config.region, config=settings
        )
    _require_host(config)
    given = config.credentials or S3Credentials()
    if given.access_key_id is None:
        check_environment()
    connection = connections.make(
        "aws",
        login=given.access_key_id,
        password=given.secret_access_key,
        aws_session_token=given.session_token,
        role_arn=given.role_arn,
        endpoint_url=config.endpoint_url,
        service_config=_where_roles_are(config.endpoint_url),
    )
    settings = Config(retries=RETRIES, **TIMEOUTS).merge(own)
    return connections.hook_with(
        S3Hook, connection, aws_conn_id=connections.IN_MEMORY, region_name=config.region, config=settings
    )


def _require_host(config: S3Config, named: Sequence[trust.Address | None] = ()) -> None:
    secret = config.sent_in_clear
    if config.endpoint_url and secret:
        trust.require_host(trust.of_url(config.endpoint_url), "AWS", ENDPOINT, secret, named)


def _where_roles_are(endpoint_url: str | None) -> dict[str, Any] | None:
    """A store that is not Amazon's gives out its own roles, at the same address: no role of Amazon's reaches it."""
    if not endpoint_url or trust.is_trusted(trust.of_url(endpoint_url), "AWS", environ={}):
        return None
    return {"sts": {"endpoint_url": endpoint_url}}


def _checksums(config: S3Config) -> dict[str, str]:
    """What botocore does about checksums by itself: nothing to what is sent, where the store brings its own."""
    checked = "when_supported" if config.checksums == "required" else "when_required"
    return {"request_checksum_calculation": "when_required", "response_checksum_validation": checked}


def _of_connection(connection: Any) -> Any:
    """The settings of a connection, which a hook leaves out when it is given others."""
    from botocore import UNSIGNED
    from botocore.config import Config

    settings = dict(connection.extra_dejson.get("config_kwargs") or {})
    if settings.get("signature_version") == "unsigned":
        settings["signature_version"] = UNSIGNED
    return Config(**settings)


def check_environment() -> None:
    """Refuse keys of the default chain with a newline behind them, as files and secrets of Kubernetes often have.

    Raises:
        ConfigError: A variable has one.
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        check_plain(os.environ.get(name, ""), f"the variable {name}", is_key=True)
