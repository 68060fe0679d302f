"""Files on this machine: the embedded default, and the destination to try things with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from bifrost_export.destinations.checks import Probe
from bifrost_export.destinations.object_store.destination import ObjectStoreDestination
from bifrost_export.destinations.object_store.keys import Prefix
from bifrost_export.destinations.object_store.port import ObjectStore
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import PathText, Strict


class LocalConfig(Strict):
    """Keys of `destination.config` for `local`."""

    path: PathText = Field(min_length=1, description="The folder that keys are relative to; it is made.")
    prefix: Prefix = Field(default="", description="Folders below it; {year} {month} {day} {hour} {dataset} {export}.")
    verify: Literal["size", "full"] = Field(default="size", description="What is compared before the commit.")


class LocalDestination(ObjectStoreDestination):
    """Parts and manifests as files below `path`."""

    kind: ClassVar[str] = "local"
    is_local: ClassVar[bool] = True
    Config = LocalConfig
    config: LocalConfig

    def open_store(self) -> ObjectStore:
        """The folder as a store."""
        from bifrost_export.destinations.local.store import LocalStore

        return LocalStore(Path(self.config.path))

    def key_of(self, address: str) -> str:
        """The key of a file by its path, or by its key."""
        root = Path(self.config.path).expanduser().absolute()
        path = Path(address.removeprefix("file://")).expanduser()
        if not path.is_absolute() and not path.exists():
            return address
        try:
            return path.absolute().relative_to(root).as_posix()
        except ValueError:
            raise ConfigError(f"{path.absolute()} does not lie below {root}", allowed="a file below it") from None

    def check(self) -> Iterator[Probe]:
        """As every object store; folders that were made for the probes go with them."""
        root = Path(self.config.path).expanduser().absolute()
        made = [each for each in (root, *root.parents) if not each.exists()]
        try:
            yield from super().check()
        finally:
            for each in made:
                with suppress(OSError):  # not empty, or never made
                    each.rmdir()

    def address(self, key: str) -> str:
        """The file's path."""
        return str(Path(self.config.path, key))
