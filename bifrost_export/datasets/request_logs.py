"""`request_logs`: one record a request, as the published description shows it (contract, section 4)."""

from __future__ import annotations

from bifrost_export.columns import Column
from bifrost_export.datasets.dataset import Dataset

TIMESTAMP = Column("timestamp", "timestamp", True, "Start of the request, UTC, cut to microseconds.")
REQUEST_ID = Column("request_id", "string", True, "Id of this attempt of the request.")
CUSTOMER_ID = Column("customer_id", "string", True, "The customer, else the first of several, else ''.")
PROVIDER = Column("provider", "string", True, "The provider that was asked.")
MODEL = Column("model", "string", True, "The model, with aliases resolved.")
STATUS_CODE = Column("status_code", "int32", True, "HTTP status; 499 for a cancelled request.")
LATENCY = Column("latency_ms", "int32", True, "Milliseconds, rounded half to even; 0 when unknown.")
INPUT_TOKENS = Column(
    "input_tokens", "int32", False, "Prompt tokens, cached ones included; null when nothing was recorded."
)
OUTPUT_TOKENS = Column("output_tokens", "int32", False, "Completion tokens; null when nothing was recorded.")
COST = Column("cost_usd", "double", False, "Price in USD; null when the request was not priced.")
REQUEST_CONTENT = Column(
    "request_content", "string", False, "What was asked, as a JSON object by Bifrost's column; null when none is kept."
)
RESPONSE_CONTENT = Column(
    "response_content", "string", False, "What was answered, in the same form; null when none is kept."
)

RECORD = (
    TIMESTAMP,
    REQUEST_ID,
    CUSTOMER_ID,
    PROVIDER,
    MODEL,
    Column("endpoint", "string", True, "Path by the kind of request; the true one for passthrough."),
    Column("method", "string", True, "HTTP method by the kind of request; the true one for passthrough."),
    STATUS_CODE,
    LATENCY,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    COST,
)
"""The record of the published description."""

REQUEST_LOGS = Dataset("request_logs", "1", RECORD, contents=(REQUEST_CONTENT, RESPONSE_CONTENT))
