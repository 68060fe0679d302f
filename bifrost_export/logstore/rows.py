"""Log rows as every log store hands them to the mapping: the same columns, whatever the database.

A number that is no number of its column's kind arrives as null, and `odd` says what stands there instead.
"""

from __future__ import annotations

import pyarrow as pa

REQUIRED = ("id", "timestamp", "status")
"""Columns without which a table is no log store; every other one may be missing in an older one."""

NUMBERS = ("latency", "prompt_tokens", "completion_tokens", "cost")
"""The columns that `odd` tells of, in its order."""

RAW = pa.schema(
    [
        ("id", pa.string()),
        ("customer_id", pa.string()),
        ("customer_ids", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("object_type", pa.string()),
        ("status", pa.string()),
        ("latency", pa.float64()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("recorded", pa.int64()),
        ("cost", pa.float64()),
        ("odd", pa.string()),
        ("error_details", pa.string()),
        ("params", pa.string()),
    ]
)
"""`customer_ids` only where `customer_id` is empty; `error_details` only where status is not success; `params` only of
passthrough rows; `recorded` is 1 where any token column, or `token_usage`, holds something; `odd` is null, or
`<type>:<bytes>` for each of `NUMBERS`, joined by commas."""


def odd_value(odd: str, column: str) -> tuple[str, int | None] | None:
    """What stands in a number's column: its type, and its length in bytes (None for a number)."""
    kind, _, length = odd.split(",")[NUMBERS.index(column)].partition(":")
    if kind in ("text", "blob"):
        return kind, int(length)
    return None if kind in ("null", "integer") or (kind == "real" and column in ("latency", "cost")) else (kind, None)


PREFIX = "extra_"
"""In front of the name of a column of `logs` that is exported under its own name."""

ODD = "extra_odd"
"""Tells where such a column is null since its value is none of its type: `<name>:<type>:<bytes>,` for each."""


def odd_shape(odd: str | None, source: str) -> tuple[str, int | None] | None:
    """What stands in an extra column in place of its type: its type, and its length in bytes (None for a number)."""
    for told in (odd or "").split(","):
        name, _, shape = told.partition(":")
        if name == source.removeprefix(PREFIX) and shape:
            kind, _, length = shape.partition(":")
            return kind, int(length) if kind in ("text", "blob") else None
    return None
