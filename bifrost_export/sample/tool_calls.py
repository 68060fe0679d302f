"""The sample's rows of `mcp_tool_logs`: what the gateway's tools were asked to do after an answer had called them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bifrost_export.sample.arrays import decimals, flags, instants, mixed, texts, uuids
from bifrost_export.sample.catalog import TOOL_FAILURE, TOOLS

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.sample.curves import Array

_SHARED = (
    *("virtual_key_id", "virtual_key_name", "user_id", "user_name", "team_id", "team_name", "customer_id"),
    *("customer_name", "customer_ids", "customer_names", "business_unit_id", "business_unit_name", "project_id"),
    *("project_name", "budget_ids", "rate_limit_ids", "app", "user_agent"),
)
EMPTY = ("plugin_logs", "redaction_mapping")
"""Columns of `mcp_tool_logs` that hold an empty text in every row of the sample."""

_EXECUTED_SHARE, _FAILED_SHARE = 0.6, 0.03


def columns(
    random: np.random.Generator, logs: dict[str, pa.Array], called: Array, words: Array, ends: Array, last: int
) -> dict[str, pa.Array]:
    """The tool calls that follow a chunk of requests.

    Args:
        random: What is drawn from.
        logs: The columns of the requests.
        called: Whether each request's answer called a tool.
        words: The random words of their ids.
        ends: When each request ended, in nanoseconds since 1970 UTC.
        last: The first instant after the sample.

    Returns:
        Every column that the sample fills.
    """
    asked = np.flatnonzero(called & (random.random(len(called)) < _EXECUTED_SHARE) & (ends < last))
    count = len(asked)
    names = logs["tool_call_names"].take(asked).to_pylist()
    by_name = {name: number for number, (_, name, _, _) in enumerate(TOOLS)}
    tool = np.array([by_name[name] for name in names], np.int64)
    failed = random.random(count) < _FAILED_SHARE
    latency = (random.lognormal(4.5, 1.0, count) * 1e6).astype(np.int64)
    start = instants(ends[asked])
    own = mixed(words[asked, 0])
    return {
        "id": uuids(own),
        "request_id": uuids(own[:, ::-1]),
        "llm_request_id": logs["id"].take(asked),
        "timestamp": start,
        "tool_name": texts([name for _, name, _, _ in TOOLS], tool),
        "server_label": texts([server for server, _, _, _ in TOOLS], tool),
        **{name: logs[name].take(asked) for name in _SHARED},
        "arguments": texts([arguments for _, _, arguments, _ in TOOLS], tool),
        "result": texts([*(result for _, _, _, result in TOOLS), ""], np.where(failed, len(TOOLS), tool)),
        "error_details": texts(("", TOOL_FAILURE), failed.astype(np.int64)),
        "latency": decimals(latency, 6),
        "cost": decimals(np.full(count, 1_000_000), 9, tool != by_name["web_search"]),
        "status": texts(("success", "error"), failed.astype(np.int64)),
        "metadata": texts(("{}",), np.zeros(count, np.int64)),
        "has_object": flags(np.zeros(count, bool)),
        "created_at": start,
        "source": texts(("",), np.zeros(count, np.int64)),
    }
