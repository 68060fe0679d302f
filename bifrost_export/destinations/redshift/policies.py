"""The least that an export into Redshift needs of AWS itself, as policies to attach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.redshift.bucket import folder_of
from bifrost_export.destinations.s3.policy import allow, key_statement, partition_of, policy_of

if TYPE_CHECKING:
    from bifrost_export.destinations.redshift.config import RedshiftConfig


def policies(config: RedshiftConfig) -> dict[str, Any]:
    """Policies, as JSON; empty where AWS itself is asked for nothing.

    Args:
        config: The destination's config.

    Returns:
        `policy` for the identity of `aws_conn_id` or of the machine, `policy_of_iam_role` for the role that COPY takes.
    """
    asked = [*_endpoint(config), *(_password(config) if config.iam else []), *_staging(config)]
    to_write, notes = _key(config, ["kms:GenerateDataKey", "kms:Decrypt"])
    to_read, _ = _key(config, ["kms:Decrypt"])
    asked += to_write
    found: dict[str, Any] = {"policy": policy_of(asked)} if asked else {}
    if config.staging and config.staging.iam_role:
        found["policy_of_iam_role"] = policy_of([*_bucket(config, ["s3:GetObject"]), *to_read])
    return {**found, "notes": notes} if notes else found


def _partition(config: RedshiftConfig) -> str:
    staging = config.staging
    return partition_of(config.region, *((staging.iam_role, staging.kms_key_id) if staging else ()), _address(config))


def _address(config: RedshiftConfig) -> str | None:
    return f"https://{config.host}" if config.host else None


def _key(config: RedshiftConfig, actions: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    key = config.staging.kms_key_id if config.staging else None
    return key_statement(key, actions, _partition(config), config.region)


def _endpoint(config: RedshiftConfig) -> list[dict[str, Any]]:
    if config.cluster:
        return [allow("Endpoint", ["redshift:DescribeClusters"], ["*"])]
    return [allow("Endpoint", ["redshift-serverless:GetWorkgroup"], ["*"])] if config.workgroup else []


def _password(config: RedshiftConfig) -> list[dict[str, Any]]:
    if config.workgroup:
        return [allow("Password", ["redshift-serverless:GetCredentials"], ["*"])]
    cluster = config.cluster or str(config.host).partition(".")[0]
    root = f"arn:{_partition(config)}:redshift:{config.region or '*'}:*"
    named = [f"{root}:dbuser:{cluster}/{config.db_user}", f"{root}:dbname:{cluster}/{config.database}"]
    return [allow("Password", ["redshift:GetClusterCredentials"], named)]


def _staging(config: RedshiftConfig) -> list[dict[str, Any]]:
    files = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return _bucket(config, files) if config.staging else []


def _bucket(config: RedshiftConfig, files: list[str]) -> list[dict[str, Any]]:
    assert config.staging is not None  # noqa: S101 (asked by the callers)
    bucket = f"arn:{_partition(config)}:s3:::{config.staging.bucket}"
    # A condition on s3:prefix here would make S3 forbid the reading of what is not there.
    return [
        allow("Files", files, [f"{bucket}/{folder_of(config.staging.prefix)}*"]),
        allow("Lists", ["s3:ListBucket"], [bucket]),
    ]
