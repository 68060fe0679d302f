"""Azure Blob Storage, through `WasbHook`."""

from __future__ import annotations

from typing import Any, ClassVar

from bifrost_export.destinations.azure_blob.config import AzureBlobConfig
from bifrost_export.destinations.object_store.destination import ObjectStoreDestination
from bifrost_export.destinations.object_store.port import ObjectStore


class AzureBlobDestination(ObjectStoreDestination):
    """Parts and manifests as blobs of one container."""

    kind: ClassVar[str] = "azure_blob"
    Config = AzureBlobConfig
    config: AzureBlobConfig

    def open_store(self) -> ObjectStore:
        """The container as a store; it signs in when first used."""
        from bifrost_export.destinations.azure_blob.store import AzureStore

        return AzureStore(self.config)

    def rights(self) -> dict[str, Any]:
        """The permissions of a SAS token, or the data actions of an identity and the role that holds them."""
        ends = ["read", "write", "delete", *(["tags/write"] if self.config.tags else [])]
        actions = [f"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/{end}" for end in ends]
        account = self.config.account_name or "<account>"
        scope = (
            "/subscriptions/<subscription>/resourceGroups/<group>/providers/Microsoft.Storage/storageAccounts/"
            f"{account}/blobServices/default/containers/{self.config.container}"
        )
        return {
            "container": self.config.container,
            "sas_permissions": "rcwdlt" if self.config.tags else "rcwdl",
            "predefined_role": "Storage Blob Data Owner" if self.config.tags else "Storage Blob Data Contributor",
            "scope": scope,
            "custom_role": {
                "Name": "Bifrost Export",
                "IsCustom": True,
                "Description": "Writes the parts and manifests of an export.",
                "Actions": [],
                "DataActions": actions,
                "AssignableScopes": [scope],
            },
        }

    def address(self, key: str) -> str:
        """`https://account.blob.core.windows.net/container/key`; `az://container/key` where only a connection knows."""
        config = self.config
        if config.endpoint_url:
            return f"{config.endpoint_url.rstrip('/')}/{config.container}/{key}"
        if config.account_name:
            return f"https://{config.account_name}.blob.core.windows.net/{config.container}/{key}"
        return f"az://{config.container}/{key}"
