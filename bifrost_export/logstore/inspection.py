"""What a log store says of itself beside its rows: whether they are all there, and what this package does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bifrost_export.logstore.columns import LogColumnType
    from bifrost_export.window import Window


NOT_EXPORTED = {"agent_logs": "A2A operations"}
"""Tables of requests in newer log stores that no dataset is made of, each with what it holds."""


@dataclass(frozen=True)
class Remark:
    """A finding that a person should know of, though the log store can be read.

    Args:
        message: What was found.
        hint: What to do if it is not meant.
    """

    message: str
    hint: str


class Inspected(Protocol):
    """A log store that can be inspected."""

    def column_types(self, names: Sequence[str]) -> dict[str, LogColumnType]:
        """Return the types of columns of `logs` that this package doesn't know.

        Raises:
            LogStoreError: The table lacks one of them.
        """
        ...

    def kinds(self, window: Window) -> list[tuple[str, str, int]]:
        """Return each pair of `object_type` and `status` in about a window, with how many rows have it."""
        ...

    def remarks(self) -> list[Remark]:
        """Ways in which rows may be missing here without an error: a view, another server's copy."""
        ...

    def has_table(self, name: str) -> bool:
        """Return whether a table of this name is beside `logs`."""
        ...

    def caught_up(self, until: dt.datetime) -> str | None:
        """Check that what was committed up to a time can be read here.

        Args:
            until: The time.

        Returns:
            How far a copy has followed its original, in words; None where this is the original.

        Raises:
            LogStoreBusyError: A copy lags behind that time, or can't prove that it doesn't.
        """
        ...
