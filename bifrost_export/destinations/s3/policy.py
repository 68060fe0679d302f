"""The least that an export needs of S3, as a policy to attach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bifrost_export.destinations.bucket_names import ACCESS_POINT

if TYPE_CHECKING:
    from bifrost_export.destinations.object_store.keys import Keys
    from bifrost_export.destinations.s3.config import S3Config

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


ALIAS = "-s3alias"
"""How the alias of an access point ends, which stands for a bucket's name in requests, and not in policies."""


def policy(config: S3Config, keys: Keys, datasets: tuple[str, ...]) -> dict[str, Any]:
    """Return what the identity that writes needs, as JSON.

    Args:
        config: The destination's config.
        keys: The names of the export.
        datasets: The datasets that it has.

    Returns:
        `policy`; `role` and `policy_to_assume_it` where a role is assumed; `notes` on what no policy can say.
    """
    role = config.credentials.role_arn if config.credentials else None
    partition = partition_of(config.region, config.endpoint_url, config.bucket, config.kms_key_id, role)
    tagging = ["s3:PutObjectTagging"] if config.tags else []
    files = ["s3:PutObject", *tagging, "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    statements: list[dict[str, Any]] = []
    notes: list[str] = []
    if config.bucket.endswith(ALIAS):
        notes.append(
            f"bucket {config.bucket!r} is the alias of an access point: set bucket to its ARN to get a policy."
        )
    else:
        bucket, objects = bucket_arns(config.bucket, partition)
        statements += [
            allow("Files", files, [f"{objects}/{pattern}" for pattern in keys.patterns(datasets)]),
            # A condition on s3:prefix here would make S3 forbid the reading of what is not there.
            allow("Lists", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], [bucket]),
        ]
    if config.bucket.startswith("arn:"):
        notes.append("The bucket's own policy must let its access points decide, or allow the same.")
    found_key, told = key_statement(config.kms_key_id, ["kms:GenerateDataKey", "kms:Decrypt"], partition, config.region)
    found: dict[str, Any] = {"policy": policy_of([*statements, *found_key])} if statements else {}
    if role:
        found["role"] = role
        found["policy_to_assume_it"] = policy_of([allow("Role", ["sts:AssumeRole"], [role])])
    if notes or told:
        found["notes"] = [*notes, *told]
    return found
