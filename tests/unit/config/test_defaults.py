"""`log_exports.defaults`: what exports take over from it, and where its problems are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.config.documents import Loaded
from bifrost_export.config.freezing import freeze
from bifrost_export.config.models.export import Export
from bifrost_export.config.references.resolver import Resolver
from bifrost_export.destinations.s3.config import S3Config
from tests.unit.config.documents import POINTER, document, export, loaded, problem_at, to_s3

DEFAULTS = "/log_exports/defaults"


def with_defaults(defaults: Any, *exports: Any) -> dict[str, Any]:
    """A document with these defaults."""
    made = document(*exports)
    made["log_exports"]["defaults"] = defaults
    return made


def good(found: Loaded) -> list[Export]:
    """The exports of a document without problems."""
    assert found.problems == []
    return [each.export for each in found.exports if each.export is not None]


def pointers(found: Loaded) -> list[str]:
    """Where the problems are told."""
    return [each.pointer for each in found.problems]


def test_objects_are_merged_and_lists_replaced(tmp_path: Path) -> None:
    """The export's own key wins, at any depth."""
    defaults = {
        "owner": "data",
        "data": {"max_rows_per_file": 9, "filters": {"providers": ["a", "b"], "has_errors": True}},
        "airflow": {"tags": ["x"], "retries": 1},
    }
    own = {"data": {"filters": {"providers": ["c"]}}, "airflow": {"tags": ["y"]}}
    one, two = good(loaded(tmp_path, with_defaults(defaults, export(**own), export(name="two", owner="me"))))
    assert (one.owner, two.owner) == ("data", "me")
    assert (one.data.max_rows_per_file, one.data.filters.providers, one.data.filters.has_errors) == (9, ("c",), True)
    assert (one.airflow.tags, one.airflow.retries) == (("y",), 1)
    assert (two.data.filters.providers, two.airflow.tags) == (("a", "b"), ("x",))


def test_null_takes_a_default_away(tmp_path: Path) -> None:
    """Where nothing may stand."""
    defaults = {"source": {"type": "sqlite", "config": {"path": "a"}}, "data": {"filters": {"models": ["m"]}}}
    (made,) = good(loaded(tmp_path, with_defaults(defaults, export(source=None, data={"filters": {"models": None}}))))
    assert (made.source, made.data.filters.models) == (None, None)


def test_an_export_may_take_over_all_but_its_name(tmp_path: Path) -> None:
    """What is required may stand in the defaults."""
    shared = {key: value for key, value in export().items() if key != "name"}
    one, two = good(loaded(tmp_path, with_defaults(shared, {"name": "one"}, {"name": "two"})))
    assert (one.name, two.name) == ("one", "two")
    assert one.destination == two.destination


def test_defaults_and_exports_may_be_written_in_words(tmp_path: Path) -> None:
    """In any mixture."""
    defaults = {
        "schedule": "daily",
        "time": "03:00",
        "timezone": "Asia/Tokyo",
        "destination": "s3",
        "config": {"bucket": "b"},
    }
    own = {"name": "two", "time": "04:00", "schedule": "daily", "config": {"region": "eu-west-1"}, "destination": "s3"}
    one, two = good(loaded(tmp_path, with_defaults(defaults, {"name": "one"}, own)))
    assert one.schedule.describe() == "daily at 03:00 Asia/Tokyo"
    assert two.schedule.describe() == "daily at 04:00 Asia/Tokyo"
    assert two.destination.config == {"bucket": "b", "region": "eu-west-1"}
    (one,) = good(
        loaded(tmp_path, with_defaults(defaults, {"name": "one", "time": "06:00", "config": {"prefix": "p/"}}))
    )
    assert one.schedule.describe() == "daily at 06:00 Asia/Tokyo"
    assert one.destination.config == {"bucket": "b", "prefix": "p/"}
    (one,) = good(loaded(tmp_path, with_defaults({"timezone": "Asia/Tokyo"}, export())))
    assert one.schedule.describe() == "daily at 02:00 Asia/Tokyo"


def test_what_belongs_to_another_kind_is_not_taken_over(tmp_path: Path) -> None:
    """A bucket is no key of local files; the config of a kind without a type is for all."""
    defaults = {"destination": {"type": "s3", "config": {"bucket": "b", "prefix": "p/"}}}
    local = {"type": "local", "config": {"path": "out"}}
    one, two = good(
        loaded(
            tmp_path, with_defaults(defaults, export(destination=local), export(name="t", destination={"type": "s3"}))
        )
    )
    assert one.destination.config == {"path": "out"}
    assert two.destination.config == {"bucket": "b", "prefix": "p/"}
    defaults = {"destination": {"config": {"prefix": "p/"}}}
    one, two = good(loaded(tmp_path, with_defaults(defaults, export(destination=local), {**export(), "name": "t"})))
    assert one.destination.config == {"path": "out", "prefix": "p/"}
    assert two.destination.config == {"bucket": "logs", "prefix": "p/"}


def test_a_problem_of_the_defaults_is_told_once_and_breaks_its_heirs(tmp_path: Path) -> None:
    """An export that says otherwise is good."""
    own = {"frequency": "daily", "time": "05:00"}
    heir = export(schedule={"frequency": "daily"})
    found = loaded(
        tmp_path,
        with_defaults(
            {"schedule": {"time": "25:00"}}, {**heir, "name": "a"}, {**heir, "name": "b"}, export(schedule=own)
        ),
    )
    assert pointers(found) == [f"{DEFAULTS}/schedule/time"]
    assert [each.export is not None for each in found.exports] == [False, False, True]
    assert [[problem.pointer for problem in each.errors] for each in found.exports] == [
        [f"{DEFAULTS}/schedule/time"],
        [f"{DEFAULTS}/schedule/time"],
        [],
    ]


