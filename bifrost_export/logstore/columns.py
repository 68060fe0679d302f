"""The columns of Bifrost's table `logs` that an export can name, with their types.

They are those of the newest table that Bifrost's source shows; an older log store lacks some, and they are null there.
A column of a still newer Bifrost can be named too: what its type is, the log store says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from bifrost_export.errors import ConfigError
from bifrost_export.fields.suggestions import nearest

LogColumnType = Literal["timestamp", "string", "int64", "double", "bool"]

_TEXTS: Final = (
    *("parent_request_id", "object_type", "alias", "canonical_model_name", "alias_model_family"),
    *("server_side_fallback_model", "served_model", "selected_key_id", "selected_key_name", "attempt_trail"),
    *("virtual_key_id", "virtual_key_name", "routing_engines_used", "tool_call_names", "routing_rule_id"),
    *("routing_rule_name", "complexity_tier", "complexity_mechanism", "session_id", "selected_prompt_name"),
    *("selected_prompt_version", "selected_prompt_id", "user_id", "user_name", "user_email", "team_id", "team_name"),
    *("customer_name", "business_unit_id", "business_unit_name", "project_id", "project_name", "team_ids"),
    *("team_names", "customer_ids", "customer_names", "business_unit_ids", "business_unit_names", "user_agent", "app"),
    *("cache_debug", "overhead_breakdown", "token_usage", "status", "stop_reason", "metadata", "cluster_node_id"),
    *("budget_ids", "rate_limit_ids", "batch_debug", "video_debug", "service_tier", "speed", "inference_geo"),
    "agent_correlation_id",
)
_WHOLE_NUMBERS: Final = (
    *("inc_number", "number_of_retries", "fallback_index", "prompt_tokens", "completion_tokens", "total_tokens"),
    "cached_read_tokens",
)
_REALS: Final = (
    *("complexity_score", "latency", "upstream_latency", "overhead_latency", "input_cost", "output_cost"),
    *("additional_cost", "cost"),
)
_TRUTHS: Final = ("stream", "is_large_payload_request", "is_large_payload_response", "has_object", "content_hidden")

LOG_COLUMNS: Final[dict[str, LogColumnType]] = {
    **dict.fromkeys(_TEXTS, "string"),
    **dict.fromkeys(_WHOLE_NUMBERS, "int64"),
    **dict.fromkeys(_REALS, "double"),
    **dict.fromkeys(_TRUTHS, "bool"),
    "created_at": "timestamp",
}
"""What `data.extra_fields` takes, beside columns that only the log store knows."""

TOOL_COLUMNS: Final = ("llm_request_id", "tool_name", "server_label")
"""Texts that `mcp_tool_logs` has beside the columns that it shares with `logs`."""

REQUEST_CONTENTS: Final = (
    *("input_history", "responses_input_history", "params", "tools", "speech_input", "transcription_input"),
    *("ocr_input", "image_generation_input", "image_edit_input", "image_variation_input", "video_generation_input"),
    *("video_edit_input", "embedding_input", "batch_embedding_input", "live_session", "raw_request"),
    "passthrough_request_body",
)
"""Columns that hold what was asked."""

RESPONSE_CONTENTS: Final = (
    *("output_message", "responses_output", "tool_calls", "embedding_output", "rerank_output", "ocr_output"),
    *("speech_output", "transcription_output", "image_generation_output", "list_models_output"),
    *("video_generation_output", "video_retrieve_output", "video_download_output", "video_list_output"),
    *("video_delete_output", "raw_response", "passthrough_response_body"),
)
"""Columns that hold what was answered."""

_OTHER_CONTENTS: Final = (
    *("content_summary", "routing_engine_logs", "plugin_logs", "guardrail_debug", "routing_metadata"),
    "error_details",
)
"""Columns that can repeat any of it."""

_IN_THE_RECORD: Final = {
    "id": "request_id",
    **{name: name for name in ("timestamp", "provider", "model", "customer_id", "request_id", "endpoint", "method")},
    **{name: name for name in ("status_code", "latency_ms", "input_tokens", "output_tokens", "cost_usd")},
}
_MADE: Final = frozenset(
    (
        *_IN_THE_RECORD.values(),
        *("error_type", "error_code", "error_message", "request_content", "response_content"),
        *("tool_arguments", "tool_result", "trace_id", "span_id", "parent_span_id", "is_removed", "attributes"),
        *("name", "start_time", "end_time", "bucket_start", *TOOL_COLUMNS),
    )
)
"""Columns that are made of others: none of them can be a column of `logs` as it stands."""
COLUMN_PATTERN: Final = "[a-z][a-z0-9_]{0,62}"
"""What the name of a column that this package doesn't know may be."""
_NAME: Final = re.compile(COLUMN_PATTERN)


def is_log_column(name: str) -> bool:
    """Return whether a column of rows that are read is one of the log store's own, exported as it stands."""
    return name in LOG_COLUMNS or (name not in _MADE and _NAME.fullmatch(name) is not None)


def known_columns() -> frozenset[str]:
    """Return every column of `logs` that this package knows, whether it exports it or not."""
    contents = (*REQUEST_CONTENTS, *RESPONSE_CONTENTS, *_OTHER_CONTENTS)
    return frozenset((*LOG_COLUMNS, *contents, *_IN_THE_RECORD, "redaction_mapping"))


def nearest_column(name: str, among: Iterable[str] = LOG_COLUMNS) -> str | None:
    """Return a "did you mean" for a column, if one of those that may be exported is near."""
    return nearest(name, [each for each in among if each != "redaction_mapping"])


def check_extra_field(name: str) -> str:
    """Refuse what is no column of `logs` that may be exported by its name.

    Raises:
        ConfigError: It isn't; the message says why.
    """
    if name in LOG_COLUMNS:
        return name
    if name == "redaction_mapping":
        raise ConfigError(
            "redaction_mapping can never be exported: it turns redacted text back", hint="Take it out of the list."
        )
    if name in _IN_THE_RECORD:
        raise ConfigError(
            f"{name!r} is in the record already, as {_IN_THE_RECORD[name]}", hint="Take it out of the list."
        )
    if name in (*REQUEST_CONTENTS, *RESPONSE_CONTENTS, *_OTHER_CONTENTS):
        raise ConfigError(
            f"{name!r} holds contents of requests or responses, and is no extra field",
            allowed=", ".join(LOG_COLUMNS),
            hint="Take it out of the list.",
        )
    if is_log_column(name):
        return name
    raise ConfigError(
        f"{name!r} is not the name of a column of logs",
        allowed=", ".join(LOG_COLUMNS),
        hint=nearest(name, list(LOG_COLUMNS)),
    )
