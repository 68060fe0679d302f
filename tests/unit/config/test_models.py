"""What an export may say, and what is said of what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bifrost_export.config.models import Data, DateRange, Destination, Export, Filters, Source, Staging
from bifrost_export.config.sources import SQLiteConfig
from bifrost_export.destinations.local import LocalConfig
from bifrost_export.destinations.s3 import S3Config
from bifrost_export.registry import FORMATS
from tests.unit.config.documents import POINTER, document, export, loaded, problem_at, to_s3


def test_defaults_are_those_of_the_published_keys() -> None:
    """What is left out means what the list of keys says."""
    made = Export.model_validate(export(), strict=False)
    assert (made.enabled, made.description, made.owner, made.source) == (True, "", "", None)
    assert made.data == Data(
        include=("request_logs",), format="parquet", compression=None, max_rows_per_file=1_000_000, max_rejected="1%"
    )
    assert made.data.filters == Filters()
    assert Staging() == Staging(url=None, conn_id=None, keep_days=7, shared=False)


def test_an_export_reads_back_from_its_own_json() -> None:
    """Lists come back as tuples."""
    made = Export.model_validate(
        export(
            data={
                "filters": {
                    "providers": ["openai"],
                    "status_codes": [200, 500],
                    "date_range": {"start": "2026-03-01", "end": "2026-03-02T10:00:00Z"},
                }
            }
        ),
        strict=False,
    )
    assert Export.model_validate(made.model_dump(mode="json"), strict=False) == made


@pytest.mark.parametrize(
    "model", [Export, Data, Filters, DateRange, Destination, Source, Staging, SQLiteConfig, S3Config, LocalConfig]
)
def test_every_field_says_what_it_is_for(model: type[BaseModel]) -> None:
    """Descriptions are what editors and missing keys show."""
    assert all(field.description for field in model.model_fields.values())


@pytest.mark.parametrize("name", ["a", "9", "Daily.s3-export_1", "x" * 100, "a_b_"])
def test_a_good_name(name: str, tmp_path: Path) -> None:
    """Letters, digits and some signs."""
    assert loaded(tmp_path, document(export(name=name))).problems == []


@pytest.mark.parametrize("name", ["", "_a", "a b", "a__b", "x" * 101, "ä", "a\n", "a/b"])
def test_a_bad_name(name: str, tmp_path: Path) -> None:
    """It could not name a DAG and files."""
    found = loaded(tmp_path, document(export(name=name)))
    told = [each.message for each in found.problems if each.pointer == f"{POINTER}/name"]
    assert f"{name!r} is no name of an export" in told


_SOURCE = {"type": "sqlite", "config": {"path": "logs.db"}}

GOOD: list[dict[str, Any]] = [{"data": {"compression": name}} for name in FORMATS.load("parquet").compressions]
GOOD += [
    {"data": {"format": name, **compression}}
    for name, compressions in (
        ("parquet", ("none", "snappy", "gzip", "zstd", "lz4", "brotli")),
        ("json", ("none", "gzip", "zstd")),
        ("csv", ("none", "gzip", "zstd")),
        ("arrow", ("none", "lz4", "zstd")),
    )
    for compression in ({}, {"compression": None}, *({"compression": each} for each in compressions))
]
GOOD += [{"data": {"max_rejected": each}} for each in ("0%", "100%", "0.5%", 0, 12)]
GOOD += [
    {"data": {"filters": {"date_range": each}}}
    for each in ("last_1_hours", "last_9999_months", "today", "yesterday", "this_week", "last_week", "this_month")
]
GOOD += [
    {"data": {"filters": {"date_range": {"start": "2026-03-01", "end": "2026-03-01"}}}},
    {"data": {"filters": {"status_codes": [0, 200, 999], "min_latency_ms": 5, "max_latency_ms": 5}}},
    {"source": _SOURCE},
    {"source": None},
    {"destination": {"type": "local", "config": {"path": "out"}}},
    {"destination": {"type": "s3", "config": {"bucket": "${BUCKET}", "verify": "${VERIFY:-full}"}}},
]


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_what_an_export_may_say(changes: dict[str, Any], tmp_path: Path) -> None:
    """It is taken without a word."""
    assert loaded(tmp_path, document(export(**changes))).problems == []


BAD = [
    ({"enabled": "yes"}, "/enabled", "enabled is 'yes'", "true or false"),
    ({"schedule": {"frequency": "weekly"}}, "/schedule/frequency", "frequency is 'weekly'", "'daily'"),
    ({"schedule": {"frequency": "daily", "time": "25:00"}}, "/schedule/time", "time is '25:00'", "HH:MM"),
    ({"schedule": {"frequency": "daily", "timezone": "Mars"}}, "/schedule/timezone", "no timezone 'Mars'", "IANA"),
    ({"schedule": "dayly"}, "/schedule", "schedule is 'dayly'", "'daily'"),
    ({"schedule": 5}, "/schedule", "schedule is 5", 'a word such as "daily", or an object'),
    ({"destination": {"type": "s4", "config": {}}}, "/destination/type", "no destination 's4'", "snowflake"),
    ({"destination": {"type": "gcs", "config": {}}}, "/destination/type", "'gcs' comes with a later", "snowflake"),
    ({"destination": {"type": "s3", "config": []}}, "/destination/config", "config is an empty list", "an object"),
    ({"destination": {"type": "s3", "config": {"bucket": ""}}}, "/destination/config/bucket", "is ''", "not empty"),
    ({"data": {"include": []}}, "/data/include", "include is an empty list", "at least 1"),
    ({"data": {"include": ["metrics"]}}, "/data/include/0", "'metrics' comes with a later version", "request_logs"),
    ({"data": {"include": ["logs"]}}, "/data/include/0", "no dataset 'logs'", "request_logs"),
    ({"data": {"include": ["request_logs"] * 2}}, "/data/include", "twice", ""),
    ({"data": {"format": "xml", "compression": "x"}}, "/data/format", "no format 'xml'", "parquet"),
    ({"data": {"format": "json", "compression": "snappy"}}, "/data/compression", "json has no", "none, gzip, zstd"),
    ({"data": {"format": "csv", "compression": "lz4"}}, "/data/compression", "csv has no", "none, gzip, zstd"),
    ({"data": {"format": "arrow", "compression": "gzip"}}, "/data/compression", "arrow has no", "none, lz4, zstd"),
    ({"data": {"compression": "rar"}}, "/data/compression", "no compression 'rar'", "zstd"),
    ({"data": {"transformations": [{}]}}, "/data/transformations", "come with a later version", ""),
    ({"data": {"max_rows_per_file": 0}}, "/data/max_rows_per_file", "max_rows_per_file is 0", "equal to 1"),
    ({"data": {"max_rows_per_file": 1.5}}, "/data/max_rows_per_file", "max_rows_per_file is 1.5", "integer"),
    ({"data": {"max_rejected": "101%"}}, "/data/max_rejected", "'101%'", "a share"),
    ({"data": {"max_rejected": 0.5}}, "/data/max_rejected", "0.5", "a share"),
    ({"data": {"max_rejected": True}}, "/data/max_rejected", "true", "a share"),
    ({"data": {"filters": {"status_codes": ["200"]}}}, "/data/filters/status_codes/0", "is '200'", "integer"),
    ({"data": {"filters": {"status_codes": [-1]}}}, "/data/filters/status_codes/0", "status_codes is -1", "equal to 0"),
    ({"data": {"filters": {"min_latency_ms": -1}}}, "/data/filters/min_latency_ms", "is -1", "equal to 0"),
    ({"data": {"filters": {"min_latency_ms": 2, "max_latency_ms": 1}}}, "/data/filters", "no row would pass", ""),
    ({"data": {"filters": {"date_range": "last_0_days"}}}, "/data/filters/date_range", "no date_range", "last_N"),
    ({"data": {"filters": {"date_range": 7}}}, "/data/filters/date_range", "date_range is 7", "object"),
    ({"data": {"filters": {"date_range": {"start": "2026-03-01"}}}}, "/data/filters/date_range", "'end' is", ""),
    (
        {"data": {"filters": {"date_range": {"start": "2026-03-02", "end": "2026-03-01"}}}},
        "/data/filters/date_range",
        "later than end",
        "",
    ),
    (
        {"data": {"filters": {"date_range": {"start": "soon", "end": "2026-03-01"}}}},
        "/data/filters/date_range/start",
        "soon",
        "",
    ),
    ({"source": {"type": "clickhouse", "config": {}}}, "/source/type", "clickhouse is not supported", "sqlite"),
    ({"source": {"type": "clickhouse", "config": {}}}, "/source/type", "is not supported", "sqlite"),
    ({"source": {"type": [], "config": {}}}, "/source/type", "an empty list", "string"),
    ({"source": {"type": "sqlite", "config": {"path": ""}}}, "/source/config/path", "path is ''", "not empty"),
]


@pytest.mark.parametrize(("changes", "place", "message", "allowed"), BAD, ids=[str(each[0]) for each in BAD])
def test_what_an_export_may_not_say(
    changes: dict[str, Any], place: str, message: str, allowed: str, tmp_path: Path
) -> None:
    """One error at its place says what is wrong and what is allowed."""
    found = loaded(tmp_path, document(export(**changes)))
    problem = problem_at(found, f"{POINTER}{place}")
    assert problem.severity == "error"
    assert message in problem.message
    assert allowed in (problem.allowed or "")
    assert found.problems == [problem]


@pytest.mark.parametrize(
    ("at", "key"),
    [
        ("/schedule", "catchup"),
        ("/schedule", "start_date"),
        ("/schedule", "day"),
        ("/data", "extra_fields"),
        ("/data", "include_content"),
        ("/data", "max_file_size"),
    ],
)
def test_keys_of_later_versions_are_named_as_such(at: str, key: str, tmp_path: Path) -> None:
    """Not as a typing error."""
    changed = export(data={})
    (changed[at[1:]] if at else changed)[key] = 1
    problem = problem_at(loaded(tmp_path, document(changed)), f"{POINTER}{at}/{key}")
    assert problem.message == f"the key {key!r} comes with a later version"


def test_a_password_command_is_refused_in_words(tmp_path: Path) -> None:
    """It is no typing error either."""
    source = {"type": "sqlite", "config": {"path": "x", "password_command": "pass show"}}
    problem = problem_at(loaded(tmp_path, document(export(source=source))), f"{POINTER}/source/config/password_command")
    assert "no command is run to find a password" in problem.message


@pytest.mark.parametrize(
    ("key", "near"), [("buckett", "bucket"), ("Region", "region"), ("acces_key", None), ("xyzzy", None)]
)
def test_an_unknown_key_gets_the_nearest_known_one(key: str, near: str | None, tmp_path: Path) -> None:
    """Where one is near; those that are known are listed in any case, and the value is not told."""
    problem = problem_at(loaded(tmp_path, document(to_s3(**{key: "canary"}))), f"{POINTER}/destination/config/{key}")
    assert problem.message == f"unknown key {key!r}"
    assert problem.hint == (f"Did you mean {near!r}?" if near else None)
    assert problem.value is None
    assert "bucket, region, prefix" in str(problem.allowed)


def test_half_of_the_credentials_is_an_error(tmp_path: Path) -> None:
    """What the destination's own model says is told as it says it."""
    found = loaded(tmp_path, document(to_s3(credentials={"access_key_id": "${A}"})))
    assert problem_at(found, f"{POINTER}/destination/config/credentials").message.startswith("access_key_id and")
