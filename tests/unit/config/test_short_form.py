"""The short form of a document, and words in place of objects: they mean what the long form means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.config.documents import Loaded, LoadedExport
from bifrost_export.config.forms.source_map import Origins
from bifrost_export.config.freezing import config_hash, freeze
from bifrost_export.config.loader import load, load_export
from bifrost_export.config.references.resolver import Resolver
from bifrost_export.destinations.local.destination import LocalConfig
from bifrost_export.destinations.s3.config import S3Config
from bifrost_export.errors import ConfigError
from tests.unit.config.documents import POINTER, document, export, loaded, problem_at, write

S3 = {"bucket": "logs", "region": "us-west-2"}
SHORT = {"schedule": "daily", "time": "02:00", "timezone": "Europe/Berlin", "destination": "s3", "config": S3}
LONG = {
    "name": "daily_s3_export",
    "schedule": {"frequency": "daily", "time": "02:00", "timezone": "Europe/Berlin"},
    "destination": {"type": "s3", "config": S3},
}
FILTERS = {"providers": ["openai"], "date_range": {"start": "2026-03-01", "end": "2026-03-02"}}


def only(found: Loaded) -> LoadedExport:
    """The one export of a document."""
    (entry,) = found.exports
    return entry


def places(found: Loaded) -> list[tuple[str, str, int | None]]:
    """Severity, pointer and line of every problem."""
    return [(each.severity, each.pointer, each.line) for each in found.problems]


@pytest.mark.parametrize(
    ("short", "data"),
    [
        ({"export": SHORT}, {}),
        ({"export": {**SHORT, "data": {"max_rows_per_file": 5}}, "filters": FILTERS},
         {"data": {"max_rows_per_file": 5, "filters": FILTERS}}),
        ({"export": SHORT, "filters": FILTERS, "transformations": []},
         {"data": {"filters": FILTERS, "transformations": []}}),
        (document({"name": "daily_s3_export", **SHORT}), {}),
        (document({**LONG, "destination": "s3", "config": S3}), {}),
        ({"export": {**LONG, "schedule": LONG["schedule"]}}, {}),
    ],
    ids=["snippet", "data-inside", "beside", "words-in-long-form", "one-word", "objects-in-short-form"],
)  # fmt: skip
def test_the_forms_mean_the_same(short: dict[str, Any], data: dict[str, Any], tmp_path: Path) -> None:
    """The export is equal, and so is the hash of what the output depends on."""
    found, long = loaded(tmp_path, short), loaded(tmp_path, document({**LONG, **data}), "long.json")
    assert found.problems == []
    assert only(found).export == only(long).export
    assert only(found).dag_id == "bifrost_export__daily_s3_export"
    assert config_hash(freeze(only(found))) == config_hash(freeze(only(long)))


def test_what_the_short_form_leaves_out_is_told_by_warnings(tmp_path: Path) -> None:
    """It is daily, and goes to files beside the document; data needs no word."""
    found = loaded(tmp_path, {"filters": {"has_errors": True}})
    entry = only(found)
    assert entry.export is not None
    assert entry.export.schedule.describe() == "daily at 00:00 UTC"
    assert entry.export.destination.model_dump() == {"type": "local", "config": {"path": "bifrost_exports"}}
    assert (entry.export.data.include, entry.export.data.format) == (("request_logs",), "parquet")
    assert entry.name == entry.export.name == "daily_local_export"
    assert places(found) == [("warning", "", 1), ("warning", "", 1)]
    assert "daily at 00:00 UTC" in found.problems[0].message
    assert "bifrost_exports/ beside the document" in found.problems[1].message


def test_a_missing_destination_is_a_folder_beside_the_document(tmp_path: Path) -> None:
    """Wherever the task runs that opens it."""
    path = write(tmp_path / "a.json", {"export": {"schedule": "daily"}})
    frozen = freeze(load_export(path, "daily_local_export"))
    config = frozen["export"]["destination"]["config"]
    assert Resolver({}, document=path).resolve(config, LocalConfig, "")["path"] == str(tmp_path / "bifrost_exports")


def test_keys_of_a_schedule_may_stand_without_its_word(tmp_path: Path) -> None:
    """In short form it is daily, and the warning says at which time."""
    found = loaded(tmp_path, {"export": {"time": "05:30", "destination": "s3", "config": S3}})
    assert only(found).dag_id == "bifrost_export__daily_s3_export"
    (warning,) = found.problems
    assert "daily at 05:30 UTC" in warning.message


@pytest.mark.parametrize(
    ("changes", "pointer", "message"),
    [
        ({"schedule": "dayly"}, "/schedule", "schedule is 'dayly'"),
        ({"time": "25:00"}, "/time", "time is '25:00'"),
        ({"timezone": "Mars"}, "/timezone", "there is no timezone 'Mars'"),
        ({"destination": "s4"}, "/destination", "there is no destination 's4'"),
        ({"config": {"bucket": ""}}, "/config/bucket", "bucket is ''"),
        ({"config": {}}, "/config", "the key 'bucket' is missing"),
        ({"config": {**S3, "regoin": "x"}}, "/config/regoin", "unknown key 'regoin'"),
        ({"config": {**S3, "endpoint_url": "${AIRFLOW__X}"}}, "/config/endpoint_url", "variable of Airflow's own"),
        ({"schedule": {"frequency": "daily"}}, "/time", "the key 'time' stands beside schedule, which is an object"),
        ({"schedule": ["daily"]}, "/schedule", "schedule is a list"),
        ({"destination": None}, "/destination", "destination is null"),
    ],
)
@pytest.mark.parametrize("form", ["/export", POINTER])
def test_a_problem_stands_where_the_key_is_written(
    form: str, changes: dict[str, Any], pointer: str, message: str, tmp_path: Path
) -> None:
    """With the pointer and the line of what was written, never of the long form."""
    raw = {"name": "named", **SHORT, **changes}
    found = loaded(tmp_path, {"export": raw} if form == "/export" else document(raw))
    problem = problem_at(found, form + pointer)
    assert message in problem.message
    lines = (tmp_path / "log_exports.json").read_text().splitlines()
    assert problem.line is not None
    assert json.dumps(pointer.rsplit("/", maxsplit=1)[-1]) in lines[problem.line - 1]
    assert only(found).export is None


def test_a_problem_beside_the_export_stands_there(tmp_path: Path) -> None:
    """Filters are no part of the export in this form."""
    found = loaded(tmp_path, {"export": SHORT, "filters": {"providres": [], "status_codes": ["200"]}})
    assert places(found) == [("error", "/filters/providres", 13), ("error", "/filters/status_codes/0", 15)]


@pytest.mark.parametrize(
    ("whole", "pointer", "message"),
    [
        ({"export": [SHORT]}, "/export", "export is a list"),
        ({"export": 5}, "/export", "export is 5"),
        ({"export": None}, "/export", "export is null"),
        ({**document(), "export": SHORT}, "/export", "the key 'export' stands beside log_exports.exports"),
        ({**document(), "filters": {}}, "/filters", "the key 'filters' stands beside log_exports.exports"),
        ({"export": {**SHORT, "data": {"filters": {}}}, "filters": {}}, "/filters", "and in its 'data'"),
        ({"export": {"config": S3}}, "/export/config", "the key 'config' stands beside no destination"),
        (document({"name": "a", "time": "1", "destination": "s3", "config": S3}), f"{POINTER}/time", "no schedule"),
        ({"export": {**SHORT, "filters": {}}}, "/export/filters", "unknown key 'filters'"),
        ({"exprot": SHORT}, "", "has no list log_exports.exports"),
    ],
)  # fmt: skip
def test_what_the_forms_may_not_mix(whole: dict[str, Any], pointer: str, message: str, tmp_path: Path) -> None:
    """Nothing is left out in silence, and nothing runs."""
    found = loaded(tmp_path, whole)
    assert message in problem_at(found, pointer).message
    assert all(each.export is None for each in found.exports)


def test_settings_may_stand_beside_the_short_form(tmp_path: Path) -> None:
    """`log_exports` without `exports` holds what has no place in the export itself."""
    settings = {"staging": {"keep_days": 3}, "defaults": {"timezone": "Asia/Tokyo", "data": {"max_rows_per_file": 7}}}
    found = loaded(
        tmp_path, {"log_exports": settings, "export": {"schedule": "daily", **dict(list(SHORT.items())[3:])}}
    )
    assert found.problems == []
    entry = only(found)
    assert entry.export is not None
    assert (entry.export.schedule.timezone, entry.export.data.max_rows_per_file) == ("Asia/Tokyo", 7)
    assert entry.document.staging.keep_days == 3


def test_a_name_that_cant_be_made_is_that_of_the_file(tmp_path: Path) -> None:
    """The DAG of the broken export has its file's name and a number."""
    assert only(loaded(tmp_path, {"export": {"schedule": "hmm", "destination": "s3"}})).dag_id == (
        "bifrost_export__log_exports__0"
    )
    assert only(loaded(tmp_path, {"export": []})).dag_id == "bifrost_export__log_exports__0"


