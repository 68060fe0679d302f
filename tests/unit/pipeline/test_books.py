"""The books: sums that don't depend on how rows were cut, and comparisons that let no difference pass."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.errors import BooksError
from bifrost_export.logstore.port import Rejected, Totals
from bifrost_export.pipeline.books import Books, Sums, balance
from bifrost_export.thresholds import SUMMED_COST

SCHEMA = pa.schema([("input_tokens", pa.int32()), ("output_tokens", pa.int32()), ("cost_usd", pa.float64())])
TOKENS = st.none() | st.integers(-(2**31), 2**31 - 1)
COSTS = st.none() | st.floats(-1e6, 1e6)
ROWS = st.lists(
    st.fixed_dictionaries({"input_tokens": TOKENS, "output_tokens": TOKENS, "cost_usd": COSTS}), max_size=20
)
TEN = Sums(10, 100, 50, (1.5,), 1.5)
FOUR = Sums(4, 40, 20, (0.5,), 0.5)
SIX = Sums(6, 60, 30, (1.0,), 1.0)


def batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Rows as a batch."""
    return pa.RecordBatch.from_pylist(rows, SCHEMA)


def books(**changes: Sums | dict[str, int]) -> Books:
    """Books that balance, but for the changes: of ten rows four were filtered."""
    good = Books(source=TEN, filtered=FOUR, filtered_by={"models": 3, "has_errors": 1}, kept=SIX, staged=SIX)
    return replace(good, **changes)  # type: ignore[arg-type]


@given(ROWS)
def test_a_batch_adds_up_to_what_its_rows_do(rows: list[dict[str, Any]]) -> None:
    """A null counts 0, and the cost is rounded once."""
    sums = Sums.of_batch(batch(rows))

    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    assert sums.rows == len(rows)
    assert sums.input_tokens == sum(row["input_tokens"] or 0 for row in rows)
    assert sums.output_tokens == sum(row["output_tokens"] or 0 for row in rows)
    assert sums.cost_usd == math.fsum(costs)
    assert sums.cost_scale == pytest.approx(sum(map(abs, costs)))


@given(ROWS, st.integers(0, 20), st.integers(0, 20))
def test_how_rows_are_cut_changes_no_digit(rows: list[dict[str, Any]], first: int, second: int) -> None:
    """Rows, tokens and cost of the pieces, in any order, are those of the whole."""
    low, high = sorted((first, second))
    pieces = [Sums.of_batch(batch(each)) for each in (rows[:low], rows[low:high], rows[high:])]
    whole = Sums.of_batch(batch(rows))

    for each in (pieces[0] + pieces[1] + pieces[2], pieces[2] + (pieces[0] + pieces[1])):
        assert replace(each, cost_scale=0.0) == replace(whole, cost_scale=0.0)
    assert not (whole - pieces[1]).differences(pieces[0] + pieces[2])


@given(ROWS)
def test_sums_survive_json(rows: list[dict[str, Any]]) -> None:
    """What goes through an XCom comes back as it was."""
    sums = Sums.of_batch(batch(rows))

    assert Sums.from_json(json.loads(json.dumps(sums.to_json()))) == sums


def test_columns_that_a_batch_lacks_count_nothing() -> None:
    """A dataset without tokens and cost has rows all the same, which take some room."""
    assert Sums.of_batch(pa.record_batch({"model": ["a", "b"]})) == Sums(rows=2, bytes=2 * (1 + 4))


def test_a_cost_beyond_what_is_summed_is_left_out() -> None:
    """One absurd row doesn't hide what the others add up to, and the log store leaves it out too."""
    costs = [0.1, SUMMED_COST, -SUMMED_COST, SUMMED_COST * 10, 0.2]

    assert Sums.of_batch(pa.record_batch({"cost_usd": costs})).cost_usd == math.fsum([0.1, 0.2])


