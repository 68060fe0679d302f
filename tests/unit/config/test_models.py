"""What an export may say, and what is said of what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bifrost_export.config.models.export import Data, Destination, Export, Source
from bifrost_export.config.models.staging import Staging
from bifrost_export.destinations.local.destination import LocalConfig
from bifrost_export.destinations.s3.config import S3Config
from bifrost_export.filters.config import DateRange, Filters
from bifrost_export.logstore.sqlite.config import SQLiteConfig
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
GOOD += [{"data": {"max_file_size": each}} for each in ("1KB", "256MB", "1GiB", "512MiB", "100KiB", "2TB", None)]
GOOD += [{"data": {"format": {"type": each}}} for each in ("json", "bifrost_export.formats.csv_text:CSVFormat")]
GOOD += [
    {"data": {"filters": {"date_range": each}}}
    for each in ("last_1_hours", "last_9999_months", "today", "yesterday", "this_week", "last_week", "this_month")
]
GOOD += [
    {"schedule": {"timezone": "Asia/Kolkata", "settle": "0s", **each}}
    for each in (
        {"frequency": "weekly", "day": "sunday", "time": "03:00"},
        {"frequency": "monthly", "day": 31},
        {"frequency": "monthly", "day": "last", "missed_windows": "skip"},
        {"frequency": "hourly", "minute": 59},
        {"frequency": "cron", "expression": "@quarterly"},
        {"frequency": "cron", "expression": "*/10 8-17 1,L * MON-FRI", "start_date": "2026-01-01T08:00"},
        {"frequency": "daily", "start_date": "2026-01-01", "catchup": True, "missed_windows": "run"},
    )
]
GOOD += [{"schedule": "weekly", "day": "monday"}, {"schedule": "monthly", "day": "last"}, {"schedule": "hourly"}]
GOOD += [{"schedule": "cron", "expression": "0 2 * * 1-5"}]
GOOD += [
    {"data": {"filters": {"date_range": {"start": "2026-03-01", "end": "2026-03-01"}}}},
    {"data": {"filters": {"status_codes": [0, 200, 999], "min_latency_ms": 5, "max_latency_ms": 5}}},
    {"source": _SOURCE},
    {"source": None},
    {"destination": {"type": "local", "config": {"path": "out"}}},
    {
        "destination": {
            "type": "s3",
            "config": {"bucket": "${BUCKET}", "verify": "${BIFROST_EXPORT_VALUE_VERIFY:-full}"},
        }
    },
]


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_what_an_export_may_say(changes: dict[str, Any], tmp_path: Path) -> None:
    """It is taken without a word."""
    assert loaded(tmp_path, document(export(**changes))).problems == []


DESTINATIONS = "azure_blob, bigquery, gcs, local, redshift, s3, snowflake"
BAD = [
    ({"enabled": "yes"}, "/enabled", "enabled is 'yes'", "true or false"),
    ({"schedule": {"frequency": "yearly"}}, "/schedule/frequency", "frequency is 'yearly'", "'daily', 'weekly'"),
    ({"schedule": {"frequency": "weekly"}}, "/schedule", "the key 'day' is missing", ""),
    ({"schedule": {"frequency": "weekly", "day": "Sunday"}}, "/schedule/day", "day is 'Sunday'", "'sunday'"),
    ({"schedule": {"frequency": "weekly", "day": 7}}, "/schedule/day", "day is 7", "'sunday'"),
    ({"schedule": {"frequency": "monthly", "day": 0}}, "/schedule/day", "day is 0", "from 1 to 31"),
    ({"schedule": {"frequency": "monthly", "day": "monday"}}, "/schedule/day", "'monday'", "from 1 to 31"),
    ({"schedule": {"frequency": "monthly", "day": True}}, "/schedule/day", "day is true", "from 1 to 31"),
    ({"schedule": {"frequency": "monthly", "day": []}}, "/schedule/day", "day is an empty list", ""),
    ({"schedule": {"frequency": "hourly", "minute": 60}}, "/schedule/minute", "minute is 60", "equal to 59"),
    ({"schedule": {"frequency": "hourly", "minute": "5"}}, "/schedule/minute", "minute is '5'", "integer"),
    ({"schedule": {"frequency": "cron"}}, "/schedule", "the key 'expression' is missing", ""),
    ({"schedule": {"frequency": "daily", "day": 1}}, "/schedule/day", "belongs to weekly and monthly", "time"),
    ({"schedule": {"frequency": "daily", "minute": 1}}, "/schedule/minute", "belongs to hourly schedules", "time"),
    ({"schedule": {"frequency": "cron", "expression": "@daily", "time": "02:00"}}, "/schedule/time", "daily, we", "ex"),
    ({"schedule": "daily", "expression": "@daily"}, "/expression", "belongs to cron schedules", ""),
    ({"schedule": {"frequency": "daily", "catchup": True}}, "/schedule", "no start_date to catch up from", ""),
    ({"schedule": {"frequency": "daily", "catchup": 1}}, "/schedule/catchup", "catchup is 1", "true or false"),
    ({"schedule": {"frequency": "daily", "missed_windows": "skp"}}, "/schedule/missed_windows", "'skp'", "'skip'"),
    ({"schedule": {"frequency": "daily", "start_date": "soon"}}, "/schedule/start_date", "is 'soon'", "ISO 8601"),
    ({"schedule": {"frequency": "daily", "start_date": "0001-01-01"}}, "/schedule/start_date", "0001", "1970 to 2199"),
    *(
        ({"schedule": {"frequency": "cron", "expression": each}}, "/schedule/expression", f"{each!r}", "five fields")
        for each in ("", "* * *", "61 * * * *", "0 0 30 2 *", "R * * * *", "H 2 * * *", "0 0 2 * * *", "@reboot")
    ),
    ({"schedule": {"frequency": "daily", "time": "25:00"}}, "/schedule/time", "time is '25:00'", "HH:MM"),
    ({"schedule": {"frequency": "daily", "timezone": "Mars"}}, "/schedule/timezone", "no timezone 'Mars'", "IANA"),
    ({"schedule": "dayly"}, "/schedule", "schedule is 'dayly'", "'daily'"),
    ({"schedule": 5}, "/schedule", "schedule is 5", 'a word such as "daily", or an object'),
    ({"destination": {"type": "s4", "config": {}}}, "/destination/type", "no destination 's4'", DESTINATIONS),
    ({"destination": {"type": "s3", "config": []}}, "/destination/config", "config is an empty list", "an object"),
    ({"destination": {"type": "s3", "config": {"bucket": ""}}}, "/destination/config/bucket", "is ''", "not empty"),
    ({"data": {"include": []}}, "/data/include", "include is an empty list", "at least 1"),
    ({"data": {"include": ["logs"]}}, "/data/include/0", "no dataset 'logs'", "request_logs"),
    ({"data": {"include": ["request_logs"] * 2}}, "/data/include", "twice", ""),
    ({"data": {"format": "xml", "compression": "x"}}, "/data/format", "no format 'xml'", "parquet"),
    ({"data": {"format": "json", "compression": "snappy"}}, "/data/compression", "json has no", "none, gzip, zstd"),
    ({"data": {"format": "csv", "compression": "lz4"}}, "/data/compression", "csv has no", "none, gzip, zstd"),
    ({"data": {"format": "arrow", "compression": "gzip"}}, "/data/compression", "arrow has no", "none, lz4, zstd"),
    ({"data": {"compression": "rar"}}, "/data/compression", "no compression 'rar'", "zstd"),
    ({"data": {"transformations": [{}]}}, "/data/transformations/0", "the key 'type' is missing", "anonymize"),
    (
        {"data": {"transformations": [{"type": "anonymise"}]}},
        "/data/transformations/0/type",
        "no transform 'anonymise'",
        "anonymize",
    ),
    ({"data": {"max_rows_per_file": 0}}, "/data/max_rows_per_file", "max_rows_per_file is 0", "equal to 1"),
    ({"data": {"max_rows_per_file": 1.5}}, "/data/max_rows_per_file", "max_rows_per_file is 1.5", "integer"),
    ({"data": {"max_file_size": "256 MB"}}, "/data/max_file_size", "max_file_size is '256 MB'", "256MB or 1GiB"),
    ({"data": {"max_file_size": "0MB"}}, "/data/max_file_size", "max_file_size is '0MB'", "from 1 on"),
    ({"data": {"max_file_size": "256M"}}, "/data/max_file_size", "max_file_size is '256M'", "1GiB"),
    ({"data": {"max_file_size": 256}}, "/data/max_file_size", "max_file_size is 256", "string"),
    ({"data": {"format": {"type": "xml"}}}, "/data/format", "no format 'xml'", "package.module:Class"),
    ({"data": {"format": {"type": "json"}, "compression": "lz4"}}, "/data/compression", "json has no", "none, gzip"),
    ({"data": {"format": {"type": 1}}}, "/data/format/type", "type is 1", "string"),
    ({"data": {"format": ["json"]}}, "/data/format", "format is a list", "string"),
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


# A schema can't look for the classes that are named.
BEYOND_SCHEMAS = [
    ({"data": {"format": "nowhere.at_all:All"}}, "/data/format", "ModuleNotFoundError", ""),
    ({"data": {"format": {"type": "decimal:Decimal"}}}, "/data/format", "is no format", "default_compression"),
]


@pytest.mark.parametrize(("changes", "place", "message", "allowed"), [*BAD, *BEYOND_SCHEMAS], ids=str)
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
