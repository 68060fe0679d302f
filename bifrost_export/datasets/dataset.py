"""What a dataset is: its columns, the rows that it takes of the reading, and how it is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bifrost_export.columns import Column, ColumnType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from bifrost_export.filters.config import Filters


class Options(Protocol):
    """**Protocol.** The keys of `data` that decide what is read, and what a dataset's rows hold."""

    @property
    def include(self) -> tuple[str, ...]:
        """The datasets to export."""
        ...

    @property
    def filters(self) -> Filters:
        """Which rows to export."""
        ...

    @property
    def extra_fields(self) -> tuple[str, ...]:
        """Columns of `logs` to add, by name."""
        ...

    @property
    def include_content(self) -> bool:
        """Whether requests and responses are exported with their contents."""
        ...

    def type_of(self, name: str) -> ColumnType:
        """Return the type of an extra field."""
        ...


@dataclass(frozen=True)
class Dataset:
    """A dataset.

    Args:
        name: The word in `data.include`.
        version: Of its columns; it changes whenever they do.
        columns: In their order.
        staged: The columns of its rows before they are grouped; none where they are not grouped.
        reads: Columns of the reading that it is made of beside its own.
        contents: Columns that `data.include_content` adds.
        made_of_contents: Columns of the reading that it is made of where `data.include_content` asks for contents.
        takes: Which rows of the reading it takes; all of them without it.
        with_extra: Whether `data.extra_fields` are added to its columns.
        make: Makes its rows of those of the reading, which then has `reads` and what an export asks for beside them,
            in place of the dataset's own columns; without it they are the columns of the same names.
        told_as: Column of the reading -> the dataset's that a rejected row is told by, where it is another one.
    """

    name: str
    version: str
    columns: tuple[Column, ...]
    staged: tuple[Column, ...] = ()
    reads: tuple[Column, ...] = ()
    contents: tuple[Column, ...] = ()
    made_of_contents: tuple[Column, ...] = ()
    takes: Callable[[pa.RecordBatch], pa.Array] | None = None
    with_extra: bool = True
    make: Callable[[pa.RecordBatch, pa.Schema, Options], pa.RecordBatch] | None = None
    told_as: Mapping[str, str] = field(default_factory=dict)
