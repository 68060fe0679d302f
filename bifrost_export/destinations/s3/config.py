"""Keys of `destination.config` for `s3`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bifrost_export import trust
from bifrost_export.destinations.bucket_names import check_amazons_bucket, check_endpoint, check_s3_bucket, is_amazons
from bifrost_export.destinations.object_store.keys import Prefix
from bifrost_export.destinations.object_store.tags import Tags
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, Strict
from bifrost_export.fields.plain_text import KeyText, PlaceText
from bifrost_export.fields.reference_text import has_references, references_in

ENDPOINT = "destination.config.endpoint_url"


ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects can't be read at once."""


class S3Credentials(Strict):
    """Keys of `credentials` for `s3`."""

    access_key_id: KeyText | None = Field(default=None, description="Access key id.")
    secret_access_key: KeyText | None = Field(default=None, description="Secret access key.")
    session_token: KeyText | None = Field(default=None, description="Session token of temporary credentials.")
    role_arn: PlaceText | None = Field(default=None, description="A role to assume.")

    @model_validator(mode="after")
    def _both_or_neither(self) -> S3Credentials:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together: give both or neither")
        return self


class S3Config(Strict):
    """Keys of `destination.config` for `s3`."""

    bucket: ConnectionText = Field(min_length=1, description="The bucket; it must exist.")
    region: PlaceText | None = Field(default=None, description="The bucket's region.")
    prefix: Prefix = Field(default="", description="Folders; {year} {month} {day} {hour} {dataset} {export}.")
    endpoint_url: PlaceText | None = Field(default=None, description="Address of an S3-compatible store.")
    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of credentials.")
    credentials: S3Credentials | None = Field(default=None, description="Without it and conn_id: the default chain.")
    storage_class: str | None = Field(default=None, description="Storage class of the parts, such as STANDARD_IA.")
    kms_key_id: PlaceText | None = Field(default=None, description="KMS key that the parts are encrypted with.")
    sse: Literal["AES256", "aws:kms"] | None = Field(
        default=None, description="Server-side encryption of parts and manifests; aws:kms when kms_key_id is given."
    )
    checksums: Literal["required", "when_supported", "off"] = Field(
        default="required",
        description="required: SHA-256 with each put; when_supported: less where a store refuses it; off: none.",
    )
    tags: Tags = Field(default={}, description="Tags of the parts.")
    verify: Literal["size", "full"] = Field(
        default="size", description="What is compared before the commit: size and checksum, or a re-reading."
    )

    @field_validator("endpoint_url")
    @classmethod
    def _endpoint_is_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            check_endpoint(value, info.data.get("bucket"))
        return value

    @field_validator("bucket")
    @classmethod
    def _bucket_is_one(cls, value: str) -> str:
        check_s3_bucket(value)
        return value

    @model_validator(mode="after")
    def _bucket_is_one_of_amazons(self) -> S3Config:
        if is_amazons(self.endpoint_url, self.conn_id) and not any(references_in(self.bucket)):
            check_amazons_bucket(self.bucket)
        return self

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> S3Config:
        if self.conn_id is not None and self.credentials is not None:
            raise ValueError("conn_id and credentials exclude each other: give one of them")
        if self.storage_class in ARCHIVES and self.verify == "full":
            raise ValueError(f"verify: full can't read what storage_class: {self.storage_class} puts away: use size")
        if self.sse == "AES256" and self.kms_key_id is not None:
            raise ValueError(
                "sse: AES256 and kms_key_id exclude each other: use sse: aws:kms, or leave one of them out"
            )
        return self

    @property
    def sent_in_clear(self) -> str | None:
        """What a request carries in clear beside its signature, in words."""
        keys = self.credentials
        return trust.secret_of_aws(
            conn_id=self.conn_id,
            has_keys=keys is not None and keys.access_key_id is not None,
            has_token=keys is not None and keys.session_token is not None,
        )

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield the endpoint when a secret would reach it that nobody vouches for; a connection may name it, too."""
        secret = self.sent_in_clear
        if self.endpoint_url and self.conn_id is None and secret and not has_references(self.endpoint_url):
            yield from trust.refusal("endpoint_url", trust.of_url(self.endpoint_url), "AWS", ENDPOINT, secret)
