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


class RequestTimes:
    """The instants at which requests of a window start: busy in the afternoon, quiet at night and on weekends.

    Args:
        window: The window.
    """

    def __init__(self, window: Window) -> None:
        self.start = int(np.datetime64(window.start.replace(tzinfo=None), "ns").astype(np.int64))
        seconds = int((window.end - window.start).total_seconds())
        self.end = self.start + seconds * 10**9
        moment = self.start // (60 * 10**9) + np.arange(-(-seconds // 60))
        of_day = (moment % _DAY_MINUTES - _BUSIEST_MINUTE) * 2 * np.pi / _DAY_MINUTES
        weekday = (moment // _DAY_MINUTES + 3) % 7
        weight = (_NIGHT + (1 - _NIGHT) * (1 + np.cos(of_day)) / 2) * np.where(weekday >= 5, _WEEKEND, 1.0)
        self._total = np.concatenate([[0.0], np.cumsum(weight)])

    def draw(self, random: np.random.Generator, first: float, last: float, count: int) -> Array:
        """Draw from the part of the traffic between two shares of it.

        Args:
            random: What is drawn from.
            first: Share of the window's requests that start before the part, from 0.
            last: Share of those that start before its end, up to 1.
            count: How many.

        Returns:
            Nanoseconds since 1970 UTC, in no order, all inside the window.
        """
        share = first + random.random(count) * (last - first)
        at = np.interp(share * self._total[-1], self._total, np.arange(len(self._total)) * 60.0)
        nanoseconds = (at * 1e9).astype(np.int64) + random.integers(0, 1000, count)
        return np.asarray(np.minimum(self.start + nanoseconds, self.end - 1), dtype=np.int64)
