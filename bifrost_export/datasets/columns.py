"""The words in which a dataset says what its columns are, before any Arrow type is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

ColumnType = Literal["timestamp", "string", "int32", "int64", "double", "bool"]


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
    """

    name: str
    version: str
    columns: tuple[Column, ...]


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
    }
    return pa.schema([pa.field(each.name, types[each.type], nullable=not each.required) for each in columns])
