"""Google Cloud Storage, through `GCSHook`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from bifrost_export.config.fields import ConnectionText, Strict
from bifrost_export.config.plain_texts import PlaceText
from bifrost_export.destinations.google_sign_in import GoogleCredentials
from bifrost_export.destinations.keys import Prefix
from bifrost_export.destinations.object_store import ObjectStoreDestination
from bifrost_export.destinations.place_names import check_gcs_bucket
from bifrost_export.destinations.store import ObjectStore
from bifrost_export.errors import ConfigError

PERMISSIONS = tuple(f"storage.objects.{name}" for name in ("create", "get", "list", "delete"))
"""What an export needs on its bucket. To replace an object is to delete one, in Google's book."""


class GCSConfig(Strict):
    """Keys of `destination.config` for `gcs`."""

    bucket: ConnectionText = Field(min_length=1, description="The bucket; it must exist.")
    prefix: Prefix = Field(default="", description="Folders; {year} {month} {day} {hour} {dataset} {export}.")
    project_id: PlaceText | None = Field(default=None, description="The project, where not the account's own.")
    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of credentials.")
    credentials: GoogleCredentials | None = Field(
        default=None, description="Without it and conn_id: the default chain."
    )
    storage_class: str | None = Field(default=None, description="Storage class of the parts, such as NEARLINE.")
    kms_key_name: PlaceText | None = Field(
        default=None, description="Cloud KMS key: projects/P/locations/L/keyRings/R/cryptoKeys/K."
    )
    verify: Literal["size", "full"] = Field(
        default="size", description="What is compared before the commit: size and checksum, or a re-reading."
    )

    @field_validator("bucket")
    @classmethod
    def _bucket_is_one(cls, value: str) -> str:
        check_gcs_bucket(value)
        return value

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> GCSConfig:
        if self.conn_id is not None and self.credentials is not None:
            raise ValueError("conn_id and credentials exclude each other: give one of them")
        return self

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield a key that is written out and is not a service account's."""
        if self.credentials is not None:
            yield from self.credentials.refused()


class GCSDestination(ObjectStoreDestination):
    """Parts and manifests as objects of one bucket."""

    kind: ClassVar[str] = "gcs"
    Config = GCSConfig
    config: GCSConfig

    def open_store(self) -> ObjectStore:
        """The bucket as a store; it signs in when first used."""
        from bifrost_export.destinations.gcs_store import GCSStore

        return GCSStore(self.config)

    def rights(self) -> dict[str, Any]:
        """The permissions on the bucket, the role of Google's own that holds them, and the key's."""
        rights: dict[str, Any] = {
            "bucket": f"gs://{self.config.bucket}",
            "permissions": list(PERMISSIONS),
            "predefined_role": "roles/storage.objectUser",
            "custom_role": {"title": "Bifrost Export", "stage": "GA", "includedPermissions": list(PERMISSIONS)},
        }
        if self.config.kms_key_name:
            rights["key"] = {
                "name": self.config.kms_key_name,
                "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
                "member": "the Cloud Storage service agent of the bucket's project",
            }
        return rights

    def address(self, key: str) -> str:
        """`gs://bucket/key`."""
        return f"gs://{self.config.bucket}/{key}"
