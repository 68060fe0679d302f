"""A window runs to the same result, however often and however it is read."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from bifrost_export import datasets
from bifrost_export.destinations.object_store.keys import without_token
from bifrost_export.errors import OverlapError, RejectedRowsError, WindowError
from bifrost_export.formats import parquet
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.integration.published import comparable, stale
from tests.support.odd_rows import plant

DAY = Window.parse("2026-03-01", "2026-03-02")


@pytest.fixture(scope="module")
def odd_store(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample log store with every odd row planted in `DAY`."""
    path = Path(shutil.copy(sample_store, tmp_path_factory.mktemp("odd") / "logs.db"))
    plant(path, DAY)
    return path


@pytest.fixture
def export(tmp_path: Path, odd_store: Path) -> Export:
    """An export in parts of 200 rows."""
    return Export(tmp_path, odd_store, {"max_rows_per_file": 200})


def test_a_second_run_is_unchanged_and_leaves_every_file_as_it_was(export: Export) -> None:
    """Names, bytes and times of change."""
    first = export.run(DAY)
    before = {path: path.stat().st_mtime_ns for path in export.out.rglob("*") if path.is_file()}

    second = export.run(DAY)

    assert (first["unchanged"], second["unchanged"], second["revision"]) == (False, True, 1)
    assert {path: path.stat().st_mtime_ns for path in export.out.rglob("*") if path.is_file()} == before
    assert first["datasets"] == second["datasets"]


def _encode_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for another version of the library that writes Parquet."""
    options = parquet._options
    monkeypatch.setattr(parquet, "_options", lambda *given: {**options(*given), "write_statistics": False})


@pytest.mark.parametrize("data", [{}, {"format": "json"}, {"format": "csv"}], ids=["parquet", "json", "csv"])
def test_every_file_has_a_content_digest(export: Export, data: dict[str, Any]) -> None:
    """The parts', the same for each format, and the rejected rows'."""
    export.data |= {**data, "max_rejected": "50%"}
    export.run(DAY)

    manifest = export.manifest(DAY)
    digests = [part["content_digest"] for part in manifest["datasets"]["request_logs"]["parts"]]
    digests.append(manifest["rejected"]["content_digest"])
    assert len(set(digests)) == len(digests)
    assert all(re.fullmatch("v1:[0-9a-f]{64}", digest) for digest in digests)


def test_a_new_version_of_a_library_republishes_nothing(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are the same, whatever encoded them; over a former manifest without digests, bytes decide."""
    export.run(DAY)
    before = export.contents()
    with monkeypatch.context() as patch:
        _encode_otherwise(patch)
        assert export.run(DAY)["unchanged"]
        assert export.contents() == before

        path = next(export.out.rglob("_manifests/*/*.json"))
        path.write_text(re.sub('"content_digest": "[^"]*"', '"content_digest": null', path.read_text()))
        assert not export.run(DAY)["unchanged"]
    assert export.run(DAY)["unchanged"]


def test_other_parts_and_back_again_leave_no_stale_part(export: Export) -> None:
    """`max_rows_per_file` 200, then 90, then 200."""
    export.run(DAY)
    first = comparable(export.contents())

    export.data["max_rows_per_file"] = 90
    assert export.run(DAY)["revision"] == 2
    assert stale(export.contents()) == []
    export.data["max_rows_per_file"] = 200
    assert export.run(DAY)["revision"] == 3

    assert comparable(export.contents()) == first
    assert stale(export.contents()) == []


def test_a_dataset_that_is_no_longer_included_leaves_no_part(export: Export) -> None:
    """Neither one that the manifest before names, nor one of a run that was killed before it published."""
    export.data["include"] = datasets.names()
    export.run(DAY)
    old = {key.split("/")[-2]: key for key in export.parts()}
    assert set(old) == set(datasets.names())
    for key in old.values():  # as a killed run leaves it: under its own token, and in no manifest
        content = (export.out / key).read_bytes()
        (export.out / re.sub(r"__[0-9a-f]{8}(?=__part-)", "__0badcafe", key)).write_bytes(content)

    export.data["include"] = ["request_logs"]
    assert export.run(DAY)["warnings"] == []

    left = export.contents()
    assert stale(left) == []
    assert {key.split("/")[-2] for key in export.parts()} == {"request_logs"}


@pytest.mark.parametrize("published", [False, True], ids=["first publication", "unchanged"])
def test_a_manifest_that_a_killed_run_has_half_written_is_taken_away(export: Export, published: bool) -> None:
    """It was killed in the middle of the commit, which the lock lets one run do at a time."""
    if published:
        export.run(DAY)
    folder = export.out / "logs/_manifests/nightly"
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{DAY.name}.json.0123456789abcdef.tmp"
    half.write_bytes(b'{"manifest_version"')

    assert export.run(DAY)["unchanged"] is published

    assert not half.exists()
    assert stale(export.contents()) == []


@pytest.mark.parametrize("rows_per_slice", [7, 64, 501])
def test_other_slices_change_no_byte(export: Export, tmp_path: Path, rows_per_slice: int) -> None:
    """Slices are how rows are read, parts how they are written."""
    export.run(DAY)
    other = Export(tmp_path / "other", export.log_store, export.data, runtime={"rows_per_slice": rows_per_slice})

    other.run(DAY)

    assert comparable(other.contents()) == comparable(export.contents())
    assert {without_token(key): data for key, data in other.parts().items()} == {
        without_token(key): data for key, data in export.parts().items()
    }


