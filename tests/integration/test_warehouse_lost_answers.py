"""BigQuery in a single region: an answer that is lost costs nothing, since the retry finds the job where it runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bifrost_export.errors import DestinationError, DestinationUnavailableError
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.servers.bigquery.server import LOCATION, PROJECT, BigQuery

DAY = Window.parse("2026-03-01", "2026-03-02")
_NAMED = re.compile(r"(?<=/)(jobs|tables|queries)/[^/?]+")
_OF_JOBS = re.compile(r"(?:GET|POST) .*/(?:jobs|queries)/[^/?]+")


def export(folder: Path, log_store: Path, bigquery: BigQuery, **changes: object) -> Export:
    """An export of the sample log store."""
    return Export(folder, log_store, destination={"type": "bigquery", "config": bigquery.config(**changes)})


class Loses:
    """Loses the answer to the first request of each kind."""

    def __init__(self) -> None:
        self.kinds: set[tuple[str, str]] = set()

    def __call__(self, method: str, path: str) -> bool:
        """Whether this answer is lost."""
        kind = (method, _NAMED.sub(r"\1/*", path))
        is_first = kind not in self.kinds
        self.kinds.add(kind)
        return is_first


@pytest.fixture(params=[LOCATION, "EU", "us-central1"])
def region(request: pytest.FixtureRequest, bigquery: BigQuery) -> str:
    """Where the dataset is."""
    location = str(request.param)
    bigquery.api.service.catalog.datasets[PROJECT, bigquery.dataset]["location"] = location
    return location


def test_a_run_that_loses_the_answer_to_each_kind_of_request_ends_green_and_loads_each_row_once(
    bigquery: BigQuery, region: str, tmp_path: Path, log_store: Path
) -> None:
    """`publish` included: its job is found by the retry, and is carried out once."""
    one = export(tmp_path, log_store, bigquery)
    bigquery.api.lose = loses = Loses()

    found = one.run(DAY)

    assert {method for method, _ in loses.kinds} == {"GET", "POST", "DELETE"}
    assert any(path.endswith("/jobs/*") for _, path in loses.kinds)
    exported = found["datasets"]["request_logs"]["exported"]
    assert bigquery.sql("SELECT COUNT(*), COUNT(DISTINCT request_id) FROM {}.request_logs") == [[str(exported)] * 2]
    assert bigquery.sql("SELECT COUNT(*) FROM {}.bifrost_export_loads WHERE kind = 'load'") == [["1"]]
    assert one.run(DAY)["revision"] == 2


def test_every_request_about_a_job_tells_where_the_dataset_is(
    bigquery: BigQuery, region: str, tmp_path: Path, log_store: Path
) -> None:
    """Without a word about it in the document."""
    before = len(bigquery.api.requests)
    export(tmp_path, log_store, bigquery).run(DAY)

    asked = [each for each in bigquery.api.requests[before:] if _OF_JOBS.search(each)]
    assert asked
    assert [each for each in asked if f"location={region}" not in each] == []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_any_one_answer_may_be_lost(bigquery: BigQuery, tmp_path: Path, log_store: Path) -> None:
    """The run ends green, with the next revision and each row once."""
    one = export(tmp_path, log_store, bigquery)
    exported = str(one.run(DAY)["datasets"]["request_logs"]["exported"])
    revision, lost = 1, True
    while lost:
        left = [revision]
        lost = False

        def lose(_method: str, _path: str, left: list[int] = left) -> bool:
            nonlocal lost
            left[0] -= 1
            lost = lost or left[0] == 0
            return left[0] == 0

        bigquery.api.lose = lose
        assert one.run(DAY)["revision"] == revision + 1
        revision += 1
        assert bigquery.sql("SELECT COUNT(*), COUNT(DISTINCT request_id) FROM {}.request_logs") == [[exported] * 2]
        assert bigquery.staged() == []
    assert revision > 20


@pytest.mark.parametrize("location", ["US", "europe-west1"])
def test_a_location_unlike_the_datasets_is_refused_before_rows_are_read(
    bigquery: BigQuery, tmp_path: Path, log_store: Path, location: str
) -> None:
    """By `plan`, with both."""
    one = export(tmp_path, log_store, bigquery, location=location)
    told = rf"location is '{location}', and the dataset bifrost-test\.\w+ is in {LOCATION}"
    with pytest.raises(DestinationError, match=told) as raised:
        one.run(DAY)
    assert not isinstance(raised.value, DestinationUnavailableError)
    assert not any("/upload/" in each for each in bigquery.api.requests if bigquery.dataset in each)
    assert not (tmp_path / "staging").exists()


def test_the_datasets_own_location_in_other_letters_is_fine(
    bigquery: BigQuery, tmp_path: Path, log_store: Path
) -> None:
    """The service takes both."""
    assert export(tmp_path, log_store, bigquery, location=LOCATION.upper()).run(DAY)["revision"] == 1
