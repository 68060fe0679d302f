"""The sample's requests as arrays of numbers: who asked which model for what, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from bifrost_export.sample.catalog import (
    APPS,
    CHATS,
    CUSTOMERS,
    ERRORS,
    MODELS,
    PASSTHROUGH,
    RETRIED_ELSEWHERE,
    TALKATIVE,
    USERS,
    WITHOUT_TOKENS,
)
from bifrost_export.sample.curves import Array, customers, pick

if TYPE_CHECKING:
    from bifrost_export.sample.curves import RequestTimes

KINDS = tuple(dict.fromkeys(kind for model in MODELS for kind, _ in model.kinds))
STATUSES = ("success", "error", "cancelled", "processing")
SUCCESS, ERROR, CANCELLED, PROCESSING = range(4)

_ERROR_SHARE, _CANCELLED_SHARE, _CACHE_HITS, _HIDDEN = 0.04, 0.006, 0.01, 0.01
_SESSION_NANOSECONDS = 20 * 60 * 10**9
_STILL_OPEN_NANOSECONDS = 30 * 60 * 10**9
_UNFINISHED_SHARE = 0.15
_STILL_TRIED = 0.6

_CHAT_KINDS = np.array([kind in CHATS for kind in KINDS])
_COUNTED_KINDS = np.array([kind not in WITHOUT_TOKENS for kind in KINDS])
_SHARES = np.array([[dict(model.kinds).get(kind, 0.0) for kind in KINDS] for model in MODELS]).cumsum(axis=1)
_LATENCIES = np.array([model.latency for model in MODELS])
_SILENT = np.array([model.output_price == 0 and model.input_price is not None for model in MODELS])
_RERANK = np.array([model.kinds[0][0] == "rerank" for model in MODELS])


def _elsewhere(number: int) -> int:
    """The first model of another provider that takes the same kinds of requests, or -1."""
    own = MODELS[number]
    fitting = (i for i, m in enumerate(MODELS) if m.kinds == own.kinds and m.provider != own.provider)
    return next(fitting, -1)


_FALLBACKS = np.array([_elsewhere(number) for number in range(len(MODELS))])


@dataclass
class Traffic:
    """Requests, a row each, all arrays of one length.

    Args:
        words: Two random words of 64 bits, for the id.
        parent: The words of the primary that a fallback belongs to.
        fallback: 0 for a primary, else the number of the fallback.
        start: Nanoseconds since 1970 UTC.
        latency: Nanoseconds.
        model: Index into `MODELS`.
        kind: Index into `KINDS`.
        status: Index into `STATUSES`.
        error: Index into `ERRORS`, of a failed request.
        passthrough: Index into `PASSTHROUGH`.
        customer: Number of the customer, -1 for none.
        user: Number of the person among the customer's.
        app: Index into `APPS`.
        session: Number of the session, -1 for none.
        retries: How often it was tried again.
        input_tokens: Tokens sent.
        output_tokens: Tokens received.
        cached: Tokens that the provider had in its cache.
        cache_hit: Answered from Bifrost's own cache.
        hidden: Its content must not be told.
        luck: From [0, 1), for everything that is rare.
    """

    words: Array
    parent: Array
    fallback: Array
    start: Array
    latency: Array
    model: Array
    kind: Array
    status: Array
    error: Array
    passthrough: Array
    customer: Array
    user: Array
    app: Array
    session: Array
    retries: Array
    input_tokens: Array
    output_tokens: Array
    cached: Array
    cache_hit: Array
    hidden: Array
    luck: Array

    def __len__(self) -> int:
        """How many requests there are."""
        return len(self.start)

    def ordered_by_end(self) -> Traffic:
        """The same requests in the order in which they ended, which is that of Bifrost's inserts."""
        order = np.argsort(self.start + self.latency, kind="stable")
        return Traffic(*(getattr(self, each.name)[order] for each in fields(self)))

    @property
    def counted(self) -> Array:
        """Whether tokens and prices were recorded."""
        return np.asarray(_COUNTED_KINDS[self.kind] & ((self.status == SUCCESS) | (self.status == CANCELLED)))

    @property
    def is_chat(self) -> Array:
        """Whether it holds a conversation."""
        return np.asarray(_CHAT_KINDS[self.kind])


