"""Makes the hooks: `RedshiftSQLHook` for the session, AWS's for the endpoint, for IAM and for the staging bucket."""

from __future__ import annotations

import json
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bifrost_export import connections, trust
from bifrost_export.destinations.redshift.aws_errors import told
from bifrost_export.destinations.redshift.config import HOST, PORT
from bifrost_export.errors import DestinationError, DestinationUnavailableError

if TYPE_CHECKING:
    from bifrost_export.destinations.redshift.config import RedshiftConfig

TIMEOUT = 30
"""Seconds that signing in may take."""
KEEPALIVE = {"tcp_keepalive": True, "tcp_keepalive_idle": 60, "tcp_keepalive_interval": 30, "tcp_keepalive_count": 5}
"""By these a peer that is gone is noticed while an answer is awaited."""


def connect(config: RedshiftConfig) -> Any:
    """A connection of the provider's hook that commits each statement by itself.

    Raises:
        DestinationError: The amazon provider isn't installed, or there is no such cluster or workgroup.
        ConfigError: There is no connection of the id that the config names.
        DestinationUnavailableError: The cluster is paused or moving.
    """
    try:
        from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
    except ImportError as error:
        raise connections.missing("the destination redshift", "amazon", "amazon", error) from None
    hook = RedshiftSQLHook(redshift_conn_id=config.conn_id or connections.IN_MEMORY, aws_conn_id=config.aws_conn_id)
    connection = _connection(config)
    hook.get_connection = lambda _conn_id: connection
    if config.iam:
        action = "redshift-serverless:GetCredentials" if config.workgroup else "redshift:GetClusterCredentials"
        with told("asking IAM for a password", action):
            login, password = _iam_password(config)
        connection.login, connection.password = login, password
    try:
        opened = hook.get_conn()
    except Exception as error:
        _close_refused(error)
        raise
    opened.autocommit = True
    _wait_for_answers(opened)
    return opened


def _close_refused(error: Exception) -> None:
    """Close the socket that the driver leaves open when the server refuses to let a session begin."""
    from redshift_connector.core import Connection
    from redshift_connector.error import Error

    for frame, _ in traceback.walk_tb(error.__traceback__):
        refused = frame.f_locals.get("self")
        if isinstance(refused, Connection):
            with suppress(Error):
                refused.close()
            return


def _wait_for_answers(opened: Any) -> None:
    """Let a statement take its time: the driver would end a COPY, too, after the seconds that it has to connect.

    The server's statement timeouts end what waits for a lock, and keepalive tells of a server that is gone.
    """
    socket = getattr(opened, "_usock", None)
    if socket is not None:
        socket.settimeout(None)


def _connection(config: RedshiftConfig) -> Any:
    """The document's part and the connection's as one, in memory."""
    from airflow.sdk import Connection

    given = connections.find(config.conn_id) if config.conn_id else None
    if given is not None:
        trust.require_type(given, "Redshift", "destination.config.conn_id")
    if config.host:
        named = connections.addresses_of(given) if given is not None else []
        trust.require_host(config.address, "Redshift", HOST, config.sent_in_clear, named)
    host, port = _endpoint(config)
    credentials = config.credentials
    extra = dict(given.extra_dejson) if given else {}
    for name in ("iam", "is_serverless", "serverless_work_group", "cluster_identifier") if config.iam else ():
        extra.pop(name, None)  # the password is asked for here
    return Connection(
        conn_id=config.conn_id or connections.IN_MEMORY,
        conn_type="redshift",
        host=host or (given.host if given else None),
        port=port or (given.port if given else None) or PORT,
        login=credentials.username if credentials else given.login if given else None,
        password=credentials.password if credentials else given.password if given else None,
        schema=config.database,
        extra=json.dumps({"timeout": TIMEOUT, "application_name": "bifrost-export", **KEEPALIVE, **extra}),
    )


def _endpoint(config: RedshiftConfig) -> tuple[str | None, int | None]:
    if config.host or not (config.cluster or config.workgroup):
        return config.host, config.port
    if config.cluster:
        with told(f"asking for the endpoint of cluster {config.cluster}", "redshift:DescribeClusters"):
            found = _client(config, "redshift").describe_clusters(ClusterIdentifier=config.cluster)["Clusters"][0]
        endpoint = found.get("Endpoint") or {}
        state = str(found.get("ClusterStatus", ""))
    else:
        with told(f"asking for the endpoint of workgroup {config.workgroup}", "redshift-serverless:GetWorkgroup"):
            found = _client(config, "redshift-serverless").get_workgroup(workgroupName=config.workgroup)["workgroup"]
        endpoint = found.get("endpoint") or {}
        state = str(found.get("status", ""))
    host = endpoint.get("Address") or endpoint.get("address")
    if not host:
        raise DestinationUnavailableError(
            f"{config.cluster or config.workgroup} has no endpoint now (it is {state or 'not ready'})",
            hint="Resume or start it; the task tries again.",
        )
    return str(host), int(endpoint.get("Port") or endpoint.get("port") or PORT)


def _iam_password(config: RedshiftConfig) -> tuple[str, str]:
    if config.workgroup:
        found = _client(config, "redshift-serverless").get_credentials(
            workgroupName=config.workgroup, dbName=config.database
        )
        return str(found["dbUser"]), str(found["dbPassword"])
    cluster = config.cluster or str(config.host).partition(".")[0]
    found = _client(config, "redshift").get_cluster_credentials(
        DbUser=config.db_user, DbName=config.database, ClusterIdentifier=cluster, AutoCreate=False
    )
    return str(found["DbUser"]), str(found["DbPassword"])


def _client(config: RedshiftConfig, service: str) -> Any:
    """A boto3 client by the provider's hook; without `aws_conn_id` by the default chain."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    hook = AwsBaseHook(aws_conn_id=checked_aws_connection(config), client_type=service, region_name=config.region)
    return hook.get_conn()


def checked_aws_connection(config: RedshiftConfig) -> str | None:
    """Return `aws_conn_id`, which the provider's hook looks up by itself.

    Raises:
        ConfigError: There is no such connection, or it is not one for AWS.
    """
    if config.aws_conn_id:
        trust.require_type(connections.find(config.aws_conn_id), "AWS", "destination.config.aws_conn_id")
    return config.aws_conn_id


def copy_keys(config: RedshiftConfig) -> dict[str, str]:
    """The keys by which COPY reads the staging bucket when no role is named.

    Raises:
        DestinationError: There are none.
    """
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    with told("looking for the keys that COPY reads staging with", "sts:AssumeRole"):
        hook = S3Hook(aws_conn_id=checked_aws_connection(config), region_name=config.region)
        found = hook.get_credentials()
    if not found or not found.access_key:
        raise DestinationError(
            "COPY has no rights of its own to read staging: neither staging.iam_role nor keys of aws_conn_id",
            hint="Set staging.iam_role to a role that the cluster has.",
        )
    keys = {"aws_access_key_id": found.access_key, "aws_secret_access_key": found.secret_key}
    return {**keys, "token": found.token} if found.token else keys
