"""How the sample's draws are spread: over the day, the week, the models and the customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bifrost_export.window import Window

Array = np.ndarray[Any, Any]

_DAY_MINUTES = 24 * 60
_BUSIEST_MINUTE = 14 * 60
_NIGHT, _WEEKEND = 0.25, 0.45


def pick(random: np.random.Generator, weights: Sequence[float], count: int) -> Array:
    """Draw `count` indexes, each as often as its weight says."""
    edges = np.cumsum(weights) / np.sum(weights)
    return np.minimum(np.searchsorted(edges, random.random(count), side="right"), len(weights) - 1)


def customers(random: np.random.Generator, how_many: int, count: int) -> Array:
    """Draw customers with a long tail: the k-th sends a share of about 1 / k; -1 stands for none."""
    drawn = pick(random, [1 / (k + 1) for k in range(how_many)], count)
    return np.where(random.random(count) < 0.08, -1, drawn)


def request_times(random: np.random.Generator, window: Window, count: int) -> Array:
    """Draw instants of a window as nanoseconds since 1970 UTC: busy in the afternoon, quiet at night and weekends."""
    start = np.datetime64(window.start.replace(tzinfo=None), "ns").astype(np.int64)
    seconds = int((window.end - window.start).total_seconds())
    minutes = np.arange(-(-seconds // 60))
    moment = start // (60 * 10**9) + minutes
    of_day = (moment % _DAY_MINUTES - _BUSIEST_MINUTE) * 2 * np.pi / _DAY_MINUTES
    weekday = (moment // _DAY_MINUTES + 3) % 7
    weight = (_NIGHT + (1 - _NIGHT) * (1 + np.cos(of_day)) / 2) * np.where(weekday >= 5, _WEEKEND, 1.0)
    total = np.concatenate([[0.0], np.cumsum(weight)])
    at = np.interp(random.random(count) * total[-1], total, np.arange(len(total)) * 60.0)
    nanoseconds = (at * 1e9).astype(np.int64) + random.integers(0, 1000, count)
    return np.asarray(start + np.minimum(nanoseconds, seconds * 10**9 - 1), dtype=np.int64)
