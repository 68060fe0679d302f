"""What was asked and answered, as one JSON object each, by the columns of `logs` that hold it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from bifrost_export.logstore.columns import REQUEST_CONTENTS, RESPONSE_CONTENTS
from bifrost_export.logstore.oddities import Odd
from bifrost_export.logstore.repair import whole_text
from bifrost_export.logstore.rows import CONTENT

COLUMNS: Final = {"request_content": REQUEST_CONTENTS, "response_content": RESPONSE_CONTENTS}
"""The columns of a dataset that hold contents, and the columns of `logs` that each is made of."""

SINGLE: Final = {"tool_arguments": "arguments", "tool_result": "result"}
"""The same of tool calls: each is one column of `mcp_tool_logs` as it stands."""


def content_sources(schema: pa.Schema) -> list[str]:
    """The columns of a table whose contents are wanted; a log store gives each as `content_<name>`."""
    joined = [source for name, sources in COLUMNS.items() if name in schema.names for source in sources]
    return [*joined, *(source for name, source in SINGLE.items() if name in schema.names)]


def map_contents(rows: pa.RecordBatch, schema: pa.Schema, odd: Odd) -> dict[str, pa.Array]:
    """The contents that a schema wants; null where a row holds none, or hides them.

    Args:
        rows: As a log store gives them.
        schema: What is wanted.
        odd: Gets the rows whose contents are repaired.
    """
    joined = {name: _joined(rows, name, sources, odd) for name, sources in COLUMNS.items() if name in schema.names}
    single = {name: source for name, source in SINGLE.items() if name in schema.names}
    return joined | {name: _single(rows, name, source, odd) for name, source in single.items()}


def _joined(rows: pa.RecordBatch, name: str, sources: Sequence[str], odd: Odd) -> pa.Array:
    """Objects of what is there, in the order of the columns."""
    members: list[list[str]] = [[] for _ in range(len(rows))]
    for source in sources:
        text = whole_text(rows.column(CONTENT + source))
        odd.repair(name, text.broken)
        there = pc.fill_null(pc.not_equal(text.values, ""), False)
        for row in pc.indices_nonzero(there).to_pylist():
            members[row].append(f'"{source}":{_value(text.values[row].as_py())}')
    return pa.array([f"{{{','.join(each)}}}" if each else None for each in members], pa.string())


def _single(rows: pa.RecordBatch, name: str, source: str, odd: Odd) -> pa.Array:
    text = whole_text(rows.column(CONTENT + source))
    odd.repair(name, text.broken)
    return pc.if_else(pc.equal(text.values, ""), pa.scalar(None, pa.string()), text.values)


def _value(text: str) -> str:
    """A text as a value of JSON: as it stands where it is JSON itself, else in quotes."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.dumps(text, ensure_ascii=False)
    return text
