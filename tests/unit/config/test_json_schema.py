"""The JSON Schema of a document: it says what the loader says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bifrost_export.config.loader import load
from bifrost_export.config.schema.document import document_schema
from tests.unit.config.documents import document, export, to_s3
from tests.unit.config.test_models import BAD, GOOD

INCLUDE = Path(__file__).parents[3] / "include"
VALIDATOR = Draft202012Validator(document_schema())
_DEFINITIONS = document_schema()["$defs"]


def test_it_is_a_json_schema() -> None:
    """Of the draft that it names."""
    Draft202012Validator.check_schema(document_schema())


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_it_takes_what_the_loader_takes(changes: dict[str, Any]) -> None:
    """In Bifrost's own config too."""
    assert list(VALIDATOR.iter_errors({**document(export(**changes)), "providers": {}})) == []


# What no JSON Schema can say: values that belong together, and names of timezones.
_BEYOND = ("timezone", "time", "min_latency_ms", "date_range", "settle", "start_date'", "expression'")
SAYABLE = [each[0] for each in BAD if not any(word in str(each[0]) for word in _BEYOND)]


@pytest.mark.parametrize("changes", [*SAYABLE, {"airflow": {"retries": "4"}}, {"name": "a__b"}, {"name": 1}], ids=str)
def test_it_refuses_what_the_loader_refuses(changes: dict[str, Any]) -> None:
    """So that an editor marks it."""
    assert not VALIDATOR.is_valid(document(export(**changes)))


def test_the_type_chooses_the_keys_of_the_config() -> None:
    """An S3 bucket is no key of local files."""
    assert VALIDATOR.is_valid(document(to_s3(region="eu-west-1")))
    assert not VALIDATOR.is_valid(document(to_s3(path="out")))
    assert not VALIDATOR.is_valid(document(export(destination={"type": "local", "config": {"bucket": "b"}})))


def test_the_published_schema_is_that_of_the_package() -> None:
    """`bifrost-export schema > include/log_exports.schema.json` writes it anew."""
    assert json.loads((INCLUDE / "log_exports.schema.json").read_text("utf-8")) == document_schema()


def test_the_published_schema_is_small() -> None:
    """Editors fetch it for each document: no definition is in it twice."""
    assert (INCLUDE / "log_exports.schema.json").stat().st_size < 120_000
    described = [json.dumps(each["properties"]) for each in _DEFINITIONS.values() if "properties" in each]
    assert len(described) == len(set(described))


def test_an_editor_is_given_descriptions_and_no_markers() -> None:
    """Of every key; what fields say to the package alone stays in it."""
    keys = {
        f"{name}.{key}": each
        for name, definition in _DEFINITIONS.items()
        if not name.endswith("Required")
        for key, each in definition.get("properties", {}).items()
        if not isinstance(each, bool) and "$ref" not in each
    }
    assert [place for place, each in keys.items() if not each.get("description")] == []
    assert '"x-' not in (INCLUDE / "log_exports.schema.json").read_text("utf-8")


@pytest.mark.parametrize("key", ["port", "ssl_mode"])
def test_a_reference_may_stand_for_a_word_or_a_number(key: str) -> None:
    """Wherever the loader takes one; a port that no server has is refused."""
    source: dict[str, Any] = {"type": "postgres", "config": {"host": "db", "db_name": "logs"}}
    found = {"log_exports": {"source": source, "exports": [export()]}}
    source["config"][key] = "${BIFROST_EXPORT_VALUE_X}"
    assert list(VALIDATOR.iter_errors(found)) == []
    source["config"][key] = 65536
    assert not VALIDATOR.is_valid(found)


def test_the_published_document_is_good() -> None:
    """It is the description's own export, cut to what there is so far, and names its schema."""
    found = load(INCLUDE / "log_exports.json")
    assert found.problems == []
    assert [each.dag_id for each in found.exports] == ["bifrost_export__daily_s3_export"]
    content = json.loads((INCLUDE / "log_exports.json").read_text("utf-8"))
    assert content["$schema"] == "./log_exports.schema.json"
    assert list(VALIDATOR.iter_errors(content)) == []
