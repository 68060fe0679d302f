"""What a log store may say beside its rows, and what is said for one that lacks a method."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.port import LogStore, Reading, Totals

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import pyarrow as pa

    from bifrost_export.filters.config import Filters
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


class Payloads(Protocol):
    """**Protocol.** Access to the object storage that holds offloaded payloads."""

    @property
    def is_named(self) -> bool:
        """Whether the source names an object storage."""
        ...

    def probe(self) -> str:
        """Return what a trial read found; raises a `LogStoreError` where there is no access."""
        ...


class NoPayloads:
    """The payloads of a log store whose rows are complete."""

    is_named = False

    def probe(self) -> str:
        """Return that there is nothing to read."""
        return "no payload is offloaded"


class Inspected(Protocol):
    """**Protocol.** The methods that a log store may lack, with what they do for one that lacks them."""

    offloaded: Payloads = NoPayloads()

    @classmethod
    def sql(
        cls,
        window: Window,
        schema: pa.Schema,
        tool_calls: pa.Schema | None = None,
        filters: Filters | None = None,
    ) -> list[str]:
        """Return what a run of the window asks a log store that has all columns, in order; nothing is opened.

        Args:
            window: The window.
            schema: What `read` is asked for.
            tool_calls: What `read_tool_calls` is asked for; None where it isn't called.
            filters: What `read` is asked for.
        """
        return []

    def unplaced(self) -> int:
        """Count the rows of the whole table whose time can't be read from `timestamp` nor from `created_at`."""
        return 0

    def count_tool_calls(self, window: Window) -> Totals:
        """Return what a window holds of `mcp_tool_logs`; nothing where there is no such table."""
        return Totals()

    def unplaced_tool_calls(self) -> int:
        """Count as `unplaced` does, of `mcp_tool_logs`."""
        return 0

    def read_tool_calls(self, window: Window, schema: pa.Schema) -> Reading:
        """Read the tool calls of one slice, as `read` reads its requests.

        Args:
            window: The slice.
            schema: `timestamp`, `request_id` (the call's own), and columns that both tables have, or `mcp_tool_logs`
                alone. What only `logs` has is null.
        """
        return Reading(Totals(), iter(()))

    def column_types(self, names: Sequence[str]) -> dict[str, LogColumnType]:
        """Return the types of columns of `logs` that this package doesn't know.

        Raises:
            LogStoreError: The table lacks one of them.
        """
        if names:
            raise LogStoreError(
                f"this log store doesn't know the columns {', '.join(names)}",
                allowed="columns of logs that this version knows",
                hint="Fix data.extra_fields.",
            )
        return {}

    def kinds(self, window: Window) -> list[tuple[str, str, int]]:
        """Return each pair of `object_type` and `status` in about a window, with how many rows have it."""
        return []

    def remarks(self) -> list[Remark]:
        """Return ways in which rows may be missing here without an error: a view, another server's copy."""
        return []

    def has_table(self, name: str) -> bool:
        """Return whether a table of this name is beside `logs`."""
        return False

    def newest(self) -> dt.datetime | None:
        """Return the time of the newest row, whatever its status; None without a row whose time can be read."""
        return None

    def is_indexed(self) -> bool | None:
        """Return whether an index finds the rows of a window by their time, so that not the whole table is read.

        None where that can't be told: the indexes of a view are those of its tables.
        """
        return None

    def caught_up(self, until: dt.datetime) -> str | None:
        """Check that what was committed up to a time can be read here.

        Args:
            until: The time.

        Returns:
            How far a copy has followed its original, in words; None where this is the original.

        Raises:
            LogStoreBusyError: A copy lags behind that time, or can't prove that it doesn't.
        """
        return None


class OpenLogStore(Inspected, LogStore, Protocol):
    """**Protocol.** A log store with all methods: what the pipeline works with."""


def with_defaults(kind: type[Any]) -> type[Any]:
    """Return a log store's class, with the methods of `Inspected` in the place of those that it lacks."""
    if Inspected in kind.__mro__:
        return kind
    return types.new_class(kind.__name__, (kind, Inspected))


def answers(log_store: OpenLogStore, question: str) -> bool:
    """Return whether a log store has a method of `Inspected` itself."""
    return getattr(type(log_store), question) is not getattr(Inspected, question)
