"""Google Cloud Storage, through `GCSHook`."""

from __future__ import annotations

from typing import Any, ClassVar

from bifrost_export.destinations.gcs.config import GCSConfig
from bifrost_export.destinations.object_store.destination import ObjectStoreDestination
from bifrost_export.destinations.object_store.port import ObjectStore

PERMISSIONS = tuple(f"storage.objects.{name}" for name in ("create", "get", "list", "delete"))
"""What an export needs on its bucket. To replace an object is to delete one, in Google's book."""


class GCSDestination(ObjectStoreDestination):
    """Parts and manifests as objects of one bucket."""

    kind: ClassVar[str] = "gcs"
    Config = GCSConfig
    config: GCSConfig

    def open_store(self) -> ObjectStore:
        """The bucket as a store; it signs in when first used."""
        from bifrost_export.destinations.gcs.store import GCSStore

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
