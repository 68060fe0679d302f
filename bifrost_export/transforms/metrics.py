"""The metrics of `aggregate`: what each needs of a dataset, and what its column holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bifrost_export.columns import ColumnType
from bifrost_export.thresholds import ERRORS_FROM


@dataclass(frozen=True)
class Metric:
    """One metric.

    Args:
        description: What it says, for the data dictionary.
        type: Of its column.
        needs: Columns of the dataset that it is made of.
        required: Whether it never holds null, given columns without nulls.
        accounts: The measures of the books whose sum it tells.
    """

    description: str
    type: ColumnType
    needs: tuple[str, ...] = ()
    required: bool = True
    accounts: tuple[str, ...] = ()


PERCENTILES: Final = {"p50_latency": 50, "p90_latency": 90, "p95_latency": 95, "p99_latency": 99}
"""Exact percentiles, by linear interpolation."""

_LATENCY = ("latency_ms",)
_TOKENS = ("input_tokens", "output_tokens")
_AN_ERROR = f"a status of {ERRORS_FROM} and above"
_COUNT = Metric("Requests of the group.", "int64", accounts=("rows",))

METRICS: Final[dict[str, Metric]] = {
    "count": _COUNT,
    "total_requests": _COUNT,
    "avg_latency": Metric("Mean latency in milliseconds.", "double", _LATENCY, False),
    "min_latency": Metric("Least latency in milliseconds.", "int64", _LATENCY, False),
    "max_latency": Metric("Greatest latency in milliseconds.", "int64", _LATENCY, False),
    **{
        name: Metric(f"{percent}th percentile of the latency in milliseconds, interpolated.", "double", _LATENCY, False)
        for name, percent in PERCENTILES.items()
    },
    "total_tokens": Metric("Input and output tokens; 0 where none were counted.", "int64", _TOKENS, accounts=_TOKENS),
    "total_input_tokens": Metric(
        "Input tokens; 0 where none were counted.", "int64", _TOKENS[:1], accounts=_TOKENS[:1]
    ),
    "total_output_tokens": Metric(
        "Output tokens; 0 where none were counted.", "int64", _TOKENS[1:], accounts=_TOKENS[1:]
    ),
    "total_cost": Metric("Price in USD over the priced requests; null without any.", "double", ("cost_usd",), False,
                         ("cost",)),
    "avg_cost": Metric("Mean price in USD over the priced requests; null without any.", "double", ("cost_usd",), False),
    "error_rate": Metric(f"Share of requests with {_AN_ERROR}, 0 to 1.", "double", ("status_code",)),
    "error_count": Metric(f"Requests with {_AN_ERROR}.", "int64", ("status_code",)),
    "success_count": Metric(f"Requests with a status below {ERRORS_FROM}.", "int64", ("status_code",)),
    "unique_customers": Metric("Different customers, without ''.", "int64", ("customer_id",)),
}  # fmt: skip
