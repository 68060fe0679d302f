"""What a warehouse brings: its SQL, its bulk path, and one transaction at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from bifrost_export.destinations.warehouse.dialect import FoundColumn
from bifrost_export.errors import DestinationUnavailableError

if TYPE_CHECKING:
    import datetime as dt
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bifrost_export.destinations.checks import Probe
    from bifrost_export.destinations.warehouse.dialect import Dialect
    from bifrost_export.destinations.warehouse.statements import Check, Do, Statement
    from bifrost_export.destinations.warehouse.tables import Column, Table

LOCK_SECONDS: Final = 60
"""How long a statement waits for a lock of another transaction before the run lets go and retries."""


class ConflictError(DestinationUnavailableError):
    """Another transaction stood in the way; the same one is likely to pass soon."""


class StagedGoneError(Exception):
    """What `load` has staged is not there any more.

    Args:
        key: What is missing.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


TABLE = "table"
"""What a table is that takes rows, as `FoundTable.kind` says it."""


@dataclass(frozen=True)
class FoundTable:
    """A table, or what stands in its place, as the warehouse describes it.

    Args:
        kind: `TABLE`, or the warehouse's word for something else.
        columns: By name.
        problems: Further reasons why no rows can be loaded into it.
    """

    kind: str
    columns: dict[str, FoundColumn]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class StagedFile:
    """A file that `load` has staged.

    Args:
        key: Its name.
        rows: Its rows.
        bytes: Its size.
    """

    key: str
    rows: int
    bytes: int


def moment(what: str) -> None:
    """Say that a request is about to leave, to whoever listens by `sys.addaudithook`: a trace, or a test that kills."""
    sys.audit("bifrost_export.warehouse", what)


class Engine(Protocol):
    """**Protocol.** A warehouse, signed in when first asked; `close` ends its session.

    Every method raises `DestinationError` for what a person must mend, and `DestinationUnavailableError` for what
    passes.
    """

    dialect: Dialect

    def query(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows that a statement gives, outside any transaction."""
        ...

    def execute(self, statement: Statement) -> None:
        """Run a statement, outside any transaction."""
        ...

    def waiting(self, table: str) -> AbstractContextManager[None]:
        """Statements inside wait for a table that others hold, but for no longer than a run waits.

        Raises:
            ConflictError: Somebody held it for longer.
        """
        ...

    def columns(self, table: str) -> dict[str, FoundColumn] | None:
        """A table's columns by name, or None where there is no such table."""
        ...

    def look(self, table: str) -> FoundTable | None:
        """A table with its kind, or None where nothing has that name."""
        ...

    def warnings(self, tables: Iterable[Table]) -> list[str]:
        """What a person should know of schema and tables before rows move.

        Args:
            tables: Those that a run writes.
        """
        ...

    def complete(self, table: Table) -> None:
        """Complete a table that a run has created which died before it was done with it."""
        ...

    def find(self) -> str:
        """Look whether the schema is there; gives what to tell of it.

        Raises:
            DestinationError: It isn't.
        """
        ...

    def create(self, table: Table) -> None:
        """Make a table where there is none, with comments."""
        ...

    def add(self, table: Table, columns: Sequence[Column]) -> None:
        """Add columns, which take null in the rows that are there."""
        ...

    def relax(self, table: Table, columns: Sequence[FoundColumn]) -> None:
        """Let columns take null from now on; asked only where the dialect `relaxes`."""
        ...

    def stage(self, name: str, file: Path, table: Table, rows: int) -> str:
        """Put a Parquet file where the warehouse reads it; gives its key. The same name again replaces it."""
        ...

    def unpack(self, table: Table, files: Sequence[StagedFile]) -> list[str]:
        """Bring staged files where a transaction reads them.

        Args:
            table: The table that they are for.
            files: In order; at least one.

        Returns:
            What may stand after FROM, each once; together they hold the rows of all files.

        Raises:
            StagedGoneError: One of them is not there.
            DestinationError: They hold other rows than were staged.
        """
        ...

    def transact(self, steps: Sequence[Do | Check], attempt: int) -> None:
        """Take all steps in one transaction, or none.

        Args:
            steps: In order; the first takes the lock.
            attempt: How many times these steps were tried before.

        Raises:
            ConflictError: Another transaction stood in the way.
            CheckFailedError: A check did not hold.
        """
        ...

    def job_id(self) -> str:
        """The warehouse's own name of the session or job that publishes."""
        ...

    def staged(self) -> list[str]:
        """The keys that other tokens have staged for this window."""
        ...

    def remove(self, keys: Iterable[str]) -> None:
        """Take staged files away; those that are gone are fine."""
        ...

    def clean_up(self, keep: dt.timedelta) -> None:
        """Take away what this run has staged, and what runs of any window have staged longer ago."""
        ...

    def probe_staging(self) -> str | Probe:
        """Put a file where `load` puts them, and take it away; gives what was found."""
        ...

    def close(self) -> None:
        """End the session."""
        ...
