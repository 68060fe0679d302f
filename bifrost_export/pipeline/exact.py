"""Sums of floats that don't depend on their order, so that other slices change no digit of a manifest."""

from __future__ import annotations

import math
from collections.abc import Iterable


def exact(values: Iterable[float]) -> tuple[float, ...]:
    """Floats whose sum is exactly that of the values: the rounded sum, then what the rounding left, and so on.

    Args:
        values: Finite, within +-1e300.
    """
    rest = list(values)
    parts = []
    while part := math.fsum(rest):
        parts.append(part)
        rest.append(-part)
    return tuple(parts)
