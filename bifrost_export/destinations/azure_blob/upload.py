"""A blob that goes to Azure block by block."""

from __future__ import annotations

import base64
import hashlib
import secrets
from contextlib import AbstractContextManager
from typing import Any, Protocol

from bifrost_export.destinations.object_store.port import Stored


class Container(Protocol):
    """**Protocol.** What an upload asks of its container; `AzureStore` is one."""

    def blob(self, key: str) -> Any:
        """Return the client of a blob."""
        ...

    def putting(self, key: str) -> AbstractContextManager[None]:
        """Translate the errors of a put while the context is active."""
        ...

    def abort(self, key: str, upload: str) -> None:
        """Discard the blocks of an attempt."""
        ...


class BlockUpload:
    """Blocks of a blob that nobody sees until they are committed.

    Args:
        store: The container.
        key: The blob's name.
        arguments: What is said about the blob, as the client wants it.
    """

    def __init__(self, store: Container, key: str, arguments: dict[str, Any]) -> None:
        self.store, self.key, self.arguments = store, key, arguments
        self.blob = store.blob(key)
        self.size = 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        # A double of the task stages blocks of the same blob: each has names of its own, all of one length.
        self.attempt = secrets.token_hex(4)
        self.ids: list[str] = []

    def block(self, data: bytes) -> None:
        """Stage a block, with its checksum for the store to check on arrival."""
        name = base64.b64encode(f"{self.attempt}-{len(self.ids):05d}".encode()).decode()
        with self.store.putting(self.key):
            self.blob.stage_block(name, data, length=len(data), validate_content=True)
        self.ids.append(name)
        self.md5.update(data)
        self.size += len(data)

    def finish(self, data: bytes) -> Stored:
        """Stage the last block, and commit them all if the name is free."""
        from azure.core import MatchConditions
        from azure.storage.blob import BlobBlock

        self.block(data)
        self.arguments["content_settings"].content_md5 = bytearray(self.md5.digest())
        with self.store.putting(self.key):
            answer = self.blob.commit_block_list(
                [BlobBlock(name) for name in self.ids], match_condition=MatchConditions.IfMissing, **self.arguments
            )
        return Stored(self.key, self.size, f"etag:{answer['etag']}")

    def abandon(self) -> None:
        """Take the blocks away."""
        self.store.abort(self.key, self.attempt)
