"""A task takes exactly what the plan says, and nothing of another plan."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.errors import PlanMismatchError
from bifrost_export.pipeline.plan_document import check_token, take

PLAN: Any = SimpleNamespace(token="0badcafe")
OTHERS = st.lists(
    st.none()
    | st.fixed_dictionaries({"token": st.sampled_from(["11111111", None]), "slice": st.integers(0, 9)})
    | st.just({}),
    max_size=5,
)


def item(number: int, **more: Any) -> dict[str, Any]:
    """An item of the plan."""
    return {"token": PLAN.token, "slice": number, **more}


@given(st.integers(0, 8), OTHERS, st.randoms(use_true_random=False))
def test_items_are_taken_in_order_whatever_else_arrives(count: int, others: list[Any], order: random.Random) -> None:
    """Skipped instances give None, and XComs of a former plan stay: both are left aside."""
    items = [*map(item, range(count)), *others]
    order.shuffle(items)

    assert take(PLAN, items, "slice", count) == [item(number) for number in range(count)]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        pytest.param(
            [0, 2], r"planned 3 of slice, and got 2 of this plan's token 0badcafe; missing: \[1\]", id="missing"
        ),
        pytest.param([], r"got 0 .*missing: \[0, 1, 2\]", id="none"),
        pytest.param([0, 1, 2, 3], "planned 3 of slice, and got 4", id="one too many"),
        pytest.param([0, 1, 1, 2], "planned 3 of slice, and got 4", id="one twice"),
        pytest.param([0, 1, 1], r"got 3 .*missing: \[2\]", id="one twice and one missing"),
        pytest.param([0, 1, None], r"got 3 .*missing: \[2\]", id="one without a number"),
    ],
)
def test_anything_but_the_planned_items_is_refused(numbers: list[Any], told: str) -> None:
    """A run never goes on with less, or more, than was planned."""
    with pytest.raises(PlanMismatchError, match=f"{told}.*Clear from plan"):
        take(PLAN, map(item, numbers), "slice", 3)


def test_an_item_that_went_through_the_steps_passes() -> None:
    """The steps are compared one by one, as a list or as a tuple."""
    check_token(PLAN, item(0, done=["extract", "filter"]), ("extract", "filter"))
    check_token(PLAN, item(0), [])


def test_an_item_of_another_plan_is_refused() -> None:
    """The message names both tokens."""
    with pytest.raises(PlanMismatchError, match="an item of token 'deadbeef', and the plan's is '0badcafe'"):
        check_token(PLAN, {"token": "deadbeef", "done": []}, [])


@pytest.mark.parametrize("done", [[], ["extract"], ["filter", "extract"], ["extract", "filter", "transform"]], ids=str)
def test_an_item_that_lacks_or_adds_a_step_is_refused(done: list[str]) -> None:
    """The order counts too."""
    with pytest.raises(PlanMismatchError, match=r"the item has been through .* instead of \['extract', 'filter'\]"):
        check_token(PLAN, item(0, done=done), ["extract", "filter"])
