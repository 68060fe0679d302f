"""Filters keep the rows that pass every rule, and count the others under the first rule that removes them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.filters.config import Filters
from bifrost_export.filters.row_filter import RowFilter
from bifrost_export.filters.rules import DATE_RANGE, RULES, counted_together

NAMES = tuple(rule.name for rule in RULES)
SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in {
            "customer_id": pa.string(),
            "provider": pa.string(),
            "model": pa.string(),
            "status_code": pa.int32(),
            "latency_ms": pa.int32(),
        }.items()
    ]
)
WORDS = st.sampled_from(["", "openai", "OpenAI", "openai ", "ä"])
NUMBERS = st.sampled_from([0, 1, 200, 399, 400, 401, 500, 2**31 - 1])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(("customer_id", "provider", "model"), WORDS),
            **dict.fromkeys(("status_code", "latency_ms"), NUMBERS),
        }
    ),
    max_size=30,
)


def optional_list(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A filter's list, or None; an empty list is one of nothing."""
    return st.none() | st.lists(values, max_size=3).map(tuple)


FILTERS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("providers", "models", "customers"), optional_list(WORDS)),
        "status_codes": optional_list(NUMBERS),
        "min_latency_ms": st.none() | NUMBERS,
        "max_latency_ms": st.none() | NUMBERS,
        "has_errors": st.none() | st.booleans(),
    }
)


def filters(**given_: Any) -> Any:
    """A document's filters; those that are not given are None."""
    return SimpleNamespace(**{**dict.fromkeys(NAMES), "date_range": None, **given_})


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    """Rows with plain values where none are given."""
    plain = {"customer_id": "c", "provider": "p", "model": "m", "status_code": 200, "latency_ms": 10}
    return pa.RecordBatch.from_pylist([{**plain, **row} for row in rows], SCHEMA)


def remover(row: dict[str, Any], wanted: dict[str, Any]) -> str | None:
    """The first rule that removes a row, by the contract's words, or None."""
    passes: dict[str, Callable[[Any], bool]] = {
        "providers": lambda value: row["provider"] in value,
        "models": lambda value: row["model"] in value,
        "customers": lambda value: row["customer_id"] in value,
        "min_latency_ms": lambda value: row["latency_ms"] >= value,
        "max_latency_ms": lambda value: row["latency_ms"] <= value,
        "status_codes": lambda value: row["status_code"] in value,
        "has_errors": lambda value: (row["status_code"] >= 400) is value,
    }
    return next((rule for rule in passes if wanted[rule] is not None and not passes[rule](wanted[rule])), None)


@given(rows=ROWS, wanted=FILTERS)
def test_batches_are_filtered_as_row_by_row(rows: list[dict[str, Any]], wanted: dict[str, Any]) -> None:
    """The rows kept, their order, and the counts by rule are those of the plain reading of the contract."""
    kept, removed = RowFilter(filters(**wanted)).apply(batch(*rows))

    by_rule = [remover(row, wanted) for row in rows]
    assert kept.to_pylist() == [row for row, rule in zip(rows, by_rule, strict=True) if rule is None]
    assert {rule: count for rule, count in removed.items() if count} == {
        rule: by_rule.count(rule) for rule in NAMES if rule in by_rule
    }
    assert kept.schema == SCHEMA


@given(rows=ROWS, wanted=FILTERS, at=st.integers(0, 30))
def test_cutting_a_batch_changes_nothing(rows: list[dict[str, Any]], wanted: dict[str, Any], at: int) -> None:
    """Slices of a longer batch give the same rows and counts together."""
    whole, row_filter = batch(*rows), RowFilter(filters(**wanted))

    first, second = row_filter.apply(whole.slice(0, at)), row_filter.apply(whole.slice(min(at, len(rows))))
    kept, removed = row_filter.apply(whole)
    assert first[0].to_pylist() + second[0].to_pylist() == kept.to_pylist()
    assert {rule: first[1][rule] + second[1][rule] for rule in removed} == removed


def test_the_rules_stand_in_the_order_in_which_rows_are_counted() -> None:
    """The order of the contract, behind `date_range`."""
    assert NAMES == (
        "providers",
        "models",
        "customers",
        "min_latency_ms",
        "max_latency_ms",
        "status_codes",
        "has_errors",
    )
    assert list(counted_together(dict.fromkeys(("request", *reversed(NAMES), DATE_RANGE), 1))) == [
        *(DATE_RANGE, *NAMES),
        "request",
    ]


def test_every_key_of_the_document_is_a_rule() -> None:
    """And every rule is a key; the date range is the one that looks at no record."""
    assert set(Filters.model_fields) == {DATE_RANGE, *NAMES}


def test_a_row_that_several_rules_remove_counts_once() -> None:
    """Under the first of them, in the contract's order."""
    row_filter = RowFilter(filters(has_errors=True, models=("x",), providers=("p",), min_latency_ms=99))

    kept, removed = row_filter.apply(batch({}, {"model": "x"}, {"model": "x", "latency_ms": 99}))

    assert kept.num_rows == 0
    assert removed == {"providers": 0, "models": 1, "min_latency_ms": 1, "has_errors": 1}


@pytest.mark.parametrize(
    ("wanted", "is_empty"),
    [
        pytest.param({}, True, id="none"),
        pytest.param({"date_range": "last_7_days"}, True, id="only a date range"),
        pytest.param({"has_errors": False}, False, id="false is a filter"),
        pytest.param({"min_latency_ms": 0}, False, id="zero is a filter"),
        pytest.param({"providers": ()}, False, id="one of nothing is a filter"),
    ],
)
def test_a_filter_is_empty_when_every_row_passes(wanted: dict[str, Any], is_empty: bool) -> None:
    """What looks at no record is no filter on records."""
    assert RowFilter(filters(**wanted)).is_empty is is_empty


def test_without_filters_the_batch_comes_back() -> None:
    """No row is copied and no rule is named."""
    given_ = batch({}, {"status_code": 500})

    kept, removed = RowFilter(filters()).apply(given_)

    assert (kept.equals(given_), removed) == (True, {})
