"""AWS's policies as JSON, and the ARNs in them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bifrost_export.destinations.place_names import ACCESS_POINT

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""How the names of a partition's regions begin, where it isn't `aws`."""
_HOSTS = {".amazonaws.com.cn": "aws-cn", ".amazonaws.eu": "aws-eusc"}
_REGION = re.compile(r"(?:^|[.-])((?:cn|us-gov|us-isob?|eu-isoe|us-isof|eusc)-[a-z-]+-?[0-9])(?:\.|$)")
_KEY_ID = re.compile(r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


def allow(name: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    """A statement.

    Args:
        name: Its `Sid`.
        actions: What is allowed.
        resources: On what, as ARNs.
    """
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources}


def policy_of(statements: list[dict[str, Any]]) -> dict[str, Any]:
    """The policy of these statements."""
    return {"Version": "2012-10-17", "Statement": statements}


def partition_of(region: str | None, *others: str | None) -> str:
    """Return the partition that ARNs name.

    Args:
        region: The region, where it is known.
        others: ARNs and addresses that tell it too.
    """
    for start, partition in _PARTITIONS.items():
        if region and region.startswith(start):
            return partition
    if region:
        return "aws"
    for each in others:
        if found := _partition_in(each or ""):
            return found
    return "aws"


def _partition_in(text: str) -> str | None:
    if text.startswith("arn:"):
        return text.split(":")[1]
    host = urlsplit(text).hostname or ""
    if match := _REGION.search(host):
        return partition_of(match[1])
    return next((partition for end, partition in _HOSTS.items() if host.endswith(end)), None)


def bucket_arns(bucket: str, partition: str) -> tuple[str, str]:
    """Return the ARN of a bucket or access point, and what its objects' ARNs begin with."""
    if match := ACCESS_POINT.fullmatch(bucket):
        root = f"arn:{match['partition']}:s3:{match['region']}:{match['account']}:accesspoint/{match['name']}"
        return root, f"{root}/object"
    root = f"arn:{partition}:s3:::{bucket}"
    return root, root


def key_statement(
    key: str | None, actions: list[str], partition: str, region: str | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the statements for a KMS key, and what a person must know where there can be none.

    Args:
        key: As the config names it: an ARN, an id, or an alias.
        actions: What is allowed.
        partition: Of the other ARNs.
        region: The key's, where it is known.
    """
    if not key:
        return [], []
    if _KEY_ARN.fullmatch(key):
        return [allow("Key", actions, [key])], []
    if _KEY_ID.fullmatch(key):
        return [allow("Key", actions, [f"arn:{partition}:kms:{region or '*'}:*:key/{key}"])], []
    what = "an alias, which a policy can't name as its resource" if "alias/" in key else "not the id or ARN of a key"
    told = f"kms_key_id {key!r} is {what}: the policy lacks {' and '.join(actions)}."
    return [], [f"{told} Set kms_key_id to the key's ARN, arn:{partition}:kms:{region or 'REGION'}:ACCOUNT:key/ID."]