@pytest.mark.parametrize(
    ("defaults", "pointer", "message"),
    [
        ({"ownr": "x"}, "/ownr", "unknown key 'ownr'"),
        ({"schedule": {"tiem": "01:00"}}, "/schedule/tiem", "unknown key 'tiem'"),
        ({"schedule": "dayly"}, "/schedule", "schedule is 'dayly'"),
        ({"timezone": "Mars"}, "/timezone", "there is no timezone 'Mars'"),
        (
            {"destination": {"type": "s3", "config": {"bukcet": "b"}}},
            "/destination/config/bukcet",
            "unknown key 'bukcet'",
        ),
        ({"data": {"include": ["logs"]}}, "/data/include/0", "there is no dataset 'logs'"),
        ({"airflow": {"retries": -1}}, "/airflow/retries", "retries is -1"),
        ({"data": 5}, "/data", "data is 5"),
        ({"enabled": "yes"}, "/enabled", "enabled is 'yes'"),
    ],
)
def test_what_nobody_takes_over_is_told_too(
    defaults: dict[str, Any], pointer: str, message: str, tmp_path: Path
) -> None:
    """With no export, or with many, it is one problem at its place."""
    for exports in ([], [export(), export(name="b"), export(name="c")]):
        content = with_defaults(defaults)
        content["log_exports"]["exports"] = exports
        problem = problem_at(loaded(tmp_path, content), DEFAULTS + pointer)
        assert message in problem.message
        lines = (tmp_path / "log_exports.json").read_text().splitlines()
        assert problem.line is not None
        assert problem.line > lines.index('  "defaults": {')


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('"defaults": {"name": "x"}', "/name"),
        ('"defaults": {"owner": "x", "owner": "y"}', "/owner"),
        ('"defaults": []', ""),
    ],
)
def test_defaults_that_are_wrong_as_a_whole_break_all_exports(text: str, pointer: str, tmp_path: Path) -> None:
    """Nothing runs by half of what was meant."""
    found = loaded(tmp_path, f'{{"log_exports": {{{text}, "exports": [{json.dumps(export())}]}}}}')
    assert pointers(found) == [DEFAULTS + pointer]
    assert [each.export for each in found.exports] == [None]


def test_half_of_what_belongs_together_may_stand_in_the_defaults(tmp_path: Path) -> None:
    """Only the whole export is judged by how its keys go together."""
    defaults = {
        "destination": {"type": "s3", "config": {"credentials": {"access_key_id": "${A}"}}},
        "data": {"filters": {"min_latency_ms": 5}},
    }
    own = export(destination={"type": "s3", "config": {"bucket": "b", "credentials": {"secret_access_key": "${B}"}}})
    good(loaded(tmp_path, with_defaults(defaults, own)))
    broken = export(
        name="b", data={"filters": {"max_latency_ms": 1}}, destination={"type": "s3", "config": {"bucket": "b"}}
    )
    found = loaded(tmp_path, with_defaults(defaults, own, broken))
    assert sorted(pointers(found)) == [
        f"{DEFAULTS}/destination/config/credentials",
        "/log_exports/exports/1/data/filters",
    ]


def test_a_literal_secret_of_the_defaults_is_warned_of_once(tmp_path: Path) -> None:
    """And found there by the task that needs it."""
    keys = {"access_key_id": "CANARY", "secret_access_key": "${B}"}
    defaults = {"destination": {"type": "s3", "config": {"credentials": keys}}}
    found = loaded(tmp_path, with_defaults(defaults, to_s3(), {**to_s3(), "name": "b"}))
    pointer = f"{DEFAULTS}/destination/config/credentials/access_key_id"
    assert [(each.severity, each.pointer, each.value) for each in found.problems] == [("warning", pointer, "***")]
    frozen = freeze(found.exports[1])
    assert "CANARY" not in json.dumps(frozen)
    resolver = Resolver({"B": "s"}, {"EXPORT_NAME": "b"}, tmp_path / "log_exports.json")
    config = resolver.resolve(frozen["export"]["destination"]["config"], S3Config, f"{POINTER}/destination/config")
    assert config["credentials"] == {"access_key_id": "CANARY", "secret_access_key": "s"}


def test_a_log_store_of_the_defaults_is_that_of_each_export(tmp_path: Path) -> None:
    """So that Bifrost's own is no matter of them."""
    content = with_defaults({"source": {"type": "sqlite", "config": {"path": "a.db"}}}, export())
    (made,) = good(loaded(tmp_path, {**content, "logs_store": {"type": "clickhouse"}}))
    assert made.source is not None
    assert made.source.config == {"path": "a.db"}


def test_a_day_of_the_month_may_be_a_default(tmp_path: Path) -> None:
    """Which schedule it belongs to is known in the exports alone."""
    found = loaded(
        tmp_path,
        {
            "log_exports": {
                "defaults": {"schedule": {"day": 15}},
                "exports": [export(schedule={"frequency": "monthly"})],
            }
        },
    )
    assert found.errors == []
    assert found.exports[0].good.schedule.describe() == "monthly on day 15 at 00:00 UTC"
