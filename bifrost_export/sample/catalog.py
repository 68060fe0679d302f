"""What the sample log store draws from: models and their prices, kinds of requests, shapes of errors, people, tools."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A model that the sample's requests go to.

    Args:
        provider: As Bifrost names it.
        name: The resolved model.
        share: Its weight among all requests.
        input_price: USD per million input tokens, at most three decimals; None = Bifrost has no price for it.
        output_price: USD per million output tokens.
        latency: Median of a request's latency in milliseconds.
        kinds: Kinds of requests (`object_type`), each with its weight; they add up to 1.
        alias: The name that some callers use for it, or None.
    """

    provider: str
    name: str
    share: float
    input_price: float | None
    output_price: float
    latency: float
    kinds: tuple[tuple[str, float], ...]
    alias: str | None = None


_CHAT = (("chat_completion", 0.55), ("chat_completion_stream", 0.45))
_RESPONSES = (("responses", 0.4), ("responses_stream", 0.4), ("chat_completion", 0.2))

MODELS = (
    Model("openai", "gpt-4o", 0.19, 2.5, 10.0, 1400, _CHAT, "smart"),
    Model("openai", "gpt-4o-mini", 0.19, 0.15, 0.6, 750, _CHAT, "cheap"),
    Model("openai", "gpt-5", 0.08, 1.25, 10.0, 5200, _RESPONSES),
    Model("openai", "text-embedding-3-small", 0.09, 0.02, 0.0, 140, (("embedding", 1.0),)),
    Model("anthropic", "claude-sonnet-4-5", 0.15, 3.0, 15.0, 2300, _RESPONSES, "coder"),
    Model("anthropic", "claude-haiku-4-5", 0.08, 1.0, 5.0, 900, _CHAT),
    Model("azure", "gpt-4o", 0.06, 2.5, 10.0, 1600, _CHAT),
    Model("bedrock", "anthropic.claude-sonnet-4-5-v1:0", 0.04, 3.0, 15.0, 2600, _RESPONSES),
    Model("gemini", "gemini-2.5-flash", 0.05, 0.3, 2.5, 1000, _CHAT),
    Model("cohere", "rerank-v3.5", 0.02, None, 0.0, 210, (("rerank", 1.0),)),
    Model("ollama", "llama3.1:8b", 0.02, None, 0.0, 3100, _CHAT),
    Model("openai", "gpt-4o-transcribe", 0.01, 2.5, 10.0, 4100, (("transcription", 1.0),)),
    Model("openai", "gpt-image-1", 0.005, 5.0, 40.0, 14_000, (("image_generation", 1.0),)),
    Model("openai", "", 0.015, 0.0, 0.0, 180, (("list_models", 0.45), ("passthrough", 0.45), ("file_upload", 0.1))),
)

WITHOUT_TOKENS = ("list_models", "passthrough", "file_upload")
"""Kinds of requests that count no tokens and cost nothing."""

CHATS = ("chat_completion", "chat_completion_stream", "responses", "responses_stream")
"""Kinds of requests that hold a conversation."""

_FROM = '"provider":"{provider}","request_type":"{kind}","original_model_requested":"{model}"'

