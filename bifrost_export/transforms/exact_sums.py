"""Exact sums of floats, for many groups at once and in any order: a float is a whole number at an exponent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_MANTISSA = 53
_LOW_BITS = 27
_PIECE = 30


def split(values: Array) -> tuple[Array, Array, Array]:
    """Floats as `(high * 2**27 + low) * 2**exponent`: whole numbers whose sums fit into 64 bits.

    Args:
        values: Finite.

    Returns:
        exponent, high, low.
    """
    mantissas, exponents = np.frexp(values)
    whole = np.ldexp(mantissas, _MANTISSA).astype(np.int64)
    return exponents.astype(np.int64) - _MANTISSA, whole >> _LOW_BITS, whole & ((1 << _LOW_BITS) - 1)


def totals(groups: Array, exponents: Array, high: Array, low: Array, count: int) -> Array:
    """The sum of each group, rounded once.

    Args:
        groups: Numbers of groups, ascending; of each group any exponents.
        exponents: Of what follows.
        high: Sums of `high` of `split`.
        low: Sums of `low`.
        count: How many groups there are; one without rows has 0.
    """
    # What was added up may have more bits than a float: each term here has not.
    pieces = [((high >> _PIECE) << _PIECE, _LOW_BITS), (high & ((1 << _PIECE) - 1), _LOW_BITS)]
    pieces += [((low >> _PIECE) << _PIECE, 0), (low & ((1 << _PIECE) - 1), 0)]
    terms = np.stack([np.ldexp(piece.astype(np.float64), exponents + shift) for piece, shift in pieces], axis=1)
    told = terms != 0
    ends = np.cumsum(np.bincount(groups, weights=told.sum(axis=1), minlength=count).astype(np.int64))
    values, starts = terms[told].tolist(), np.concatenate([[0], ends[:-1]]).tolist()
    return np.array([math.fsum(values[first:last]) for first, last in zip(starts, ends.tolist(), strict=True)])
