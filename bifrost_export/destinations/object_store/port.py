"""The few small things that an object store brings; everything else about object stores is written once.

`object_store.py`, `commit.py` and the staging of runs are built on these.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


PROBE = "_bifrost_export_check"
"""Key of no object: reading it shows whether a store can be reached and the credentials are accepted."""

BLOCK = 5 * 1024 * 1024
"""Bytes of a file that are stored at once; a file of no more is put in one request."""

MOST = 32 * 1024 * 1024
"""Bytes of the largest object that is read at once."""


class KeyTakenError(Exception):
    """An object of that name is there already, or was when an answer was lost: look to know."""


class TooLargeError(Exception):
    """An object has more bytes than are read at once.

    Args:
        key: Its name.
        size: Its size.
    """

    def __init__(self, key: str, size: int) -> None:
        super().__init__(f"{key} has {size:,} bytes")
        self.size = size


class VersionChangedError(Exception):
    """A conditional put was refused, or its answer was lost: read again to know who won."""


class DeletionRefusedError(Exception):
    """The store keeps the object: retention, or no right to delete.

    Args:
        message: What it said.
        hint: What to do, where that is known.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Stored:
    """An object as the store describes it.

    Args:
        key: Its name.
        bytes: Its size.
        checksum: `<algorithm>:<value>` as the store computed it, or None where it keeps none.
    """

    key: str
    bytes: int
    checksum: str | None = None


@dataclass(frozen=True)
class PutOptions:
    """What is said about an object when it is put.

    Args:
        content_type: Its media type.
        metadata: Names and texts that the store keeps beside the object.
    """

    content_type: str
    metadata: tuple[tuple[str, str], ...] = ()


def sha256_of(stream: BinaryIO) -> str:
    """SHA-256 of a stream from where it stands to its end, in hex."""
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def sha256_at(store: ObjectStore, key: str) -> str | None:
    """SHA-256 of an object's bytes, in hex, or None where there is no such object."""
    stream = store.open(key)
    if stream is None:
        return None
    with stream:
        return sha256_of(stream)


class Upload(Protocol):
    """**Protocol.** An object on its way into a store, block by block.

    Every block but the last has `BLOCK` bytes, or a larger power of two times as many.
    """

    def block(self, data: bytes) -> None:
        """Store the next block; the store checks its checksum where it can."""
        ...

    def finish(self, data: bytes) -> Stored:
        """Store the last block, of one byte at least, and make the whole seen if its name is free.

        Raises:
            KeyTakenError: The name isn't free, or the upload is gone.
        """
        ...

    def abandon(self) -> None:
        """Take away what was stored of it, where the store lets us."""
        ...


class ObjectStore(Protocol):
    """**Protocol.** A store of named objects.

    Every method raises `DestinationError` for what a person must mend, and `DestinationUnavailableError` for what
    passes.
    """

    place: ClassVar[str]
    """What holds the objects: `bucket`, `container`, `folder`."""

    def sign_in(self) -> str:
        """Ask the store whether it knows us, without a right to anything in it; gives what to tell of it.

        Raises:
            DestinationUnavailableError: It doesn't answer.
            CredentialsRefusedError: It doesn't know us.
        """
        ...

    def find(self) -> str:
        """Look whether the bucket, container or folder is there; gives what to tell of it.

        Raises:
            DestinationError: It isn't.
        """
        ...

    def put(self, key: str, data: bytes, options: PutOptions) -> Stored:
        """Store bytes under a free name in one request, and compare the store's checksum with their own.

        Raises:
            KeyTakenError: The name isn't free.
        """
        ...

    def begin(self, key: str, options: PutOptions) -> Upload:
        """Begin to store a file that comes block by block; it is seen when its last block is stored, or never."""
        ...

    def put_if(self, key: str, data: bytes, seen: str | None, options: PutOptions) -> str:
        """Store a small object if its version is still `seen` (None: if there is none), and give the new version.

        Raises:
            VersionChangedError: It isn't, or no answer came.
        """
        ...

    def get(self, key: str, most: int = MOST) -> tuple[bytes, str] | None:
        """A small object's bytes and version, or None.

        Raises:
            TooLargeError: It has more than `most` bytes; they were not read.
        """
        ...

    def open(self, key: str) -> BinaryIO | None:
        """An object's bytes as a stream to read and close, or None."""
        ...

    def head(self, key: str) -> Stored | None:
        """What the store says of an object, or None."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`."""
        ...

    def list_uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Unfinished uploads, as (key that they would get, upload id), of keys that begin with `prefix`."""
        ...

    def abort(self, key: str, upload: str) -> None:
        """Take an unfinished upload away; one that is gone is fine."""
        ...

    def delete(self, key: str) -> None:
        """Take an object away; one that is gone is fine.

        Raises:
            DeletionRefusedError: The store keeps it.
        """
        ...

    def locked(self, key: str) -> AbstractContextManager[None]:
        """Hold a lock of that name, where the store has no conditional put of its own; else do nothing."""
        ...