def draw(random: np.random.Generator, times: RequestTimes, first: float, last: float, count: int) -> Traffic:
    """Draw the requests of a part of the window.

    Args:
        random: What is drawn from.
        times: The window's curve.
        first: Share of the window's requests before the part.
        last: Share of them before its end.
        count: How many.

    Returns:
        The requests in the order of their ends, so that an attempt stands before its fallback.
    """
    model = pick(random, [m.share for m in MODELS], count)
    kind = (random.random(count)[:, None] >= _SHARES[model]).sum(axis=1).clip(0, len(KINDS) - 1)
    chance = random.random(count)
    passthrough = pick(random, [share for share, _, _ in PASSTHROUGH], count)
    is_passthrough = kind == KINDS.index("passthrough")
    status = np.where(chance < _ERROR_SHARE, ERROR, np.where(chance < _ERROR_SHARE + _CANCELLED_SHARE, CANCELLED, 0))
    refused = np.array([told == "error" for _, told, _ in PASSTHROUGH])[passthrough]
    status = np.where(is_passthrough, np.where(refused, ERROR, SUCCESS), status)
    start = times.draw(random, first, last, count)
    customer = customers(random, CUSTOMERS, count)
    user, app = random.integers(0, USERS, count), random.integers(0, len(APPS), count)
    talks = np.array(TALKATIVE)[app] & _CHAT_KINDS[kind]
    session = (start // _SESSION_NANOSECONDS * (CUSTOMERS + 1) + customer + 1) * (USERS * 8) + user * 8 + app
    cache_hit = (random.random(count) < _CACHE_HITS) & _CHAT_KINDS[kind] & (status == SUCCESS)
    latency = _LATENCIES[model] * random.lognormal(0.0, 0.6, count) * np.where(cache_hit, 0.004, 1.0)
    input_tokens = np.minimum(random.lognormal(6.2, 1.1, count), 180_000).astype(np.int64) + 1
    output_tokens = np.minimum(random.lognormal(5.0, 1.0, count), 30_000).astype(np.int64) + 1
    traffic = Traffic(
        words=random.integers(0, 2**64, (count, 2), dtype=np.uint64),
        parent=np.zeros((count, 2), np.uint64),
        fallback=np.zeros(count, np.int64),
        start=start,
        latency=(latency * 1e6).astype(np.int64) + 1,
        model=model,
        kind=kind,
        status=status,
        error=np.where(is_passthrough, -1, pick(random, [share for share, _ in ERRORS], count)),
        passthrough=np.where(is_passthrough, passthrough, -1),
        customer=customer,
        user=user,
        app=app,
        session=np.where(talks, session, -1),
        retries=np.where(random.random(count) < 0.03, random.integers(1, 4, count), 0),
        input_tokens=input_tokens,
        output_tokens=np.where((_SILENT | _RERANK)[model], 0, output_tokens),
        cached=np.where((random.random(count) < 0.2) & _CHAT_KINDS[kind], input_tokens // 2, 0),
        cache_hit=cache_hit,
        hidden=(random.random(count) < _HIDDEN) & _COUNTED_KINDS[kind],
        luck=random.random(count),
    ).ordered_by_end()
    _fall_back(random, traffic, times)
    _leave_unfinished(random, traffic, times)
    return traffic.ordered_by_end()


def _fall_back(random: np.random.Generator, traffic: Traffic, times: RequestTimes) -> None:
    """Turn the row behind some failed ones into another provider's try of the same request, twice if that fails too."""
    for number in (1, 2):
        tried = (traffic.status == ERROR) & (traffic.fallback == number - 1) & (_FALLBACKS[traffic.model] >= 0)
        tried &= np.isin(traffic.error, RETRIED_ELSEWHERE) & (random.random(len(traffic)) < _STILL_TRIED)
        tried &= traffic.start + traffic.latency < times.end
        failed = np.flatnonzero(tried[:-1])
        free = (traffic.fallback[failed + 1] == 0) & (traffic.kind[failed + 1] != KINDS.index("passthrough"))
        # Of neighbours that failed both, the second is nobody's fallback.
        free &= traffic.status[failed + 1] != ERROR
        _become(traffic, failed[free], failed[free] + 1, number)
        again = failed[free][random.random(int(free.sum())) < 0.15] + 1
        traffic.status[again], traffic.error[again] = ERROR, RETRIED_ELSEWHERE[number]


def _become(traffic: Traffic, failed: Array, next_try: Array, number: int) -> None:
    for name in ("customer", "user", "app", "session", "kind", "input_tokens", "hidden"):
        getattr(traffic, name)[next_try] = getattr(traffic, name)[failed]
    first = traffic.fallback[failed] == 0
    traffic.parent[next_try] = np.where(first[:, None], traffic.words[failed], traffic.parent[failed])
    traffic.model[next_try] = _FALLBACKS[traffic.model[failed]]
    traffic.fallback[next_try] = number
    traffic.start[next_try] = traffic.start[failed] + traffic.latency[failed]
    traffic.cache_hit[next_try] = False
    traffic.cached[next_try] = 0
    traffic.output_tokens[next_try] = np.maximum(traffic.output_tokens[next_try], 1)


def _leave_unfinished(random: np.random.Generator, traffic: Traffic, times: RequestTimes) -> None:
    """Some requests of the last half hour have not ended yet; Bifrost deletes those that wait longer."""
    late = traffic.start >= times.end - _STILL_OPEN_NANOSECONDS
    open_still = late & (random.random(len(traffic)) < _UNFINISHED_SHARE) & (traffic.fallback == 0)
    traffic.status[open_still & (traffic.passthrough < 0) & (traffic.status != ERROR)] = PROCESSING
