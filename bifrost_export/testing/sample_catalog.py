"""What the sample log store draws from: models and their prices, kinds of requests, shapes of errors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A model that the sample's requests go to.

    Args:
        provider: As Bifrost names it.
        name: The resolved model.
        share: Its weight among all requests.
        input_price: USD per million input tokens; None = Bifrost has no price for it.
        output_price: USD per million output tokens.
        latency: Median of a request's latency in milliseconds.
        object_types: Kinds of requests, each with its weight.
    """

    provider: str
    name: str
    share: float
    input_price: float | None
    output_price: float
    latency: float
    object_types: tuple[tuple[str, float], ...]


_CHAT = (("chat_completion", 0.55), ("chat_completion_stream", 0.45))
_RESPONSES = (("responses", 0.4), ("responses_stream", 0.4), ("chat_completion", 0.2))

MODELS = (
    Model("openai", "gpt-4o", 0.20, 2.5, 10.0, 1400, _CHAT),
    Model("openai", "gpt-4o-mini", 0.19, 0.15, 0.6, 750, _CHAT),
    Model("openai", "gpt-5", 0.08, 1.25, 10.0, 5200, _RESPONSES),
    Model("openai", "text-embedding-3-small", 0.09, 0.02, 0.0, 140, (("embedding", 1.0),)),
    Model("anthropic", "claude-sonnet-4-5", 0.15, 3.0, 15.0, 2300, _RESPONSES),
    Model("anthropic", "claude-haiku-4-5", 0.08, 1.0, 5.0, 900, _CHAT),
    Model("azure", "gpt-4o", 0.06, 2.5, 10.0, 1600, _CHAT),
    Model("bedrock", "anthropic.claude-sonnet-4-5-v1:0", 0.04, 3.0, 15.0, 2600, _CHAT),
    Model("gemini", "gemini-2.5-flash", 0.05, 0.3, 2.5, 1000, _CHAT),
    Model("cohere", "rerank-v3.5", 0.02, None, 0.0, 210, (("rerank", 1.0),)),
    Model("ollama", "llama3.1:8b", 0.02, None, 0.0, 3100, _CHAT),
    Model("openai", "gpt-4o-transcribe", 0.01, 2.5, 10.0, 4100, (("transcription", 1.0),)),
    Model("openai", "", 0.01, 0.0, 0.0, 180, (("list_models", 0.5), ("passthrough", 0.5))),
)

_RATE_LIMIT = (
    '{"is_bifrost_error":false,"status_code":429,"error":{"type":"rate_limit_error","code":"rate_limit_exceeded",'
    '"message":"Rate limit reached for requests"},"extra_fields":{"error_type":"provider_rate_limited"}}'
)
_BAD_REQUEST = (
    '{"is_bifrost_error":false,"status_code":400,"error":{"type":"invalid_request_error","code":null,'
    '"message":"\'messages\' must contain at least one message","param":"messages"},'
    '"extra_fields":{"provider":"openai","request_type":"chat_completion"}}'
)
_SERVER_ERROR = (
    '{"is_bifrost_error":false,"status_code":500,"error":{"message":"The server had an error","code":500},'
    '"extra_fields":{"latency":30211}}'
)
_TIMEOUT = '{"is_bifrost_error":true,"error":{"message":"no answer"},"extra_fields":{"error_type":"provider_timeout"}}'

ERRORS = (
    (0.38, _RATE_LIMIT),
    (0.18, _BAD_REQUEST),
    (0.12, _SERVER_ERROR),
    (0.08, '{"is_bifrost_error":false,"status_code":401,"error":{"message":"Incorrect API key provided"}}'),
    (0.06, '{"is_bifrost_error":true,"status_code":403,"error":{"message":"model is not allowed for this key"}}'),
    (0.05, '{"is_bifrost_error":false,"status_code":"503","error":{"message":"overloaded"}}'),
    (0.04, '{"is_bifrost_error":false,"status_code":404,"error":{"message":"The model does not exist"}}'),
    (0.04, _TIMEOUT),
    (0.02, '{"is_bifrost_error":true,"error":null,"extra_fields":{"error_type":"policy_budget_exceeded"}}'),
    (0.02, '{"message":"abandoned: request was idle for 15m0s"}'),
    (0.01, ""),
)
"""Weight and text of `error_details`."""

PASSTHROUGH = (
    (0.5, '{"method":"GET","path":"/v1/files","raw_query":"limit=20","status_code":200}'),
    (0.3, '{"method":"POST","path":"/v1/fine_tuning/jobs","raw_query":"","status_code":201,"model":"gpt-4o-mini"}'),
    (0.2, '{"method":"DELETE","path":"/v1/files/file-8ac1","raw_query":"","status_code":204}'),
)
"""Weight and text of a passthrough row's `params`."""

APPS = ("", "Claude Code", "Codex", "Cursor", "openai-python", "langchain")
"""Clients that Bifrost detects; the empty one stands for none."""

CUSTOMERS = 400
"""How many customers there are; the k-th sends a share of about 1 / k."""
