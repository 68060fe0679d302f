"""The least that an export needs of S3, as a policy to attach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.aws_policy import allow, policy_of

if TYPE_CHECKING:
    from bifrost_export.destinations.keys import Keys
    from bifrost_export.destinations.s3 import S3Config


def policy(config: S3Config, keys: Keys, datasets: tuple[str, ...]) -> dict[str, Any]:
    """The policy of the identity that writes, as JSON.

    Args:
        config: The destination's config.
        keys: The names of the export.
        datasets: The datasets that it has.
    """
    bucket = f"arn:aws:s3:::{config.bucket}"
    tagging = ["s3:PutObjectTagging"] if config.tags else []
    files = ["s3:PutObject", *tagging, "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    statements: list[dict[str, Any]] = [
        allow("Files", files, [f"{bucket}/{pattern}" for pattern in keys.patterns(datasets)]),
        # A condition on s3:prefix here would make S3 forbid the reading of what is not there.
        allow("Lists", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], [bucket]),
    ]
    if config.kms_key_id:
        key = config.kms_key_id
        named = [key] if key.startswith("arn:") else [f"arn:aws:kms:{config.region or '*'}:*:key/{key}"]
        statements.append(allow("Key", ["kms:GenerateDataKey", "kms:Decrypt"], named))
    found: dict[str, Any] = {"policy": policy_of(statements)}
    if config.credentials and config.credentials.role_arn:
        found["role"] = config.credentials.role_arn
        found["policy_to_assume_it"] = policy_of([allow("Role", ["sts:AssumeRole"], [config.credentials.role_arn])])
    return found
