"""The least that an export into Redshift needs of AWS itself, as policies to attach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.aws_policy import allow, policy_of
from bifrost_export.destinations.redshift.staging_folder import folder_of

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
    found = {"policy": policy_of(asked)} if asked else {}
    if config.staging and config.staging.iam_role:
        found["policy_of_iam_role"] = policy_of(_bucket(config, ["s3:GetObject"]))
    return found


def _endpoint(config: RedshiftConfig) -> list[dict[str, Any]]:
    if config.cluster:
        return [allow("Endpoint", ["redshift:DescribeClusters"], ["*"])]
    return [allow("Endpoint", ["redshift-serverless:GetWorkgroup"], ["*"])] if config.workgroup else []


def _password(config: RedshiftConfig) -> list[dict[str, Any]]:
    if config.workgroup:
        return [allow("Password", ["redshift-serverless:GetCredentials"], ["*"])]
    cluster = config.cluster or str(config.host).partition(".")[0]
    root = f"arn:aws:redshift:{config.region or '*'}:*"
    named = [f"{root}:dbuser:{cluster}/{config.db_user}", f"{root}:dbname:{cluster}/{config.database}"]
    return [allow("Password", ["redshift:GetClusterCredentials"], named)]


def _staging(config: RedshiftConfig) -> list[dict[str, Any]]:
    files = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return _bucket(config, files) if config.staging else []


def _bucket(config: RedshiftConfig, files: list[str]) -> list[dict[str, Any]]:
    assert config.staging is not None  # noqa: S101 (asked by the callers)
    bucket = f"arn:aws:s3:::{config.staging.bucket}"
    # A condition on s3:prefix here would make S3 forbid the reading of what is not there.
    return [
        allow("Files", files, [f"{bucket}/{folder_of(config.staging.prefix)}*"]),
        allow("Lists", ["s3:ListBucket"], [bucket]),
    ]