def test_two_short_documents_of_one_name_are_told(tmp_path: Path) -> None:
    """The second needs a name of its own."""
    write(tmp_path / "a.json", {"export": SHORT})
    write(tmp_path / "b.json", {"export": SHORT})
    found = load(tmp_path)
    (problem,) = found.problems
    assert (problem.file, problem.pointer) == ("b.json", "/export")
    assert "the name 'daily_s3_export' is taken" in problem.message
    assert [each.dag_id for each in found.exports] == ["bifrost_export__daily_s3_export", "bifrost_export__b__0"]


def test_a_literal_secret_of_the_short_form_is_found_where_it_is_written(tmp_path: Path) -> None:
    """And shown nowhere."""
    keys = {"access_key_id": "CANARY", "secret_access_key": "${SECRET}"}
    path = write(tmp_path / "a.json", {"export": {**SHORT, "config": {**S3, "credentials": keys}}})
    found = load(path)
    (warning,) = found.problems
    assert (warning.pointer, warning.value) == ("/export/config/credentials/access_key_id", "***")
    frozen = freeze(only(found))
    assert "CANARY" not in json.dumps(frozen)
    resolver = Resolver({"SECRET": "s"}, {"EXPORT_NAME": "daily_s3_export"}, path)
    config = resolver.resolve(frozen["export"]["destination"]["config"], S3Config, "/export/destination/config")
    assert config["credentials"] == {"access_key_id": "CANARY", "secret_access_key": "s"}


