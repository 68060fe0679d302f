"""`response_logs`: how each request was answered (contract, section 4)."""

from __future__ import annotations

from bifrost_export.columns import Column
from bifrost_export.datasets.dataset import Dataset
from bifrost_export.datasets.request_logs import (
    LATENCY,
    MODEL,
    OUTPUT_TOKENS,
    PROVIDER,
    REQUEST_ID,
    RESPONSE_CONTENT,
    STATUS_CODE,
    TIMESTAMP,
)

STOP_REASON = Column("stop_reason", "string", False, "Why the answer ended: stop, length, tool_calls and the like.")
STREAM = Column("stream", "bool", False, "Whether the answer was streamed.")
SERVED_MODEL = Column("served_model", "string", False, "The model that the answer names, when it is another one.")

RESPONSE_LOGS = Dataset(
    "response_logs",
    "1",
    (
        *(TIMESTAMP, REQUEST_ID, PROVIDER, MODEL, STATUS_CODE, LATENCY, OUTPUT_TOKENS),
        *(STOP_REASON, STREAM, SERVED_MODEL),
    ),
    contents=(RESPONSE_CONTENT,),
)
