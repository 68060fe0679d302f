"""Transformations of a document: the columns between them, and what is said of those that don't go together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.airflow.dag_page import page
from bifrost_export.config.checks.transformations import open_twins
from bifrost_export.config.freezing import config_hash, freeze
from bifrost_export.config.loader import load
from bifrost_export.config.transformations import flow_of, told
from bifrost_export.pipeline.flows import steps_of_export

AGGREGATE = {"type": "aggregate", "group_by": ["provider", "date"], "metrics": ["count"]}
ANONYMIZE = {"type": "anonymize", "fields": ["customer_id"], "key": "${ANY_VARIABLE_AT_ALL}"}
ENRICH = {"type": "enrich", "add_fields": {"region": "eu"}}


def load_with(tmp_path: Path, *transformations: Any, **data: Any) -> Any:
    """A document with these transformations."""
    export = {
        "name": "a",
        "schedule": {"frequency": "daily"},
        "destination": {"type": "local", "config": {"path": "out"}},
        "data": {"transformations": list(transformations), **data},
    }
    path = tmp_path / "log_exports.json"
    path.write_text(json.dumps({"log_exports": {"exports": [export]}}))
    return load(path)


def test_columns_are_known_at_every_step(tmp_path: Path) -> None:
    """Without a row, and without pyarrow."""
    [loaded] = load_with(tmp_path, ENRICH, AGGREGATE, {**ENRICH, "add_fields": {"version": 2}}).exports
    way = flow_of(loaded.good.data, "request_logs")
    names = [[column.name for column in stage.after] for stage in way.stages]
    assert names[0][-2:] == ["cost_usd", "region"]
    assert names[1:] == [["provider", "date", "count"], ["provider", "date", "count", "version"]]
    assert [stage.step.name for stage in way.per_slice] == ["1-enrich"]
    assert [stage.step.name for stage in way.whole] == ["2-aggregate", "3-enrich"]
    assert steps_of_export(loaded.good) == {"request_logs": ("extract", "1-enrich", "2-aggregate", "3-enrich")}


def test_a_transformation_without_its_columns_runs_on_nothing_and_warns(tmp_path: Path) -> None:
    """The description's own example."""
    loaded = load_with(tmp_path, AGGREGATE, ANONYMIZE)
    assert loaded.errors == []
    [warning] = [each for each in loaded.problems if "not there any more" in each.message]
    assert (warning.severity, warning.pointer[-9:]) == ("warning", "/fields/0")
    assert [datasets for _, datasets in told(loaded.exports[0].good.data)] == [["request_logs"], []]


def test_a_column_that_one_of_several_fields_has_lost_leaves_no_other_in_the_open(tmp_path: Path) -> None:
    """`request_id` is gone, and `customer_id` is masked all the same."""
    grouped = {"type": "aggregate", "group_by": ["customer_id"], "metrics": ["count"]}
    both = {**ANONYMIZE, "fields": ["customer_id", "request_id"]}
    loaded = load_with(tmp_path, grouped, both)
    assert loaded.errors == []
    assert [datasets for _, datasets in told(loaded.exports[0].good.data)][1] == ["request_logs"]


def test_any_variable_may_hold_the_key_but_not_a_constant(tmp_path: Path) -> None:
    """A key is a secret; what is added to the rows isn't, and only what an administrator allows may be named there."""
    assert load_with(tmp_path, ANONYMIZE).errors == []
    [error] = load_with(tmp_path, {**ANONYMIZE, "key": "${AIRFLOW__CORE__FERNET_KEY}"}).errors
    assert "variable of Airflow's own" in error.message


def test_a_literal_key_stands_in_no_plan_and_on_no_page(tmp_path: Path) -> None:
    """It stays in the document; the page says that it is keyed, and warns."""
    loaded = load_with(tmp_path, {**ANONYMIZE, "key": "canary-key"})
    [export] = loaded.exports
    frozen = freeze(export)
    assert frozen["export"]["data"]["transformations"][0]["key"] == {
        "$document": "/log_exports/exports/0/data/transformations/0/key"
    }
    shown = page(export.good, frozen, config_hash(frozen), loaded.problems)
    assert "canary" not in shown + json.dumps(frozen) + "".join(map(str, loaded.problems))
    assert "1. `anonymize` on `request_logs`: `hash customer_id (HMAC-SHA-256)`" in shown
    assert "a literal secret stands in the document" in shown


def test_the_page_says_where_a_transformation_runs(tmp_path: Path) -> None:
    """Also that one runs nowhere."""
    [export] = load_with(tmp_path, AGGREGATE, ANONYMIZE).exports
    frozen = freeze(export)
    shown = page(export.good, frozen, config_hash(frozen))
    assert "1. `aggregate` on `request_logs`: `count by provider, date`" in shown
    assert "2. `anonymize` on no dataset" in shown


def test_other_transformations_give_another_hash(tmp_path: Path) -> None:
    """Readers of manifests, and Airflow, see that something has changed."""
    hashes = {
        config_hash(freeze(load_with(tmp_path, *each).exports[0]))
        for each in ([], [ENRICH], [ENRICH, ANONYMIZE], [ANONYMIZE, ENRICH])
    }
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("masked", "names", "twins"),
    [
        ({"customer_id"}, ["customer_id", "customer_name", "model"], [("customer_id", "customer_name")]),
        ({"customer_id", "customer_name"}, ["customer_id", "customer_name"], []),
        ({"user_id"}, ["user_id", "user_email", "user_name"], [("user_id", "user_name"), ("user_id", "user_email")]),
        ({"model"}, ["customer_id", "customer_name"], []),
    ],
)
def test_a_twin_of_a_masked_column_in_the_open_is_seen(
    masked: set[str], names: list[str], twins: list[tuple[str, str]]
) -> None:
    """A name beside a masked id tells as much."""
    assert open_twins(masked, names) == twins


def test_a_twin_that_a_transformation_brings_is_warned_of(tmp_path: Path) -> None:
    """At the transformation that masks the other."""
    named = {"type": "python", "callable": "a.b:c", "columns": {"customer_name": "string"}}
    [warning] = load_with(tmp_path, named, ANONYMIZE).problems
    assert (warning.severity, warning.pointer[-2:]) == ("warning", "/1")
    assert "'customer_name' stands in the open beside 'customer_id'" in warning.message


def test_a_class_that_can_not_tell_its_columns_breaks_its_export_alone(tmp_path: Path) -> None:
    """With its place and the class's own words."""
    entry = {"type": f"{__name__}:Broken"}
    [error] = load_with(tmp_path, entry).errors
    assert "can't tell its columns: ZeroDivisionError" in error.message


def _broken() -> type:
    from bifrost_export.transforms.port import Transform

    class Broken(Transform):
        def columns(self, given: Any) -> Any:
            return 1 / 0

        def apply(self, batches: Any, given: Any, setting: Any) -> Any:
            yield from batches

    return Broken


Broken = _broken()