ERRORS = (
    (
        0.36,
        '{{"is_bifrost_error":false,"status_code":429,"error":{{"type":"rate_limit_error","code":"rate_limit_exceeded",'
        '"message":"Rate limit reached for {model}: try again in 20 s"}},"extra_fields":{{'
        + _FROM
        + ',"error_type":"provider_rate_limited"}}}}',
    ),
    (
        0.17,
        '{{"is_bifrost_error":false,"status_code":400,"error":{{"type":"invalid_request_error","code":null,'
        '"message":"\'messages\' must contain at least one message","param":"messages"}},"extra_fields":{{'
        + _FROM
        + "}}}}",
    ),
    (
        0.12,
        '{{"is_bifrost_error":false,"status_code":500,"error":{{"message":"The server had an error","code":500}},'
        '"extra_fields":{{' + _FROM + ',"latency":30211,"error_type":"provider_server_error"}}}}',
    ),
    (
        0.07,
        '{{"is_bifrost_error":false,"status_code":401,"error":{{"type":"authentication_error",'
        '"message":"Incorrect API key provided"}},"extra_fields":{{' + _FROM + "}}}}",
    ),
    (
        0.06,
        (
            '{{"is_bifrost_error":true,"status_code":403,"error":{{"message":"model {model} is not allowed for this '
            'virtual key"}},"extra_fields":{{"routing_info":{{"provider":"{provider}","model":"{model}"}},'
            '"error_type":"policy_model_blocked"}}}}'
        ),
    ),
    (
        0.06,
        '{{"is_bifrost_error":false,"status_code":"503","error":{{"type":"overloaded_error","message":"Overloaded"}}}}',
    ),
    (
        0.04,
        '{{"is_bifrost_error":false,"status_code":404,"error":{{"message":"The model `{model}` does not exist",'
        '"code":"model_not_found"}},"extra_fields":{{' + _FROM + "}}}}",
    ),
    (
        0.05,
        (
            '{{"is_bifrost_error":true,"error":{{"message":"no answer in time","error":"context deadline exceeded"}},'
            '"extra_fields":{{"latency":30000,"error_type":"provider_timeout"}}}}'
        ),
    ),
    (0.02, '{{"is_bifrost_error":true,"error":null,"extra_fields":{{"error_type":"policy_budget_exceeded"}}}}'),
    (
        0.02,
        (
            '{{"is_bifrost_error":true,"error":{{"message":"dial tcp: connection refused"}},'
            '"extra_fields":{{"error_type":"provider_connection_failed"}}}}'
        ),
    ),
    (0.02, '{{"message":"abandoned: request was idle for 15m0s"}}'),
    (0.01, ""),
)
"""Weight and text of `error_details`; `{provider}`, `{model}` and `{kind}` are filled in."""

RETRIED_ELSEWHERE = (0, 2, 5, 7, 9)
"""Which of the errors make Bifrost try a fallback."""

CANCELLATIONS = (
    (
        '{"is_bifrost_error":true,"status_code":499,"error":{"type":"request_cancelled","message":"context canceled"},'
        '"extra_fields":{"error_type":"caller_cancelled"}}'
    ),
    "",
)
"""`error_details` of a cancelled request."""

PASSTHROUGH = (
    (0.45, "success", '{"method":"GET","path":"/v1/files","raw_query":"limit=20","status_code":200}'),
    (
        0.3,
        "success",
        '{"method":"POST","path":"/v1/fine_tuning/jobs","raw_query":"","status_code":201,"model":"gpt-4o-mini"}',
    ),
    (0.17, "success", '{"method":"DELETE","path":"/v1/files/file-8ac1","raw_query":"","status_code":204}'),
    (0.08, "error", '{"method":"GET","path":"/v1/files/file-0b77","raw_query":"","status_code":404}'),
)
"""Weight, status and text of a passthrough row's `params`; a failed one has no `error_details`."""

APPS = (
    (None, None),
    ("Claude Code", "claude-cli/2.0.14 (external, cli)"),
    ("Codex", "codex_cli_rs/0.47.0"),
    ("Cursor", "Cursor/1.7.39"),
    (None, "OpenAI/Python 2.3.0"),
    (None, "langchain/0.3.27 python-httpx/0.28.1"),
)
"""Clients: `app` as Bifrost detects it, and `user_agent`."""

TALKATIVE = (False, True, True, True, False, True)
"""Which of the clients name a session."""

TEAMS = (
    *("platform", "search", "support", "research", "billing", "mobile", "growth", "risk"),
    *("data science", "internal tools", "legal", "localisation"),
)
BUSINESS_UNITS = ("engineering", "operations", "products")
PROJECTS = ("assistant", "batch-tagging", "code-review", "search-answers", "translations")

TOOLS = (
    ("filesystem", "read_file", '{"path":"docs/setup.md"}', '{"content":[{"type":"text","text":"# Setup"}]}'),
    ("filesystem", "list_directory", '{"path":"src"}', '{"content":[{"type":"text","text":"main.go\\nlog.go"}]}'),
    ("search", "web_search", '{"query":"release notes","limit":5}', '{"results":[{"title":"Notes","score":0.93}]}'),
    ("database", "run_query", '{"sql":"SELECT count(*) FROM orders"}', '{"rows":[[48213]]}'),
    ("tickets", "create_ticket", '{"title":"Login fails","priority":2}', '{"id":"T-4711"}'),
)
"""MCP tools: server, name, arguments, result."""

TOOL_FAILURE = '{"is_bifrost_error":true,"status_code":500,"error":{"message":"the tool server closed the connection"}}'

CUSTOMERS = 1_200
"""How many customers there are; the k-th sends a share of about 1 / k."""

USERS = 8
"""How many people a customer has."""
