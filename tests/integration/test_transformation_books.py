"""The books of transformations fail closed: what loses, doubles or skips rows never gets published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bifrost_export.errors import BooksError, PlanMismatchError, TransformError
from bifrost_export.pipeline.aggregate import aggregate
from bifrost_export.pipeline.extract import extract
from bifrost_export.pipeline.filter import filter_slice
from bifrost_export.pipeline.first_rows import first_rows
from bifrost_export.pipeline.plan import PlanRequest, plan
from bifrost_export.pipeline.plan_document import Plan
from bifrost_export.pipeline.reconcile import reconcile
from bifrost_export.pipeline.resources import open_staging
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.pipeline.transform import transform
from bifrost_export.transforms.aggregate import Aggregate
from bifrost_export.transforms.port import Setting, Transform
from bifrost_export.window import Window
from tests.integration.exports import AFTERWARDS, Export

DAY = Window.parse("2026-03-01", "2026-03-02")
BY_MODEL = {
    "group_by": ["model"],
    "metrics": ["count", "total_input_tokens", "total_tokens", "total_cost"],
}
ANONYMIZE = {"type": "anonymize", "fields": ["customer_id"], "key": "${BIFROST_KEY}"}


class Loses(Transform):
    """Says that it keeps all rows, and loses one of each batch."""

    keeps_rows: ClassVar[bool] = True

    def apply(self, batches: Iterator[Any], given: Any, setting: Setting) -> Iterator[Any]:
        """Lose a row."""
        for batch in batches:
            yield batch.slice(1)


class Doubles(Transform):
    """Says that it keeps all rows, and gives each batch twice."""

    keeps_rows: ClassVar[bool] = True

    def apply(self, batches: Iterator[Any], given: Any, setting: Setting) -> Iterator[Any]:
        """Double the rows."""
        for batch in batches:
            yield batch
            yield batch


class Spends(Transform):
    """Changes what rows cost, and doesn't say so."""

    keeps_rows: ClassVar[bool] = True

    def apply(self, batches: Iterator[Any], given: Any, setting: Setting) -> Iterator[Any]:
        """Double the costs."""
        import pyarrow.compute as pc

        for batch in batches:
            index = batch.schema.get_field_index("cost_usd")
            yield batch.set_column(index, batch.schema.field(index), pc.multiply(batch.column(index), 2.0))


class Forgets(Transform):
    """Gives other columns than it says."""

    def apply(self, batches: Iterator[Any], given: Any, setting: Setting) -> Iterator[Any]:
        """Drop a column."""
        for batch in batches:
            yield batch.drop_columns(["model"])


class Fails(Transform):
    """Fails, and tells a value."""

    def apply(self, batches: Iterator[Any], given: Any, setting: Setting) -> Iterator[Any]:
        """Raise."""
        for batch in batches:
            raise ValueError(batch.column("request_id")[0].as_py())
        yield


class Miscounts(Aggregate):
    """An aggregation that loses all groups but the last."""

    def apply(self, batches: Iterator[Any], given: Any, setting: Setting) -> Iterator[Any]:
        """Lose groups."""
        for batch in super().apply(batches, given, setting):
            yield batch.slice(batch.num_rows - 1)


@pytest.mark.parametrize(
    ("name", "config", "error", "message"),
    [
        ("Loses", {}, BooksError, "what 1-Loses was given against what it gave do not balance: rows"),
        ("Doubles", {}, BooksError, "do not balance: rows .* input tokens"),
        ("Spends", {}, BooksError, "do not balance: cost"),
        ("Miscounts", BY_MODEL, BooksError, "do not balance: rows .* input tokens .*; tokens .*; cost"),
        ("Forgets", {}, TransformError, "gave .*, and said that it would give .*model string required"),
        ("Fails", {}, TransformError, "failed with ValueError in test_transformation_books.py, line"),
    ],
)
def test_what_a_transformation_does_wrong_is_not_published(
    tmp_path: Path, log_store: Path, name: str, config: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Whoever wrote it."""
    export = Export(tmp_path, log_store, {"transformations": [{"type": f"{__name__}:{name}", **config}]})
    with pytest.raises(error, match=message):
        export.run(DAY)
    assert export.contents() == {}


@dataclass
class Bench:
    """The steps of a run, one by one."""

    runtime: Runtime
    plan: Plan

    def transformed(self) -> list[dict[str, Any]]:
        """What the instances of `transform` give."""
        return [transform(self.runtime, self.plan, self.filtered(item)) for item in self.plan.items()]

    def filtered(self, item: dict[str, Any]) -> dict[str, Any]:
        """What an instance of `filter` gives."""
        return filter_slice(self.runtime, self.plan, extract(self.runtime, self.plan, item))


@pytest.fixture
def bench(tmp_path: Path, log_store: Path) -> Bench:
    """Slices, a mask, and an aggregation over all of them."""
    aggregation = {"type": "aggregate", "group_by": ["customer_id"], "metrics": ["count"]}
    export = Export(tmp_path, log_store, {"transformations": [ANONYMIZE, aggregation]})
    runtime = Runtime(now=lambda: AFTERWARDS, environ={"BIFROST_KEY": "k"}, rows_per_slice=300)
    return Bench(runtime, plan(runtime, PlanRequest(str(export.document()), "nightly", DAY, "test")))


def test_a_file_that_lacks_a_step_is_refused(bench: Bench) -> None:
    """A slice that nobody has masked gets neither into the aggregation nor before anybody's eyes."""
    assert len(bench.plan.slices) > 2
    items = bench.transformed()
    plain = bench.filtered(bench.plan.items()[1])
    items[1] = {**items[1], "files": plain["files"]}
    with pytest.raises(PlanMismatchError, match="not what the plan says: steps is"):
        aggregate(bench.runtime, bench.plan, items)
    with pytest.raises(PlanMismatchError, match="not what the plan says: steps is"):
        first_rows(bench.plan, open_staging(bench.runtime, bench.plan), items[1], "request_logs", 5)


def test_what_was_planned_as_a_whole_has_to_come_as_a_whole(bench: Bench) -> None:
    """Neither the slices alone nor those of another run."""
    given = aggregate(bench.runtime, bench.plan, bench.transformed())
    assert reconcile(bench.runtime, bench.plan, given)["pieces"] == 1
    for lacking in (given[:-1], [*given[:-1], {**given[-1], "token": "00000000"}], [*given, given[-1]]):
        with pytest.raises(PlanMismatchError, match="as a whole"):
            reconcile(bench.runtime, bench.plan, lacking)


def test_books_that_differ_between_two_steps_fail(bench: Bench) -> None:
    """What the aggregation was given is what the slices have staged."""
    given = aggregate(bench.runtime, bench.plan, bench.transformed())
    change = given[-1]["changes"]["request_logs"]["changes"][0]
    change["given"]["rows"] -= 1
    change["told"]["rows"] -= 1
    with pytest.raises(BooksError, match="what 1-anonymize gave against what 2-aggregate was given"):
        reconcile(bench.runtime, bench.plan, given)


def test_a_plan_survives_its_way_through_xcom(bench: Bench) -> None:
    """Steps by dataset, and no secret."""
    read = Plan.from_json(bench.plan.to_json())
    assert read == bench.plan
    assert read.hash == bench.plan.hash
    assert read.steps == {"request_logs": ("extract", "1-anonymize", "2-aggregate")}
