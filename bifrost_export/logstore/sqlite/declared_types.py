"""What a column of a SQLite table is exported as, by its declaration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bifrost_export.logstore.columns import LogColumnType

_TYPES: Final[dict[str, LogColumnType]] = {
    r"char|clob|text|json": "string",
    r"bool": "bool",
    r"date|time": "timestamp",
    # As GORM declares a truth value.
    r"numeric (true|false)$": "bool",
    r"real|floa|doub|numeric|decimal": "double",
    r"int": "int64",
}
"""Pattern -> type, the first that is found in the declared type and the default."""


def declared_type(declared: str) -> LogColumnType:
    """Return the type of a column; whatever is not recognized is text.

    Args:
        declared: Its declared type, a space, and its default.
    """
    own = declared.lower().rpartition(" ")[0]
    for pattern, type_ in _TYPES.items():
        if re.search(pattern, declared.lower() if "$" in pattern else own):
            return type_
    return "string"
