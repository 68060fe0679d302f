"""Where each part of an export is written: in place, in words beside it, beside `export`, or in `defaults`."""

from __future__ import annotations

from collections.abc import Mapping

_HOPS = 3
"""An export takes from `defaults`, which may be written in words, which stand beside each other."""


class Origins:
    """Pointers of the long form, which is what is checked, and of the document as a person wrote it.

    Args:
        moved: Pointer in long form -> where that part is written, for all parts that are written elsewhere.
    """

    def __init__(self, moved: Mapping[str, str] | None = None) -> None:
        self.moved = dict(moved or {})

    def move(self, pointer: str, written: str) -> None:
        """Note that a part of the long form, with all below it, is written elsewhere."""
        self.moved[pointer] = written

    def written(self, pointer: str) -> str:
        """Where a part of the long form is written."""
        for _ in range(_HOPS if self.moved else 0):
            head, tail = pointer, ""
            while head and head not in self.moved:
                head, _, step = head.rpartition("/")
                tail = f"/{step}{tail}"
            if not head:
                break
            pointer = self.moved[head] + tail
        return pointer

    def of(self, *pointers: str) -> dict[str, str]:
        """What of it lies at or below these pointers."""
        return {
            pointer: written
            for pointer, written in self.moved.items()
            if any(f"{pointer}/".startswith(f"{each}/") for each in pointers)
        }
