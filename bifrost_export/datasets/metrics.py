"""`metrics`: requests, errors, latencies, tokens and cost by time, provider and model (contract, section 4)."""

from __future__ import annotations

import datetime as dt

from bifrost_export.columns import Column
from bifrost_export.datasets.dataset import Dataset
from bifrost_export.datasets.request_logs import (
    COST,
    INPUT_TOKENS,
    LATENCY,
    MODEL,
    OUTPUT_TOKENS,
    PROVIDER,
    STATUS_CODE,
    TIMESTAMP,
)
from bifrost_export.thresholds import ERRORS_FROM

LEAST_BUCKET, MOST_BUCKET = dt.timedelta(minutes=1), dt.timedelta(days=31)
"""Of `data.metrics_bucket`."""

METRICS = Dataset(
    "metrics",
    "2",
    (
        Column("bucket_start", "timestamp", True, "First moment of the bucket, UTC; buckets are cut in UTC."),
        PROVIDER,
        MODEL,
        Column("requests", "int64", True, "Requests that started in the bucket."),
        Column("errors", "int64", True, f"Those with a status of {ERRORS_FROM} and above."),
        Column("error_rate", "double", True, "Their share, 0 to 1."),
        Column("avg_latency_ms", "double", False, "Mean of the known latencies in milliseconds; null without any."),
        Column("p50_latency_ms", "double", False, "Median of the known latencies, interpolated; null without any."),
        Column("p95_latency_ms", "double", False, "95th percentile of the known latencies; null without any."),
        Column("p99_latency_ms", "double", False, "99th percentile of the known latencies; null without any."),
        Column("input_tokens", "int64", True, "Sum of the prompt tokens; 0 where none were counted."),
        Column("output_tokens", "int64", True, "Sum of the completion tokens; 0 where none were counted."),
        Column("cost_usd", "double", False, "Price in USD over the priced requests; null without any."),
    ),
    staged=(TIMESTAMP, PROVIDER, MODEL, STATUS_CODE, LATENCY, INPUT_TOKENS, OUTPUT_TOKENS, COST),
    with_extra=False,
)
