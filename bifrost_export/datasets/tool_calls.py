"""The rows of `mcp_tool_logs` as they are read for `traces`: one a tool call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.columns import Column
from bifrost_export.datasets import traces
from bifrost_export.datasets.error_logs import ERROR_TYPE, STATUS
from bifrost_export.datasets.request_logs import COST, CUSTOMER_ID, LATENCY, REQUEST_ID, TIMESTAMP

if TYPE_CHECKING:
    from bifrost_export.datasets.dataset import Options

TRACES = traces.TRACES.name
"""The dataset that tool calls are read for."""

LLM_REQUEST_ID = Column("llm_request_id", "string", False, "The request whose answer called the tool.")
TRACE_ID = Column("trace_id", "string", True, "The trace of that request; the call's own id without one.")
IS_REMOVED = Column("is_removed", "bool", True, "Whether the filters remove that request, so that the call goes, too.")
FOUND = (TRACE_ID, IS_REMOVED)
"""What is found out about the request of each call."""

ARGUMENTS = Column("tool_arguments", "string", False, "What the tool was given.")
RESULT = Column("tool_result", "string", False, "What the tool answered.")

_OWN = (
    *(TIMESTAMP, REQUEST_ID, LLM_REQUEST_ID, CUSTOMER_ID, LATENCY, STATUS, ERROR_TYPE, COST),
    Column("tool_name", "string", False, "The tool."),
    Column("server_label", "string", False, "The MCP server that has it."),
)


def reads_tool_calls(data: Options) -> bool:
    """Whether an export needs rows of `mcp_tool_logs`."""
    return TRACES in data.include


def tool_call_columns(data: Options) -> tuple[Column, ...]:
    """The columns that are read of each call: its own, then what the export asks for, as far as the table has it."""
    own = {column.name for column in _OWN}
    extra = (Column(each, data.type_of(each), False, "") for each in data.extra_fields if each not in own)
    return (*_OWN, *((ARGUMENTS, RESULT) if data.include_content else ()), *extra)
