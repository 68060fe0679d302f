"""The keys that an object must have are published apart from those that it may have: together they say the same."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic.json_schema import models_json_schema

from bifrost_export.config.models.export import Export
from bifrost_export.config.schema.document import document_schema
from bifrost_export.config.schema.required import complete, reference, split
from bifrost_export.schedules.kinds import schedule_models
from tests.unit.config.corpus import VALID, content
from tests.unit.config.documents import document, export

MODELS: list[Any] = [(model, "validation") for model in (Export, *schedule_models().values())]
WHOLE = models_json_schema(MODELS, ref_template="#/$defs/{model}")[1]["$defs"]
WHOLE["Export"]["properties"]["schedule"] = {
    "anyOf": [{"enum": ["daily"]}, *(reference(model.__name__) for model in schedule_models().values())]
}
AS_ONE = Draft202012Validator({**reference("Export"), "$defs": WHOLE})
APART = Draft202012Validator({**complete(reference("Export"), WHOLE), "$defs": split(WHOLE)})
INCOMPLETE = Draft202012Validator({**reference("Export"), "$defs": split(WHOLE)})
EXPORTS = [
    each
    for path in VALID
    for each in content(path).get("log_exports", {}).get("exports", ())
    if isinstance(each.get("schedule"), dict) and isinstance(each.get("destination"), dict)
]
PUBLISHED = Draft202012Validator(document_schema())


def _objects(value: Any) -> list[dict[str, Any]]:
    """Every object in a value that has keys."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*([value] if isinstance(value, dict) and value else []), *(each for one in inner for each in _objects(one))]


@st.composite
def mutilated(draw: st.DrawFn) -> dict[str, Any]:
    """An export of the corpus that lacks some keys, and has some others."""
    found = deepcopy(draw(st.sampled_from(EXPORTS)))
    for _ in range(draw(st.integers(0, 3))):
        objects = _objects(found)
        if objects:
            target = draw(st.sampled_from(objects))
            del target[draw(st.sampled_from(sorted(target)))]
    if draw(st.booleans()) and (objects := _objects(found)):
        target = draw(st.sampled_from(objects))
        target[draw(st.sampled_from(["type", "start", "frequency", "day", "zzz"]))] = draw(
            st.sampled_from([None, 1, "daily", "weekly", {}, []])
        )
    return found


@given(mutilated())
def test_apart_they_say_what_they_said_as_one(found: dict[str, Any]) -> None:
    """Of exports with and without the keys that they need."""
    assert APART.is_valid(found) == AS_ONE.is_valid(found)


def test_the_keys_of_an_object_are_described_once() -> None:
    """The second definition has no description, no type and no unknown key to refuse."""
    names = {name for name in split(WHOLE) if name not in WHOLE}
    assert "DateRangeRequired" in names
    for name in names:
        assert not {"description", "type", "additionalProperties", "default"} & {
            key for each in _objects(split(WHOLE)[name]) for key in each
        }


def test_without_required_keys_there_is_one_definition() -> None:
    """Nothing is demanded of an object whose keys have defaults."""
    assert "AirflowOptionsRequired" not in split(WHOLE)
    assert complete(reference("AirflowOptions"), WHOLE) == reference("AirflowOptions")


@pytest.mark.parametrize("key", ["schedule", "destination"])
def test_an_export_may_lack_what_defaults_can_have(key: str) -> None:
    """Only beside defaults, and never its name."""
    found = export()
    del found[key]
    assert not PUBLISHED.is_valid(document(found))
    beside = document(found)
    beside["log_exports"]["defaults"] = {}
    assert PUBLISHED.is_valid(beside)
    del found["name"]
    assert not PUBLISHED.is_valid(beside)


@pytest.mark.parametrize(
    "holder", [{"destination": {}}, {"schedule": {}}, {"data": {"transformations": [{}]}}], ids=str
)
def test_defaults_may_lack_keys_at_any_depth(holder: dict[str, Any]) -> None:
    """An export may not."""
    assert PUBLISHED.is_valid({"log_exports": {"defaults": holder, "exports": [{"name": "a"}]}})
    assert not PUBLISHED.is_valid(document(export(**holder)))


def test_a_format_without_its_type_allows_every_compression() -> None:
    """The export that takes it over says which it is."""
    defaults = {"data": {"format": {"csv_safe": False}, "compression": "lz4"}}
    found = document(export(data={"format": {"type": "parquet"}}))
    found["log_exports"]["defaults"] = defaults
    assert PUBLISHED.is_valid(found)
    defaults["data"]["format"] = {"type": "csv"}
    assert not PUBLISHED.is_valid(found)


@pytest.mark.parametrize("schedule", [{}, {"schedule": "daily"}], ids=str)
def test_the_short_form_catches_up_from_a_start_only(schedule: dict[str, Any]) -> None:
    """Without a word for its schedule too."""
    found = {"export": {**schedule, "catchup": True, "start_date": "2026-01-01"}}
    assert PUBLISHED.is_valid(found)
    del found["export"]["start_date"]
    assert not PUBLISHED.is_valid(found)


@pytest.mark.parametrize(
    "holder",
    [
        {"zzz": 1},
        {"name": "a"},
        {"destination": {"type": "s3", "config": {"zzz": 1}}},
        {"schedule": {"frequency": "daily", "zzz": 1}},
        {"destination": "s3", "config": {"zzz": 1}},
        {"schedule": "daily", "day": "monday"},
        {"data": {"filters": {"date_range": {"zzz": 1}}}},
    ],
    ids=str,
)
def test_defaults_know_their_keys(holder: dict[str, Any]) -> None:
    """An editor marks the others as it does in an export."""
    assert not PUBLISHED.is_valid({"log_exports": {"defaults": holder, "exports": [{"name": "a"}]}})
