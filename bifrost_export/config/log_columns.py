"""The columns of Bifrost's table `logs` that an export can name, with their types.

They are those of the newest table that Bifrost's source shows; an older log store lacks some, and they are null there.
"""

from __future__ import annotations

from typing import Final, Literal

from bifrost_export.config.wording import nearest
from bifrost_export.errors import ConfigError

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
"""What `data.extra_fields` takes."""

TOOL_COLUMNS: Final = ("llm_request_id", "tool_name", "server_label")
"""Texts that `mcp_tool_logs` has beside the columns that it shares with `logs`."""

REQUEST_CONTENTS: Final = (
    *("input_history", "responses_input_history", "params", "tools", "speech_input", "transcription_input"),
    *("ocr_input", "image_generation_input", "image_edit_input", "image_variation_input", "video_generation_input"),
    *("video_edit_input", "raw_request", "passthrough_request_body"),
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
    **{name: name for name in ("timestamp", "provider", "model", "customer_id")},
}


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
    raise ConfigError(
        f"the table logs has no column {name!r}",
        allowed=", ".join(LOG_COLUMNS),
        hint=nearest(name, list(LOG_COLUMNS)),
    )
