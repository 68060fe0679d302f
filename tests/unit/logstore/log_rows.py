"""Log rows of any shape that the schema allows, for property tests."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from hypothesis import strategies as st

from tests.support.odd_rows import OBJECT_TYPES
from tests.support.odd_times import space_form

DAY = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["'", '"', "\\", "\\N", "é😀", "a\tb\r\nc"]
)
_CODES = st.integers(-5, 600) | st.sampled_from([2**31 - 1, 2**31, 2**70, "429", "0", "007", "x", 4.0, 4.5, True, None])
_NUMBERS = st.none() | st.integers(-(10**10), 10**10) | st.floats(allow_nan=False, allow_infinity=False, width=32)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS, lambda inner: st.lists(inner, max_size=3), max_leaves=4
)
_CLASSES = st.sampled_from(["provider_timeout", "caller_x", "policy_x", "policy_rate_limited", "?", 7, None])
_DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "status_code": _CODES,
        "error": _JSON,
        "extra_fields": _JSON
        | st.fixed_dictionaries({}, optional={"latency": _NUMBERS | st.booleans(), "error_type": _CLASSES}),
    },
)
_PARAMS = st.fixed_dictionaries({}, optional={"method": _JSON, "path": _JSON | _TEXTS, "status_code": _CODES})


def _written(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str | None]:
    """Values as JSON texts, in either way to write them; some cut off, some other text, some nothing."""
    told = st.builds(lambda value, plain: json.dumps(value, ensure_ascii=plain), values, st.booleans())
    return told | st.builds(lambda text: text[:-1], told) | _TEXTS | st.none()


_TIMES = st.timedeltas(dt.timedelta(), dt.timedelta(hours=24) - dt.timedelta(microseconds=1)).map(
    lambda since: space_form(DAY + since)
) | st.sampled_from([space_form(DAY), space_form(DAY + dt.timedelta(days=1)), space_form(DAY + dt.timedelta(hours=12))])
_COUNTS = st.none() | st.sampled_from([0, 7, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1]) | st.integers(0, 9)
_REALS = (
    st.none()
    | st.floats(allow_nan=False)
    | st.sampled_from([0.5, 1.5, 2.5, 2147483647.5, 1e300, 5e-324])
    | st.integers(0, 9)
)
_STATUSES = st.sampled_from(["success", "error", "cancelled", "processing", "half-done", ""])

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": _TEXTS,
            "timestamp": _TIMES,
            "created_at": _TIMES,
            "object_type": st.sampled_from((*OBJECT_TYPES, "passthrough", "passthrough_stream")) | _TEXTS,
            "provider": _TEXTS,
            "model": _TEXTS,
            "status": _STATUSES,
            "latency": _REALS,
            "cost": _REALS,
            "prompt_tokens": _COUNTS,
            "completion_tokens": _COUNTS,
            "total_tokens": _COUNTS,
            "token_usage": st.sampled_from([None, "", "{}"]),
            "customer_id": st.none() | _TEXTS,
            "customer_ids": _written(st.lists(_JSON, max_size=2)),
            "error_details": _written(_DETAILS),
            "params": _written(_PARAMS),
        }
    ),
    unique_by=lambda row: row["id"],
    min_size=1,
    max_size=12,
)
"""Rows in and just behind the day `DAY`, each with an id of its own."""
