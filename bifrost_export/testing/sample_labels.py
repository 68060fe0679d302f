"""One row of the sample: what was drawn for it, put into Bifrost's words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bifrost_export.testing.sample_catalog import APPS, ERRORS, MODELS, PASSTHROUGH

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATUS = ("success", "error", "cancelled")
_TEAMS = ("platform", "search", "support", "research")


def space_form(nanoseconds: np.ndarray[Any, Any]) -> list[str]:
    """Instants as Bifrost's driver writes them: a space, up to nine digits without trailing zeros, the offset."""
    texts = np.datetime_as_string(nanoseconds.astype("datetime64[ns]")).tolist()
    return [f"{text[:10]} {text[11:].rstrip('0').rstrip('.')}+00:00" for text in texts]


def request_id(words: Sequence[int]) -> str:
    """A UUID of two random words of 63 bits."""
    text = f"{words[0]:016x}{words[1]:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def object_type(model: int, draw: float) -> str:
    """The kind of request that a draw from [0, 1) stands for with that model."""
    kinds = MODELS[model].object_types
    for name, share in kinds:
        draw -= share
        if draw < 0:
            return name
    return kinds[-1][0]


class Draw(NamedTuple):
    """What was drawn for one request.

    Args:
        time: Its start, as Bifrost writes it.
        words: The random words of its id.
        parent: Those of the attempt that it is a fallback for, or None.
        model: Index into `MODELS`.
        kind: From [0, 1), for the kind of request.
        passthrough: Index into `PASSTHROUGH`.
        customer: Number of the customer, -1 for none.
        app: Index into `APPS`.
        retries: How often it was tried again.
        latency: In milliseconds.
        outcome: Index into the statuses: success, error, cancelled.
        error: Index into `ERRORS`.
        input_tokens: Tokens sent.
        output_tokens: Tokens received.
        cached: Tokens that the provider had in its cache.
        cost: USD for input and output, NaN without a price.
    """

    time: str
    words: list[int]
    parent: list[int] | None
    model: int
    kind: float
    passthrough: int
    customer: int
    app: int
    retries: int
    latency: float
    outcome: int
    error: int
    input_tokens: int
    output_tokens: int
    cached: int
    cost: list[float]


def row(draw: Draw) -> tuple[Any, ...]:
    """The values of `sample_rows.COLUMNS` for what was drawn for one request."""
    kind, model, app = object_type(draw.model, draw.kind), MODELS[draw.model], APPS[draw.app]
    failed = draw.outcome == 1
    counted = not failed and kind not in {"list_models", "passthrough"}
    tokens = (draw.input_tokens, draw.output_tokens, draw.cached) if counted else (0, 0, 0)
    return (
        request_id(draw.words),
        request_id(draw.parent) if draw.parent else None,
        *(draw.time, draw.time, kind, model.provider, model.name),
        PASSTHROUGH[draw.passthrough][1] if kind == "passthrough" else "",
        int(kind.endswith("_stream")),
        *(draw.retries, int(draw.parent is not None)),
        *_owner(draw.model, draw.customer),
        *(app or None, f"{app.replace(' ', '-').lower()}/1.0" if app else None),
        None if failed and draw.error % 3 == 0 else draw.latency,
        *(_STATUS[draw.outcome], "stop" if draw.outcome == 0 and counted else None),
        ERRORS[draw.error][1] if failed else "",
        *(tokens[0], tokens[1], tokens[0] + tokens[1], tokens[2], _usage(*tokens) if counted else ""),
        *_costs(draw.cost, counted),
    )


def _owner(model: int, customer: int) -> tuple[Any, ...]:
    """Key, virtual key, team and customer; without a virtual key there is no customer either."""
    key = (f"key-{model:02d}", f"{MODELS[model].provider}-main")
    if customer < 0:
        return (*key, *(None,) * 7)
    team = _TEAMS[customer % len(_TEAMS)]
    name = f"cust_{(customer + 1) * 2654435761 % 2**32:08x}"
    labels = (f"vk-{customer:04d}", f"customer {customer}", f"team-{team}", team)
    if customer % 50 == 49:
        return (*key, *labels, None, None, f'["{name}","cust_shared"]')
    return (*key, *labels, name, f"Customer {customer}", None)


def _usage(input_tokens: int, output_tokens: int, cached: int) -> str:
    details = f',"prompt_tokens_details":{{"cached_read_tokens":{cached}}}' if cached else ""
    total = input_tokens + output_tokens
    completion = f'"completion_tokens":{output_tokens},' if output_tokens else ""
    return f'{{"prompt_tokens":{input_tokens},{completion}"total_tokens":{total}{details}}}'


def _costs(cost: list[float], counted: bool) -> tuple[float, float, float | None]:
    if not counted or math.isnan(cost[0]):
        return (0.0, 0.0, None)
    return (cost[0], cost[1], round(cost[0] + cost[1], 10))
