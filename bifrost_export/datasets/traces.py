"""`traces`: one span a request and a tool call, as trees under OpenTelemetry's names (contract, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.columns import Column
from bifrost_export.datasets.dataset import Dataset
from bifrost_export.datasets.error_logs import ERROR_TYPE, FALLBACK_INDEX, STATUS
from bifrost_export.datasets.request_logs import (
    COST,
    CUSTOMER_ID,
    INPUT_TOKENS,
    LATENCY,
    MODEL,
    OUTPUT_TOKENS,
    PROVIDER,
    REQUEST_CONTENT,
    REQUEST_ID,
    RESPONSE_CONTENT,
    STATUS_CODE,
    TIMESTAMP,
)
from bifrost_export.datasets.response_logs import SERVED_MODEL, STOP_REASON

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.datasets.dataset import Options

PARENT_REQUEST_ID = Column(
    "parent_request_id", "string", False, "Of a fallback attempt: the first attempt. Of a settlement: its request."
)
OBJECT_TYPE = Column("object_type", "string", False, "Bifrost's word for the kind of request.")
HIDDEN = Column("content_hidden", "bool", False, "Whether Bifrost keeps the contents out of its log.")
HIDDEN = Column("content_hidden", "bool", False, "Whether Bifrost keeps the contents out of its log.")
LINEAGE = (TIMESTAMP, REQUEST_ID, FALLBACK_INDEX, PARENT_REQUEST_ID)
"""What the place of a request in its trace is read from."""


def _spans(batch: pa.RecordBatch, schema: pa.Schema, data: Options) -> pa.RecordBatch:
    from bifrost_export.datasets.spans import request_spans

    return request_spans(batch, schema, data)


TRACES = Dataset(
    "traces",
    "1",
    (
        Column("trace_id", "string", True, "Id of the request that the trace begins with: its first attempt."),
        Column("span_id", "string", True, "Id of this attempt of a request, or of this tool call."),
        Column(
            "parent_span_id",
            "string",
            False,
            "Of a fallback attempt: the first attempt. Of a tool call: the attempt that called it. Of a batch's"
            " settlement: the request that fetched the results. Else null.",
        ),
        Column("name", "string", True, "What was done: `chat gpt-5`, `execute_tool web_search`."),
        Column("start_time", "timestamp", True, "Start, UTC, cut to microseconds."),
        Column("end_time", "timestamp", True, "Start and latency, UTC."),
        Column("status", "string", True, "`OK` or `ERROR`, as OpenTelemetry's status codes."),
        Column("attributes", "string", True, "A JSON object under OpenTelemetry's `gen_ai.*` names and `bifrost.*`."),
    ),
    reads=(
        *LINEAGE,
        *(OBJECT_TYPE, PROVIDER, MODEL, SERVED_MODEL, STOP_REASON, INPUT_TOKENS, OUTPUT_TOKENS, STATUS, STATUS_CODE),
        *(ERROR_TYPE, LATENCY, CUSTOMER_ID, COST),
    ),
    made_of_contents=(REQUEST_CONTENT, RESPONSE_CONTENT),
    make=_spans,
    told_as={
        "timestamp": "start_time",
        "request_id": "span_id",
        "parent_request_id": "parent_span_id",
        "llm_request_id": "parent_span_id",
        "tool_name": "name",
        "latency_ms": "end_time",
        "status_code": "status",
    },
)
