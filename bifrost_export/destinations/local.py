"""Files on this machine: the embedded default, and the destination to try things with."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from bifrost_export.config.fields import PathText, Strict
from bifrost_export.destinations.keys import Prefix
from bifrost_export.destinations.object_store import ObjectStoreDestination
from bifrost_export.destinations.store import ObjectStore


class LocalConfig(Strict):
    """Keys of `destination.config` for `local`."""

    path: PathText = Field(min_length=1, description="The folder that keys are relative to; it is made.")
    prefix: Prefix = Field(default="", description="Folders below it; {year} {month} {day} {hour} {dataset} {export}.")
    verify: Literal["size", "full"] = Field(default="size", description="What is compared before the commit.")


class LocalDestination(ObjectStoreDestination):
    """Parts and manifests as files below `path`."""

    kind: ClassVar[str] = "local"
    Config = LocalConfig
    config: LocalConfig

    def open_store(self) -> ObjectStore:
        """The folder as a store."""
        from bifrost_export.destinations.local_store import LocalStore

        return LocalStore(Path(self.config.path))

    def address(self, key: str) -> str:
        """The file's path."""
        return str(Path(self.config.path, key))
