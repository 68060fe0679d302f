"""Offload payloads as Bifrost does: rows lose their payload columns, and objects of its layout get them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bifrost_export.window import UTC, parse_instant

PAYLOAD_COLUMNS = ("input_history", "output_message", "params", "error_details", "raw_request")
"""Some of the columns that Bifrost offloads; `token_usage` stays in the row too, as of its newer releases."""
PREFIX = "bifrost"


def offloaded(
    rows: Iterable[Mapping[str, Any]], prefix: str = PREFIX, compress: bool = True
) -> Iterator[tuple[dict[str, Any], str, bytes]]:
    """Each row as it stays in the log store, with the key and the bytes of its object.

    Args:
        rows: Rows of `logs`, their `timestamp` as text in UTC.
        prefix: Of the object storage.
        compress: As in `object_storage`.
    """
    for row in rows:
        key = f"{prefix}/logs/{_hour(row)}/{row['id']}.json.gz"
        payload = {name: row.get(name) or "" for name in PAYLOAD_COLUMNS}
        payload |= {name: str(row[name]) for name in ("provider", "model", "status") if row.get(name)}
        data = json.dumps(payload).encode()
        left = {name: value for name, value in row.items() if name not in PAYLOAD_COLUMNS}
        yield {**left, "has_object": True}, key, gzip.compress(data, mtime=0) if compress else data


CALL_VALUES = ("arguments", "result", "error_details", "metadata")
"""What the object of a tool call holds as values, and its row as their JSON text."""


def offloaded_calls(
    rows: Iterable[Mapping[str, Any]], prefix: str = PREFIX, compress: bool = False
) -> Iterator[tuple[dict[str, Any], str, bytes]]:
    """The same of tool calls, whose objects are the whole row, with values in place of JSON texts.

    Args:
        rows: Rows of `mcp_tool_logs`, their `timestamp` as text in UTC.
        prefix: Of the object storage.
        compress: As in `object_storage`.
    """
    for row in rows:
        payload = {name: value for name, value in row.items() if name not in CALL_VALUES}
        payload |= {name: json.loads(str(row[name])) for name in CALL_VALUES if row.get(name)}
        data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        left = {**row, "has_object": True, **{name: "" for name in CALL_VALUES if row.get(name)}}
        key = f"{prefix}/mcp-logs/{_hour(row)}/{row['id']}.json.gz"
        yield left, key, gzip.compress(data, mtime=0) if compress else data


def _hour(row: Mapping[str, Any]) -> str:
    moment = parse_instant(str(row["timestamp"]).replace(" ", "T", 1)).astimezone(UTC)
    return f"{moment:%Y/%m/%d/%H}"
