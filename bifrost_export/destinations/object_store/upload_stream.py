"""Store a file while it is written: a small one in one request, a large one block by block, in a thread beside.

At most two blocks are held, so that memory does not grow with the file, and nothing is written to a disk on the way.
"""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.object_store.port import BLOCK
from bifrost_export.errors import BifrostExportError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from bifrost_export.destinations.object_store.port import ObjectStore, PutOptions, Stored, Upload

GROWING = 2_500
"""After so many blocks they double, and so on: S3 takes 10,000 of them, so 183 GiB."""


class Writing(io.RawIOBase):
    """A stream whose bytes become an object when it is finished; else nothing is left.

    Args:
        store: The store.
        key: The object's name.
        options: What is said about it.
    """

    def __init__(self, store: ObjectStore, key: str, options: PutOptions) -> None:
        self.store, self.key, self.options = store, key, options
        self.size = 0
        self._digest = hashlib.sha256()
        self._held = bytearray()
        self._blocks = 0
        self._upload: Upload | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._storing: Future[None] | None = None

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hex."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        """It can be written to, in order."""
        return True

    def tell(self) -> int:
        """Bytes so far."""
        return self.size

    def write(self, data: Any) -> int:
        """Take the next bytes, in any object that is a buffer."""
        with memoryview(data) as view, view.cast("B") as taken:
            self._digest.update(taken)
            begin, length = 0, len(taken)
            while begin < length:
                # Only when more bytes come: the last block is never empty.
                if len(self._held) == self._block_size:
                    self._hand_on()
                end = begin + self._block_size - len(self._held)
                self._held += taken[begin:end]
                begin = end
        self.size += length
        return length

    @property
    def _block_size(self) -> int:
        return int(BLOCK) << (self._blocks // GROWING)

    def _hand_on(self) -> None:
        if self._upload is None:
            self._upload = self.store.begin(self.key, self.options)
            self._thread = ThreadPoolExecutor(1, "bifrost-export-upload")
        self._settle()
        assert self._thread is not None  # noqa: S101 (made with the upload)
        block, self._held = bytes(self._held), bytearray()
        self._storing = self._thread.submit(self._upload.block, block)
        self._blocks += 1

    def _settle(self) -> None:
        """Wait for the block that is being stored, and raise what went wrong."""
        storing, self._storing = self._storing, None
        if storing is not None:
            storing.result()

    def finish(self) -> Stored:
        """Store what is held, and make the object seen.

        Raises:
            KeyTakenError: The name isn't free.
            DestinationError: The store refuses.
            DestinationUnavailableError: It is likely to take it later.
        """
        try:
            if self._upload is None:
                return self.store.put(self.key, bytes(self._held), self.options)
            self._settle()
            stored = self._upload.finish(bytes(self._held))
        except BaseException as error:
            self.abandon(error)
            raise
        self._end()
        return stored

    def abandon(self, cause: BaseException) -> None:
        """Take away what was stored. An upload that the store keeps is named by the error that ended the writing.

        Args:
            cause: That error.
        """
        try:
            with suppress(Exception):
                self._settle()
        finally:
            self._end()
        upload, self._upload = self._upload, None
        if upload is not None:
            try:
                upload.abandon()
            except BifrostExportError as refusal:
                _name_left(cause, refusal)

    def _end(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()


def _name_left(cause: BaseException, refusal: BifrostExportError) -> None:
    """Add to an error that an upload was left, which later runs take away."""
    left = f"An unfinished upload could not be taken away ({refusal}); the next run of the window tries again."
    if isinstance(cause, BifrostExportError):
        cause.hint = f"{cause.hint.rstrip('.')}. {left}" if cause.hint else left
    else:
        cause.add_note(left)
