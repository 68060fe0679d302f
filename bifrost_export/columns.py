"""A column of rows: its name, type and description, from which its Arrow field is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


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
