"""Amazon S3 and what speaks its language, through `S3Hook`."""

from __future__ import annotations

from typing import Any, ClassVar

from bifrost_export.destinations.object_store.destination import ObjectStoreDestination
from bifrost_export.destinations.object_store.port import ObjectStore
from bifrost_export.destinations.s3.config import S3Config


class S3Destination(ObjectStoreDestination):
    """Parts and manifests as objects of one bucket."""

    kind: ClassVar[str] = "s3"
    Config = S3Config
    config: S3Config

    def open_store(self) -> ObjectStore:
        """The bucket as a store; it signs in when first used."""
        from bifrost_export.destinations.s3.store import S3Store

        return S3Store(self.config)

    def rights(self) -> dict[str, Any]:
        """The policy to attach to the identity that writes."""
        from bifrost_export.destinations.s3.policy import policy

        return policy(self.config, self.keys, self.target.datasets)

    def address(self, key: str) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.config.bucket}/{key}"
