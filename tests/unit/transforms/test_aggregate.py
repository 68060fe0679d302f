"""`aggregate` against numpy, row by row: every metric, every group, also when the groups don't fit into memory."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bifrost_export.columns import Column
from bifrost_export.errors import ConfigError
from bifrost_export.transforms.metrics import METRICS
from tests.unit.transforms.requests import BERLIN, FIRST, RECORD, ROWS, applied, row, setting, transformation

GROUPS = st.lists(
    st.sampled_from(["provider", "model", "customer_id", "date", "hour", "week", "month", "input_tokens", "cost_usd"]),
    min_size=1,
    max_size=3,
    unique=True,
)
ALL = tuple(METRICS)
TINY = 4096
"""Bytes that make every aggregation divide its groups on disk."""


def local_groups(each: dict[str, Any]) -> dict[str, Any]:
    """What the words for time mean, from the standard library's calendar."""
    local = each["timestamp"].astimezone(BERLIN)
    monday = local.date() - dt.timedelta(days=local.weekday())
    hour = each["timestamp"] - dt.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return {"date": local.date(), "hour": hour, "week": monday, "month": f"{local:%Y-%m}"}


def by_numpy(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The metrics of one group."""
    latencies = np.array([each["latency_ms"] for each in rows])
    costs = [each["cost_usd"] for each in rows if each["cost_usd"] is not None]
    codes = [each["status_code"] for each in rows]
    tokens = {name: sum(each[name] or 0 for each in rows) for name in ("input_tokens", "output_tokens")}
    errors = sum(code >= 400 for code in codes)
    return {
        "count": len(rows),
        "total_requests": len(rows),
        "avg_latency": float(np.mean(latencies)),
        "min_latency": int(latencies.min()),
        "max_latency": int(latencies.max()),
        **{f"p{percent}_latency": float(np.percentile(latencies, percent)) for percent in (50, 90, 95, 99)},
        "total_tokens": sum(tokens.values()),
        "total_input_tokens": tokens["input_tokens"],
        "total_output_tokens": tokens["output_tokens"],
        "total_cost": math.fsum(costs) if costs else None,
        "avg_cost": math.fsum(costs) / len(costs) if costs else None,
        "error_rate": errors / len(rows),
        "error_count": errors,
        "success_count": len(rows) - errors,
        "unique_customers": len({each["customer_id"] for each in rows} - {""}),
    }


def in_order(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sorts as the rows stand: text by its bytes, null last."""
    return tuple((value is None, value.encode() if isinstance(value, str) else value or 0) for value in key)


def expected(rows: list[dict[str, Any]], groups: list[str]) -> list[dict[str, Any]]:
    """The whole aggregation, slowly."""
    found = defaultdict(list)
    for each in rows:
        told = each | local_groups(each)
        found[tuple(told[name] for name in groups)].append(each)
    return [dict(zip(groups, key, strict=True)) | by_numpy(found[key]) for key in sorted(found, key=in_order)]


@settings(max_examples=60)
@given(ROWS, GROUPS, st.integers(1, 70), st.sampled_from([TINY, 1 << 26]))
@example([row(timestamp=FIRST + dt.timedelta(minutes=each)) for each in range(0, 600, 7)], ["hour", "date"], 9, TINY)
def test_every_metric_of_every_group_is_that_of_numpy(
    rows: list[dict[str, Any]], groups: list[str], size: int, memory: int
) -> None:
    """Percentiles to 1e-9, sums exactly; the order of the rows too, however they are cut and wherever they are held."""
    found = applied(rows, size, where=setting(memory), type="aggregate", group_by=groups, metrics=ALL)

    wanted = expected(rows, groups)
    assert [tuple(each[name] for name in groups) for each in found] == [
        tuple(each[name] for name in groups) for each in wanted
    ]
    for made, right in zip(found, wanted, strict=True):
        for name in ALL:
            if isinstance(right[name], float):
                assert made[name] == pytest.approx(right[name], rel=1e-9, abs=0), name
            else:
                assert made[name] == right[name], name


@settings(max_examples=25)
@given(ROWS, st.integers(1, 70), st.integers(1, 70))
def test_neither_cuts_nor_memory_change_a_bit(rows: list[dict[str, Any]], one: int, other: int) -> None:
    """Sums of floats are exact, so that what changes the slices changes nothing."""
    config = {"type": "aggregate", "group_by": ["model", "date"], "metrics": ALL}
    assert applied(rows, one, where=setting(TINY), **config) == applied(rows, other, **config)


def test_the_hour_that_comes_twice_is_two_groups_and_the_skipped_one_none() -> None:
    """On 2026-10-25 Berlin has 02:30 twice; on 2026-03-29 it has none."""
    autumn = dt.datetime(2026, 10, 24, 23, 30, tzinfo=dt.timezone.utc)
    rows = [row(timestamp=autumn + dt.timedelta(hours=each)) for each in range(4)]
    found = applied(rows, type="aggregate", group_by=["date", "hour"], metrics=["count"])
    assert [each["hour"].hour for each in found] == [23, 0, 1, 2]
    assert {each["date"] for each in found} == {dt.date(2026, 10, 25)}


def test_many_groups_are_divided_more_than_once() -> None:
    """What is too large after one division is divided again, and all comes out once and in order."""
    rows = [row(request_id=f"{number:05d}", latency_ms=number) for number in range(3000)]
    config = {"type": "aggregate", "group_by": ["request_id"], "metrics": ["max_latency", "p50_latency"]}
    opened = 0

    def scratch() -> Any:
        nonlocal opened
        opened += 1
        return where.scratch()

    where = setting(600)
    found = applied(rows, 100, where=type(where)(where.dataset, where.timezone, scratch, 600), **config)
    assert [each["request_id"] for each in found] == [each["request_id"] for each in rows]
    assert [each["p50_latency"] for each in found] == [float(each["latency_ms"]) for each in rows]
    assert opened > 64


def test_no_rows_are_no_groups() -> None:
    """An empty window stays empty."""
    assert applied([], type="aggregate", group_by=["provider"], metrics=ALL) == []


def test_a_second_aggregation_groups_what_the_first_one_gave() -> None:
    """There `date` is a column, and count counts groups."""
    first: dict[str, Any] = {"type": "aggregate", "group_by": ["date", "model"], "metrics": ["count"]}
    groups = applied([row(model=each) for each in "aba"], **first)
    given_then = transformation(**first).columns(RECORD)
    second = applied(groups, given=given_then, type="aggregate", group_by=["date"], metrics=["count"])
    assert second == [{"date": dt.date(2026, 3, 28), "count": 2}]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"group_by": ("count",), "metrics": ("count",)}, "a column to group by, and a metric"),
        ({"group_by": ("model", "model"), "metrics": ("count",)}, "stands twice"),
        ({"group_by": ("model",), "metrics": ("p96_latency",)}, "no metric 'p96_latency'"),
    ],
)
def test_what_can_not_be_aggregated_is_told(config: dict[str, Any], message: str) -> None:
    """Before any row is read."""
    with pytest.raises(ConfigError, match=message):
        transformation(type="aggregate", **config).columns((*RECORD, Column("count", "int64", True, "")))


def test_a_metric_of_a_column_that_has_become_text_is_refused() -> None:
    """The columns are known beforehand, and so is that they don't fit."""
    text = transformation(type="enrich", add_fields={"latency_ms": "slow"}, overwrite=True).columns(RECORD)
    with pytest.raises(ConfigError, match="'latency_ms' is string here"):
        transformation(type="aggregate", group_by=("model",), metrics=("avg_latency",)).columns(text)