def test_few_mapped_instances_are_enough_for_many_slices_and_parts(export: Export, tmp_path: Path) -> None:
    """Never more than `max_map_length`."""
    export.run(DAY)
    runtime = {"rows_per_slice": 5, "max_map_length": 3}
    other = Export(tmp_path / "other", export.log_store, export.data, runtime=runtime)

    other.run(DAY)

    assert comparable(other.contents()) == comparable(export.contents())


def test_an_empty_window_publishes(export: Export) -> None:
    """A manifest with 0 rows and no part."""
    window = Window.parse("2025-01-01", "2025-01-02")

    result = export.run(window)

    assert result["datasets"]["request_logs"] == {
        "source": 0,
        "filtered": 0,
        "filtered_by": {},
        "rejected": 0,
        "blanked": {},
        "repaired": {},
        "exported": 0,
        "parts": [],
    }
    assert list(export.contents()) == [f"logs/_manifests/nightly/{window.name}.json"]


def test_a_dry_run_counts_and_writes_nothing(export: Export) -> None:
    """Not even the destination's folder; it tells where a run would write, and its first rows."""
    told: dict[str, Any] = {}
    export.runtime["report"] = told.__setitem__

    result = export.run(DAY, dry_run=True)

    assert result["datasets"]["request_logs"]["source"] > 0
    assert result["datasets"]["request_logs"]["exported"] > 0
    assert str(export.out / f"logs/_manifests/nightly/{DAY.name}.json") in told["dry_run"]["targets"]
    assert [row["status_code"] for row in told["dry_run"]["rows"]["request_logs"]]
    assert result["manifest"] is None
    assert export.contents() == {}
    assert not any((export.folder / "staging").rglob("*.arrow"))


def test_a_window_that_has_not_settled_needs_force(export: Export) -> None:
    """Rows of its last requests may still arrive."""
    window = Window.parse("2026-03-31T12:00:00Z", "2026-03-31T23:45:00Z")

    with pytest.raises(WindowError, match=r"settles at 2026-04-01T00:15:00Z.*set force"):
        export.run(window)
    assert export.run(window, force=True)["revision"] == 1


def test_a_window_that_overlaps_a_published_one_is_refused_before_it_is_read(export: Export) -> None:
    """The message names the published window."""
    export.run(DAY)
    before = export.contents()

    with pytest.raises(OverlapError, match="2026-03-01T00:00:00Z, 2026-03-02T00:00:00Z"):
        export.run(Window.parse("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"))
    assert export.contents() == before


def test_too_many_rejected_rows_fail_the_run_before_anything_is_published(export: Export) -> None:
    """Ten are always allowed; the odd rows are more."""
    export.data["max_rejected"] = 0

    with pytest.raises(RejectedRowsError, match="nothing was published"):
        export.run(DAY)
    assert export.contents() == {}


def test_books_count_every_row_once(export: Export) -> None:
    """Source = kept + filtered by rule + rejected, also in the manifest."""
    export.data["filters"] = {"providers": ["openai", "anthropic"], "has_errors": False, "max_latency_ms": 2000}

    export.run(DAY)

    entry = export.manifest(DAY)["datasets"]["request_logs"]
    assert set(entry["filtered_by"]) == {"providers", "max_latency_ms", "has_errors"}
    assert entry["filtered"] == sum(entry["filtered_by"].values())
    assert entry["source"] == entry["exported"] + entry["filtered"] + entry["rejected"]
    assert entry["exported"] == sum(part["rows"] for part in entry["parts"])


def test_a_date_range_that_narrows_the_window_counts_the_rest_as_filtered(export: Export) -> None:
    """The rows outside are in the books, read or not."""
    whole = export.run(DAY)["datasets"]["request_logs"]
    export.data["filters"] = {"date_range": {"start": "2026-03-01T06:00:00Z", "end": "2026-03-01T11:59:59Z"}}

    narrowed = export.run(DAY)["datasets"]["request_logs"]

    assert narrowed["source"] == whole["source"]
    assert narrowed["filtered"] == narrowed["filtered_by"]["date_range"] > 0
    assert narrowed["source"] == narrowed["exported"] + narrowed["filtered"] + narrowed["rejected"]
    entry = export.manifest(DAY)["datasets"]["request_logs"]
    assert min(part["min_timestamp"] for part in entry["parts"]) >= "2026-03-01T06:00:00Z"
    assert max(part["max_timestamp"] for part in entry["parts"]) < "2026-03-01T12:00:00Z"


def test_a_document_edited_between_two_steps_leaves_the_run_as_planned(export: Export) -> None:
    """The plan is frozen: the steps don't read the document again."""
    from bifrost_export.pipeline import (
        aggregate,
        clean_up,
        extract,
        filter,  # noqa: A004
        load,
        plan,
        publish,
        reconcile,
        runtime,
        transform,
    )
    from tests.integration.exports import AFTERWARDS

    export.run(DAY)
    expected = comparable(export.contents())
    shutil.rmtree(export.out)
    surroundings = runtime.Runtime(now=lambda: AFTERWARDS)
    planned = plan.plan(surroundings, plan.PlanRequest(str(export.document()), "nightly", DAY, "test"))
    export.data = {"max_rows_per_file": 7, "filters": {"has_errors": True}, "compression": "gzip"}
    export.document()

    items = [extract.extract(surroundings, planned, item) for item in planned.items()]
    items = [transform.transform(surroundings, planned, filter.filter_slice(surroundings, planned, x)) for x in items]
    reconciled = reconcile.reconcile(surroundings, planned, aggregate.aggregate(surroundings, planned, items))
    loaded = [load.load(surroundings, planned, group) for group in reconciled["groups"]]
    publish.publish(surroundings, planned, reconciled, loaded)
    clean_up.clean_up(surroundings, planned)

    assert comparable(export.contents()) == expected
