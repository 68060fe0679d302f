"""Sums of floats that no order and no cut changes, against `math.fsum`."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.transforms import exact_sums

FLOATS = st.floats(-1e300, 1e300, allow_nan=False) | st.sampled_from([5e-324, -5e-324, 1e-310, 0.1, 1e16, -1e16])


@given(st.lists(st.tuples(st.integers(0, 4), FLOATS), max_size=60))
def test_the_sum_of_each_group_is_rounded_once(pairs: list[tuple[int, float]]) -> None:
    """Cancelling, subnormal and huge values too; a group without rows has 0."""
    groups, values = np.array([group for group, _ in pairs], np.int64), np.array([value for _, value in pairs])
    order = np.argsort(groups, kind="stable")
    exponents, high, low = exact_sums.split(values[order])
    found = exact_sums.totals(groups[order], exponents, high, low, 5)
    assert found.tolist() == [math.fsum(value for group, value in pairs if group == each) for each in range(5)]