def test_a_missing_reference_is_told_at_its_written_place(tmp_path: Path) -> None:
    """Also by the task that fills it in."""
    path = write(tmp_path / "a.json", {"export": {**SHORT, "config": {"bucket": "${NO_SUCH}"}}})
    frozen = freeze(load_export(path, "daily_s3_export"))
    resolver = Resolver({}, document=path, origins=Origins(frozen["moved"]))
    with pytest.raises(ConfigError, match=r"\$\{NO_SUCH\} in /export/config/bucket has no value"):
        resolver.resolve(frozen["export"]["destination"]["config"], S3Config, f"{frozen['pointer']}/destination/config")


def test_words_stand_in_bifrosts_own_config_too(tmp_path: Path) -> None:
    """Other keys are left alone in either form."""
    found = loaded(tmp_path, {"providers": {"export": 1}, "client": {"log_retention_days": 9}, "export": SHORT})
    assert found.problems == []
    assert found.documents[0].log_retention_days == 9


def test_the_smallest_good_export_in_words(tmp_path: Path) -> None:
    """In the long form, name, schedule and destination are required."""
    found = loaded(tmp_path, document({key: value for key, value in export().items() if key != "schedule"}))
    assert [each.message for each in found.problems] == ["the key 'schedule' is missing"]