def test_the_log_stores_figures_become_sums() -> None:
    """Totals and rejected rows are booked in the same units."""
    totals = Totals(rows=3, unsettled=1, input_tokens=30, output_tokens=15, cost_usd=0.5, cost_scale=0.7)
    rejected = [Rejected(0, f"r{cost}", "latency_ms", "no number", "text", 3, 10, 5, cost) for cost in (-0.25, 0.5)]

    assert Sums.of_totals(totals) == Sums(3, 30, 15, (0.5,), 0.7)
    assert Sums.of_rejected(rejected) == Sums(2, 20, 10, (0.25,), 0.75)
    assert Sums.of_rejected([]) == Sums()


def test_the_manifest_is_told_tokens_and_cost() -> None:
    """The cost is one number, rounded once."""
    assert (TEN + Sums(cost=(0.1,))).tokens_and_cost() == {"input_tokens": 100, "output_tokens": 50, "cost_usd": 1.6}


@pytest.mark.parametrize(
    ("other", "told"),
    [
        pytest.param(replace(TEN, rows=9), ["rows 10 against 9"], id="rows"),
        pytest.param(replace(TEN, input_tokens=1_000), ["input tokens 100 against 1,000"], id="input tokens"),
        pytest.param(replace(TEN, output_tokens=0), ["output tokens 50 against 0"], id="output tokens"),
        pytest.param(replace(TEN, cost=(1.5001,)), ["cost 1.5 against 1.5001"], id="cost"),
        pytest.param(replace(TEN, cost=(math.nan,)), ["cost 1.5 against nan"], id="no number"),
        pytest.param(replace(TEN, cost=(1.5, 1e-12)), [], id="rounding"),
        pytest.param(replace(TEN, cost_scale=9.0), [], id="scale"),
    ],
)
def test_differences_are_told_with_both_figures(other: Sums, told: list[str]) -> None:
    """Only what a float's rounding explains passes."""
    assert TEN.differences(other) == told


def test_a_small_cost_is_compared_to_its_own_scale() -> None:
    """A part of a cent that is missing among tiny costs is a difference."""
    assert Sums(cost=(1e-9,), cost_scale=1e-9).differences(Sums())


def test_books_that_balance_pass() -> None:
    """Source = kept + filtered + rejected, and kept = staged."""
    books().check("the window")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"source": replace(TEN, rows=11)}, "log store against kept .* rows 11 against 10", id="source"),
        pytest.param({"staged": replace(SIX, rows=5)}, "staged by the last step .* rows 6 against 5", id="staged"),
        pytest.param({"rejected": Sums(rows=1)}, "log store against kept .* rows 10 against 11", id="rejected"),
        pytest.param({"kept": FOUR, "staged": FOUR}, "input tokens 100 against 80", id="kept"),
        pytest.param({"filtered_by": {"models": 3}}, "the rules removed 3 rows, and 4 are missing", id="rules"),
    ],
)
def test_books_that_differ_are_refused(changes: dict[str, Any], told: str) -> None:
    """The message says where, between which stages, and both figures."""
    with pytest.raises(BooksError, match=f"the window.*{told}"):
        books(**changes).check("the window")


def test_a_refusal_says_that_nothing_was_published_and_what_to_do() -> None:
    """It fails closed."""
    with pytest.raises(
        BooksError, match=r"the books of parts do not balance: .*nothing was published. Clear from plan"
    ):
        balance("parts", TEN, SIX)


def test_books_of_slices_add_up() -> None:
    """Every stage, the rules in the order in which they came, and what is unsettled."""
    other = Books(source=FOUR, filtered=FOUR, filtered_by={"has_errors": 1, "date_range": 3}, unsettled=2)

    both = books() + other

    assert both.filtered_by == {"models": 3, "has_errors": 2, "date_range": 3}
    assert both.source == TEN + FOUR
    assert (both.filtered, both.kept, both.staged, both.unsettled) == (FOUR + FOUR, SIX, SIX, 2)
    both.check("the window")


def test_books_survive_json() -> None:
    """What goes through an XCom comes back as it was."""
    assert Books.from_json(json.loads(json.dumps(books().to_json()))) == books()
