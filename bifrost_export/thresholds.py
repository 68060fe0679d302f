"""The thresholds that more than one part of the package applies: one definition each."""

from __future__ import annotations

from typing import Final

ERRORS_FROM: Final = 400
"""The lowest status code that is an error: of the filter `has_errors`, and of what datasets and metrics count."""

INT32_MIN: Final = -(2**31)
INT32_MAX: Final = 2**31 - 1
"""The limits of a column of 32 bits: latencies, token counts and status codes."""

SUMMED_COST: Final = 1e300
"""A cost beyond this, either way, is exported and not added up, so that a sum of the others can't overflow."""

SUMMED_TOKENS: Final = 10**15
"""A token count beyond this, either way, is not added up, so that a sum of 64 bits can't overflow."""

COST_TOLERANCE: Final = 1e-9
"""Cost may differ by this share of the sum of absolute values: sums of floats depend on their order."""
