"""The bytes of an object as they arrive; what breaks on the way is told like every other fault of the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any


class Download:
    """A stream to read and close.

    Args:
        body: The client's stream: it has `read` and `close`.
        told: Turns the client's errors into the tree's.
        everything: The size by which the client's stream reads all that is left.
    """

    def __init__(
        self, body: Any, told: Callable[[], AbstractContextManager[None]], everything: int | None = -1
    ) -> None:
        self.body = body
        self.told = told
        self.everything = everything

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes, all that are left when it is negative."""
        with self.told():
            return bytes(self.body.read(self.everything if size < 0 else size))

    def close(self) -> None:
        """Give the connection back."""
        self.body.close()

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
