"""The words in which a dataset says what its columns are, before any Arrow type is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa

    from bifrost_export.config.models.export import Data

ColumnType = Literal["timestamp", "string", "int32", "int64", "double", "bool", "date"]


@dataclass(frozen=True)
class Column:
    """One column of a dataset.

    Args:
        name: Its name.
        type: `timestamp` has microseconds and is in UTC.
        required: Whether it never holds null.
        description: What it says, for the data dictionary.
    """

    name: str
    type: ColumnType
    required: bool
    description: str

    def to_json(self) -> dict[str, Any]:
        """The column as manifests tell it: what a reader's schema depends on, without the words."""
        return {"name": self.name, "type": self.type, "required": self.required}


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
    make: Callable[[pa.RecordBatch, pa.Schema, Data], pa.RecordBatch] | None = None
    told_as: Mapping[str, str] = field(default_factory=dict)


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The Arrow schema of columns: required ones are not nullable."""
    import pyarrow as pa

    types = {
        "timestamp": pa.timestamp("us", tz="UTC"),
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "date": pa.date32(),
    }
    return pa.schema([pa.field(each.name, types[each.type], nullable=not each.required) for each in columns])
