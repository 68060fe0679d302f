"""Cut a text file into blocks of whole rows, however long a row is: a block grows until one ends in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

BLOCK = 1 << 20
"""Bytes that are read at once; as many, and one row, are held."""


class Readable(Protocol):
    """**Protocol.** What can be read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""
        ...


def lines(source: Readable) -> Iterator[bytes]:
    """Blocks of whole lines."""
    return _cut(source, lambda block: block.rfind(b"\n"))


def records(source: Readable) -> Iterator[bytes]:
    """Blocks of whole CSV records: a line end between quotes is none."""
    import numpy as np

    is_quoted = False

    def last_end(block: bytes) -> int:
        nonlocal is_quoted
        found = np.frombuffer(block, np.uint8)
        quotes = np.cumsum(found == ord('"'), dtype=np.int32)
        ends = np.flatnonzero((found == ord("\n")) & ((quotes + is_quoted) % 2 == 0))
        is_quoted ^= bool(len(quotes) and quotes[-1] % 2)
        return int(ends[-1]) if len(ends) else -1

    return _cut(source, last_end)


def _cut(source: Readable, last_end: Callable[[bytes], int]) -> Iterator[bytes]:
    held: list[bytes] = []
    while block := source.read(BLOCK):
        end = last_end(block)
        if end < 0:
            held.append(block)
            continue
        yield b"".join((*held, block[: end + 1]))
        held = [block[end + 1 :]] if end + 1 < len(block) else []
    if held:
        yield b"".join(held)
