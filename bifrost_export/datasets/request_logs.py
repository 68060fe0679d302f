"""`request_logs`: one record a request, as the published description shows it (contract, section 4)."""

from __future__ import annotations

from bifrost_export.datasets.columns import Column, Dataset

REQUEST_LOGS = Dataset(
    "request_logs",
    "1",
    (
        Column("timestamp", "timestamp", True, "Start of the request, UTC, cut to microseconds."),
        Column("request_id", "string", True, "Id of this attempt of the request."),
        Column("customer_id", "string", True, "The customer, else the first of several, else ''."),
        Column("provider", "string", True, "The provider that was asked."),
        Column("model", "string", True, "The model, with aliases resolved."),
        Column("endpoint", "string", True, "Path by the kind of request; the true one for passthrough."),
        Column("method", "string", True, "HTTP method by the kind of request; the true one for passthrough."),
        Column("status_code", "int32", True, "HTTP status; 499 for a cancelled request."),
        Column("latency_ms", "int32", True, "Milliseconds, rounded half to even; 0 when unknown."),
        Column("input_tokens", "int32", False, "Prompt tokens, cached ones included; null when nothing was recorded."),
        Column("output_tokens", "int32", False, "Completion tokens; null when nothing was recorded."),
        Column("cost_usd", "double", False, "Price in USD; null when the request was not priced."),
    ),
)
