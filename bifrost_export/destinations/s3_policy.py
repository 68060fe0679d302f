"""The least that an export needs of S3, as a policy to attach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.aws_policy import allow, bucket_arns, key_statement, partition_of, policy_of

if TYPE_CHECKING:
    from bifrost_export.destinations.keys import Keys
    from bifrost_export.destinations.s3 import S3Config

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
