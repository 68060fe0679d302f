"""A stream that hashes what is written through it."""

from __future__ import annotations

import hashlib
import io
from typing import Any, BinaryIO, Protocol


class Hashing(Protocol):
    """**Protocol.** A stream to write to that knows the SHA-256 of its bytes, so that nobody hashes them again."""

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hex."""
        ...

    def write(self, data: Any, /) -> int:
        """Take the next bytes, in any object that is a buffer."""
        ...


class HashedStream(io.RawIOBase):
    """Hands bytes on in order, and knows their SHA-256.

    Args:
        stream: Gets them. Whoever opened it closes it.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._size = 0

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hex."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        """Return True: it is written to, in order."""
        return True

    def tell(self) -> int:
        """Return the number of bytes so far."""
        return self._size

    def write(self, data: Any) -> int:
        """Hand on the next bytes, in any object that is a buffer."""
        with memoryview(data) as view, view.cast("B") as taken:
            self._digest.update(taken)
            self._stream.write(taken)
            self._size += len(taken)
            return len(taken)

    def flush(self) -> None:
        """Let the stream below write what it holds."""
        if not self.closed:
            self._stream.flush()
