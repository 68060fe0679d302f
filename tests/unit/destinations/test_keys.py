"""The names of what an export writes (contract, section 5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bifrost_export.destinations.azure_blob.config import AzureBlobConfig
from bifrost_export.destinations.gcs.config import GCSConfig
from bifrost_export.destinations.local.destination import LocalConfig
from bifrost_export.destinations.object_store.keys import RESOLVED, Keys, prefix_problem, without_token
from bifrost_export.destinations.port import Target
from bifrost_export.destinations.redshift.config import RedshiftStaging
from bifrost_export.destinations.s3.config import S3Config
from bifrost_export.errors import ConfigError
from bifrost_export.window import Window

PLACES = ("path", "bucket", "container")
TOKEN = "0badcafe"
DAY = Window.parse("2026-08-28T04:00:00Z", "2026-08-29T04:00:00Z")


def keys(prefix: str, timezone: str = "UTC", window: Window = DAY, token: str = TOKEN) -> Keys:
    """The names of a run with this prefix."""
    return Keys(prefix, Target("nightly", window, token, timezone, ("request_logs",), ".parquet", "x/y"))


@pytest.mark.parametrize(
    ("prefix", "folder", "root"),
    [
        pytest.param("", "request_logs/", "", id="none"),
        pytest.param("logs", "logs/request_logs/", "logs/", id="without its final slash"),
        pytest.param("a/b/{year}/{month}/{day}/", "a/b/2026/08/28/request_logs/", "a/b/", id="by day"),
        pytest.param("dt={year}-{month}-{day}/", "dt=2026-08-28/request_logs/", "", id="partitioned"),
        pytest.param("a/x-{hour}/", "a/x-04/request_logs/", "a/", id="placeholder inside a folder"),
        pytest.param("{dataset}/{export}", "request_logs/nightly/", "", id="dataset in the prefix"),
    ],
)
def test_a_prefix_is_filled_from_the_windows_start(prefix: str, folder: str, root: str) -> None:
    """The dataset's folder is added unless the prefix places it; the root is the fixed first folders."""
    assert keys(prefix).folder("request_logs") == folder
    assert keys(prefix).root == root


def test_a_prefix_is_filled_in_the_exports_timezone() -> None:
    """04:00 UTC is still the day before in Los Angeles."""
    assert keys("{year}{month}{day}{hour}/", "America/Los_Angeles").folder("traces") == "2026082721/traces/"


def test_keys_name_export_dataset_window_token_and_the_number_of_parts() -> None:
    """A missing part is visible from the names alone."""
    assert keys("logs/").part("request_logs", 1, 4) == (
        "logs/request_logs/nightly__request_logs__20260828T040000Z_20260829T040000Z__0badcafe"
        "__part-00001-of-00004.parquet"
    )
    assert keys("logs/").manifest == "logs/_manifests/nightly/20260828T040000Z_20260829T040000Z.json"
    assert keys("logs/").rejected == ("logs/_rejected/nightly/20260828T040000Z_20260829T040000Z__0badcafe.jsonl.gz")


def test_a_fraction_stands_in_a_name_only_when_there_is_one() -> None:
    """Names are as precise as the window."""
    window = Window.parse("2026-08-28T04:00:00.25Z", "2026-08-28T05:00:00Z")

    assert keys("", window=window).manifest == "_manifests/nightly/20260828T040000.25Z_20260828T050000Z.json"


@pytest.mark.parametrize("prefix", ["../x/", "a/../../x", "/abs/", "a\nb/", "{yaer}/", "{year/", "a\\b"])
def test_a_prefix_that_could_leave_its_folder_or_has_unknown_placeholders_is_refused(prefix: str) -> None:
    """The message names the prefix."""
    with pytest.raises(ConfigError, match="the prefix"):
        keys(prefix)


@pytest.mark.parametrize("prefix", ["logs//x/", "./x", "x/./y/", ".", "logs//", "${A}/x//y/", "{year}//{month}/"])
@pytest.mark.parametrize("model", [LocalConfig, S3Config, GCSConfig, AzureBlobConfig, RedshiftStaging])
def test_an_empty_or_dotted_folder_is_refused_where_it_is_written(model: Any, prefix: str) -> None:
    """In every place that takes a prefix: stores list such keys under other names than they were put."""
    with pytest.raises(ValidationError, match="the prefix"):
        model.model_validate({**{name: "some" for name in PLACES if name in model.model_fields}, "prefix": prefix})


def test_a_doubled_slash_that_a_reference_brings_is_folded() -> None:
    """`${BIFROST_ROOT}/exports/` with `team-a/` in it."""
    resolved = LocalConfig.model_validate({"path": "x", "prefix": "team-a//exports/"}, context=RESOLVED)

    assert resolved.prefix == "team-a/exports/"
    assert keys("team-a//exports/").manifest == keys("team-a/exports/").manifest
    with pytest.raises(ValidationError, match="the prefix"):
        LocalConfig.model_validate({"path": "x", "prefix": "team-a//./exports/"}, context=RESOLVED)


@given(st.text(max_size=40))
def test_no_prefix_that_is_taken_leaves_its_literal_start(prefix: str) -> None:
    """Whatever is written, keys lie below the root or the prefix is refused."""
    if prefix_problem(prefix) is None:
        part = keys(prefix).part("request_logs", 1, 1)
        assert part.startswith(keys(prefix).root)
        assert not part.startswith("/")
        assert ".." not in part.split("/")


def test_names_of_other_runs_are_known_by_their_exact_shape() -> None:
    """Only what a run of this export and window could have written is taken for a leftover."""
    mine = keys("logs/")
    stems = mine.stems(("request_logs",))
    other = keys("logs/", token="12345678")

    def known(key: str) -> bool:
        return any(key.startswith(stem) and pattern.match(key) for stem, pattern in stems)

    assert known(other.part("request_logs", 3, 7))
    assert known(other.rejected)
    assert not known(mine.manifest)
    assert not known(other.part("request_logs", 3, 7) + ".bak/x")
    assert not known(other.part("error_logs", 1, 1))
    assert not known(other.part("request_logs", 1, 1).replace("12345678", "my-notes"))


def test_two_runs_names_are_equal_but_for_the_token() -> None:
    """That is how an unchanged window is known."""
    one, other = keys("logs/"), keys("logs/", token="12345678")

    assert without_token(one.part("request_logs", 1, 2)) == without_token(other.part("request_logs", 1, 2))
    assert without_token(one.rejected) == without_token(other.rejected)
    assert without_token(one.part("request_logs", 1, 2)) != without_token(other.part("request_logs", 2, 2))


def test_a_manifests_name_tells_its_window() -> None:
    """Files of other shapes in the folder are left alone."""
    mine = keys("logs/")

    assert mine.window_of_manifest(mine.manifest) == DAY
    assert mine.window_of_manifest("logs/_manifests/nightly/readme.json") is None
    assert mine.window_of_manifest("logs/_manifests/nightly/.lock") is None
    assert mine.window_of_manifest("logs/_manifests/nightly/old/" + mine.manifest.rpartition("/")[2]) is None
