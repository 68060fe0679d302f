"""The types of columns that only the log store knows, as an export has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.columns import nearest_column

if TYPE_CHECKING:
    from bifrost_export.logstore.columns import LogColumnType


def column_types(
    wanted: Iterable[str], found: Mapping[str, str], type_of: Callable[[str], LogColumnType], place: str
) -> dict[str, LogColumnType]:
    """Return the type of each wanted column.

    Args:
        wanted: Columns that this package doesn't know.
        found: Column -> the database's type, of all that the table has.
        type_of: Reads a type of the database.
        place: The table, for messages.

    Raises:
        LogStoreError: The table has no such column.
    """
    types = {}
    for name in wanted:
        if name not in found:
            raise LogStoreError(
                f"data.extra_fields names {name!r}, and {place} has no such column",
                hint=nearest_column(name, found) or "Remove it from data.extra_fields.",
            )
        types[name] = type_of(found[name])
    return types
