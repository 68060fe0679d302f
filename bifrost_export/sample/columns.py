"""The columns of `logs` for a chunk of requests, contents left out; one function a kind of column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bifrost_export.sample.arrays import (
    chosen,
    decimals,
    flags,
    instants,
    joined,
    numbers,
    texts,
    uuids,
)
from bifrost_export.sample.catalog import CANCELLATIONS, ERRORS, MODELS, PASSTHROUGH, TOOLS
from bifrost_export.sample.people import emails, owners, sessions
from bifrost_export.sample.traffic import CANCELLED, ERROR, KINDS, PROCESSING, STATUSES, SUCCESS

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.sample.curves import Array
    from bifrost_export.sample.traffic import Traffic

_INPUT_PRICES = np.array([round((model.input_price or 0.0) * 1000) for model in MODELS])
_OUTPUT_PRICES = np.array([round(model.output_price * 1000) for model in MODELS])
_UNPRICED = np.array([model.input_price is None for model in MODELS])
_ERROR_TEXTS = [
    text.format(provider=model.provider, model=model.name, kind=kind)
    for _, text in ERRORS
    for model in MODELS
    for kind in KINDS
]
_STOPS = ("stop", "length", "tool_calls", "content_filter")
_TRAILS = [
    "["
    + ",".join(
        f'{{"attempt":{attempt},"key_id":"key-{number:02d}","key_name":"{model.provider}-main",'
        f'"fail_reason":"{"rate limited" if attempt < tries else ""}"}}'
        for attempt in range(tries + 1)
    )
    + "]"
    if tries
    else ""
    for number, model in enumerate(MODELS)
    for tries in range(4)
]
_TIERS = ("SIMPLE", "MEDIUM", "COMPLEX")
_CACHE_HITS = tuple(
    f'{{"cache_hit":true,"hit_type":"{kind}","cache_id":"cache-{number}","threshold":0.8,"cache_hit_latency":{number}}}'
    for number, kind in ((2, "direct"), (5, "semantic"))
)
EMPTY = (
    *("embedding_output", "rerank_output", "ocr_output", "speech_input", "transcription_input"),
    *("ocr_input", "image_generation_input", "image_edit_input", "image_variation_input", "video_generation_input"),
    *("video_edit_input", "speech_output", "transcription_output", "image_generation_output", "list_models_output"),
    *("video_generation_output", "video_retrieve_output", "video_download_output", "video_list_output"),
    *("video_delete_output", "guardrail_debug", "routing_metadata", "overhead_breakdown", "raw_response"),
    *("passthrough_request_body", "passthrough_response_body", "routing_engine_logs", "plugin_logs"),
    *("redaction_mapping", "batch_debug", "video_debug", "raw_request"),
)
"""Columns of `logs` that hold an empty text in every row of the sample."""


def columns(traffic: Traffic) -> dict[str, pa.Array]:
    """Every column that the sample fills, but for contents; those that are missing are null, or stand in `EMPTY`."""
    start = instants(traffic.start)
    return {
        "id": uuids(traffic.words),
        "parent_request_id": uuids(traffic.parent, traffic.fallback == 0),
        "timestamp": start,
        "object_type": texts(KINDS, traffic.kind),
        **_models(traffic),
        **owners(traffic),
        "user_email": emails(traffic),
        "session_id": sessions(traffic),
        **_routing(traffic),
        **_times(traffic),
        **_outcomes(traffic),
        **_tokens(traffic),
        **_costs(traffic),
        "created_at": start,
    }


def calls_tools(traffic: Traffic) -> Array:
    """Whether the answer asks for tool calls: one in nine of the conversations that succeed."""
    return np.asarray(traffic.is_chat & (traffic.status == SUCCESS) & (traffic.luck < 0.11))


def _models(traffic: Traffic) -> dict[str, pa.Array]:
    model = traffic.model
    called_by_alias = (np.array([each.alias is not None for each in MODELS])[model]) & (traffic.customer % 4 == 1)
    return {
        "provider": texts([each.provider for each in MODELS], model),
        "model": texts([each.name for each in MODELS], model),
        "alias": texts([each.alias for each in MODELS], np.where(called_by_alias, model, -1)),
        "number_of_retries": numbers(traffic.retries),
        "fallback_index": numbers(traffic.fallback),
        "selected_key_id": texts([f"key-{number:02d}" for number in range(len(MODELS))], model),
        "selected_key_name": texts([f"{each.provider}-main" for each in MODELS], model),
        "attempt_trail": texts(_TRAILS, model * 4 + traffic.retries),
    }


def _routing(traffic: Traffic) -> dict[str, pa.Array]:
    ruled = (traffic.customer >= 0) & (traffic.customer % 7 == 3)
    judged = ruled & traffic.is_chat
    tier = np.where(judged, np.searchsorted([300, 1500], traffic.input_tokens), -1)
    score = np.minimum(traffic.input_tokens, 10_000)
    return {
        "routing_engines_used": texts(
            ("governance", "governance,routing-rule"), np.where(traffic.customer < 0, -1, ruled)
        ),
        "routing_rule_id": texts(("rule-by-complexity",), np.where(ruled, 0, -1)),
        "routing_rule_name": texts(("by complexity",), np.where(ruled, 0, -1)),
        "complexity_tier": texts(_TIERS, tier),
        "complexity_mechanism": texts(("semantic",), np.where(judged, 0, -1)),
        "complexity_score": decimals(score, 4, ~judged),
        "cluster_node_id": texts([f"node-{number}" for number in range(3)], (traffic.luck * 3e6).astype(np.int64) % 3),
        "metadata": texts(
            ('{"environment":"production"}', '{"environment":"staging"}'), (traffic.user == 7).astype(np.int64)
        ),
    }


def _times(traffic: Traffic) -> dict[str, pa.Array]:
    unknown = (traffic.status == PROCESSING) | ((traffic.status == ERROR) & (traffic.error % 3 == 0))
    ours = np.minimum((traffic.luck * 1.9e6).astype(np.int64) + 11_000, traffic.latency)
    apart = unknown | (traffic.fallback > 0)
    return {
        "latency": decimals(traffic.latency, 6, unknown),
        "upstream_latency": decimals(traffic.latency - ours, 6, apart),
        "overhead_latency": decimals(ours, 6, apart),
    }


def _outcomes(traffic: Traffic) -> dict[str, pa.Array]:
    stop = np.where(traffic.luck < 0.93, 0, np.where(traffic.luck < 0.99, 1, 3))
    stop = np.where(calls_tools(traffic), 2, stop)
    answered = (traffic.status == SUCCESS) & traffic.is_chat
    failure = (traffic.error * len(MODELS) + traffic.model) * len(KINDS) + traffic.kind
    failed = (traffic.status == ERROR) & (traffic.error >= 0)
    details = np.where(failed, failure, len(_ERROR_TEXTS) + 1)
    details = np.where(traffic.status == CANCELLED, len(_ERROR_TEXTS) + (traffic.luck < 0.3), details)
    tool = (traffic.luck * 1e6).astype(np.int64) % len(TOOLS)
    kinds = np.array([kind.endswith("_stream") for kind in KINDS])
    no = flags(np.zeros(len(traffic), bool))
    return {
        "status": texts(STATUSES, traffic.status),
        "stop_reason": texts(_STOPS, np.where(answered, stop, -1)),
        "error_details": texts([*_ERROR_TEXTS, *CANCELLATIONS], details),
        "params": chosen(traffic.passthrough >= 0, texts([text for _, _, text in PASSTHROUGH], traffic.passthrough)),
        "tool_call_names": texts([name for _, name, _, _ in TOOLS], np.where(calls_tools(traffic), tool, -1)),
        "cache_debug": texts(("", *_CACHE_HITS), np.where(traffic.cache_hit, 1 + (traffic.luck < 0.7), 0)),
        "stream": flags(kinds[traffic.kind]),
        "is_large_payload_request": flags(traffic.input_tokens >= 60_000),
        "is_large_payload_response": no,
        "has_object": no,
        "content_hidden": flags(traffic.hidden),
        "service_tier": texts(
            ("default", "priority"), np.where(answered & (traffic.model < 3), traffic.customer % 9 == 4, -1)
        ),
    }


def _tokens(traffic: Traffic) -> dict[str, pa.Array]:
    sent, received, cached = (
        np.where(traffic.counted, each, 0) for each in (traffic.input_tokens, traffic.output_tokens, traffic.cached)
    )
    details = joined(',"prompt_tokens_details":{"cached_read_tokens":', numbers(cached), "}")
    completion = joined(',"completion_tokens":', numbers(received))
    usage = joined(
        '{"prompt_tokens":',
        numbers(sent),
        chosen(cached > 0, details),
        chosen(received > 0, completion),
        ',"total_tokens":',
        numbers(sent + received),
        "}",
    )
    return {
        "token_usage": chosen(traffic.counted & ~traffic.hidden, usage),
        "prompt_tokens": numbers(sent),
        "completion_tokens": numbers(received),
        "total_tokens": numbers(sent + received),
        "cached_read_tokens": numbers(cached),
    }


def _costs(traffic: Traffic) -> dict[str, pa.Array]:
    """USD, exact to 1e-9: cached tokens cost a tenth, an answer from Bifrost's own cache nothing."""
    priced = traffic.counted & ~traffic.cache_hit & ~_UNPRICED[traffic.model]
    price = _INPUT_PRICES[traffic.model]
    sent = (traffic.input_tokens - traffic.cached) * price + traffic.cached * price // 10
    received = traffic.output_tokens * _OUTPUT_PRICES[traffic.model]
    sent, received = np.where(priced, sent, 0), np.where(priced, received, 0)
    return {
        "input_cost": decimals(sent, 9),
        "output_cost": decimals(received, 9),
        "additional_cost": decimals(np.zeros(len(traffic), np.int64), 9),
        "cost": decimals(sent + received, 9, ~priced),
    }
