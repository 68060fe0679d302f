"""Staged rows come back as they were written, and only to whom the plan says."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.errors import PlanMismatchError, StagingChangedError, StagingGoneError
from bifrost_export.pipeline.arrow_files import StagedFile, Stamp, file_name, read_rows, write_rows
from bifrost_export.pipeline.staging import Staging

SCHEMA = pa.schema([pa.field("id", pa.string(), nullable=False), pa.field("tokens", pa.int32())])
STAMP = Stamp("ab" * 32, "0badcafe", 3, "request_logs", ("extract", "filter"))


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Staging:
    """A run's staging folder; every test writes under attempts of its own."""
    url = tmp_path_factory.mktemp("rows").as_uri()
    made = Staging(url, None, "nightly/20260301T000000Z_20260302T000000Z__0badcafe", socket.gethostname())
    made.create({"planned_at": "2026-03-02T00:30:00Z"})
    return made


def batches(count: int, cuts: list[int]) -> list[pa.RecordBatch]:
    """So many rows, cut at these places."""
    rows = [{"id": f"r{number}", "tokens": None if number % 3 else number} for number in range(count)]
    whole = pa.RecordBatch.from_pylist(rows, SCHEMA)
    edges = [0, *sorted(min(cut, count) for cut in cuts), count]
    return [whole.slice(start, end - start) for start, end in pairwise(edges)]


def ids(found: Any) -> list[str]:
    """The ids of batches."""
    return [each for batch in found for each in batch.column("id").to_pylist()]


@given(
    count=st.integers(0, 12), cuts=st.lists(st.integers(0, 12), max_size=4), offset=st.integers(0, 12), data=st.data()
)
def test_any_rows_can_be_read_back(
    staging: Staging, count: int, cuts: list[int], offset: int, data: st.DataObject
) -> None:
    """From any row, any number of rows, however they were batched."""
    offset = min(offset, count)
    wanted = data.draw(st.none() | st.integers(0, count - offset))

    file, rows = write_rows(staging, STAMP, "any", SCHEMA, batches(count, cuts))

    end = count if wanted is None else offset + wanted
    assert rows == count
    assert ids(read_rows(staging, file, STAMP, offset, wanted)) == [f"r{number}" for number in range(offset, end)]


def test_values_nulls_and_schema_come_back(staging: Staging) -> None:
    """The stamp stays in the file: batches have the plain schema."""
    given_ = batches(7, [2])

    file, _ = write_rows(staging, STAMP, "values", SCHEMA, given_)

    found = list(read_rows(staging, file, STAMP))
    assert [each.to_pylist() for each in found] == [each.to_pylist() for each in given_]
    assert all(each.schema.equals(SCHEMA, check_metadata=True) for each in found)


def test_a_files_name_tells_slice_dataset_step_and_attempt() -> None:
    """No other attempt of any task writes it."""
    assert file_name(STAMP, "a1") == "00003.request_logs.filter.a1.arrow"


def test_a_stamp_is_made_from_the_plan() -> None:
    """Its hash and token."""
    plan: Any = SimpleNamespace(hash="ab" * 32, token="0badcafe")

    assert Stamp.of(plan, 3, "request_logs", ("extract", "filter")) == STAMP


@pytest.mark.parametrize(
    ("other", "told"),
    [
        pytest.param({"plan": "cd" * 32}, "plan is 'abab.*' instead of 'cdcd", id="plan"),
        pytest.param({"token": "deadbeef"}, "token is '0badcafe' instead of 'deadbeef'", id="token"),
        pytest.param({"slice": 4}, "slice is 3 instead of 4", id="slice"),
        pytest.param({"dataset": "metrics"}, "dataset is 'request_logs' instead of 'metrics'", id="dataset"),
        pytest.param(
            {"steps": ("extract",)}, r"steps is \['extract', 'filter'\] instead of \['extract'\]", id="a step more"
        ),
        pytest.param({"steps": ("filter", "extract")}, "steps is", id="another order"),
    ],
)
def test_a_file_that_is_not_the_planned_one_is_refused(staging: Staging, other: dict[str, Any], told: str) -> None:
    """The message says what differs, and both values."""
    file, _ = write_rows(staging, STAMP, "other", SCHEMA, batches(3, []))

    with pytest.raises(PlanMismatchError, match=f"{file['name']} is not what the plan says: {told}"):
        list(read_rows(staging, file, replace(STAMP, **other)))


def test_an_arrow_file_of_someone_else_is_refused(staging: Staging) -> None:
    """It has no stamp at all."""
    with staging.write("stranger.arrow") as stream, pa.ipc.new_file(stream, SCHEMA):
        pass
    file: StagedFile = {"name": "stranger.arrow", "sha256": stream.sha256}

    with pytest.raises(PlanMismatchError, match="plan is None instead of"):
        list(read_rows(staging, file, STAMP))


def test_a_missing_file_says_what_to_clear(staging: Staging) -> None:
    """Staging of the run is gone."""
    with pytest.raises(StagingGoneError, match=r"has no 00009\.arrow\. Clear from plan"):
        list(read_rows(staging, {"name": "00009.arrow", "sha256": ""}, STAMP))


def flipped(body: bytes) -> bytes:
    """The same bytes but for one in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@pytest.mark.parametrize(
    "change",
    [
        *(pytest.param(lambda body, share=share: body[: int(len(body) * share)], id=str(share)) for share in (0, 0.5)),
        pytest.param(lambda body: body[:-1], id="its last byte is missing"),
        pytest.param(lambda body: body + b"x", id="a byte more"),
        pytest.param(flipped, id="one bit"),
    ],
)
def test_a_file_that_was_changed_is_refused_before_a_row_is_read(
    staging: Staging, change: Callable[[bytes], bytes]
) -> None:
    """Cut short, longer or changed: the message names the file and what to clear."""
    file, _ = write_rows(staging, STAMP, "whole", SCHEMA, batches(500, [100, 300]))
    with staging.read(**file) as stream:
        body = stream.read()
    with staging.write(file["name"]) as other:
        other.write(change(body))

    told = rf"the staged file .*{file['name']} was changed after .*nothing of it is published.*clear from plan"
    with pytest.raises(StagingChangedError, match=told):
        next(read_rows(staging, file, STAMP))


def test_a_file_of_another_run_with_the_same_stamp_is_refused(staging: Staging) -> None:
    """Whoever can write there can copy the stamp too."""
    file, _ = write_rows(staging, STAMP, "own", SCHEMA, batches(5, []))
    other, _ = write_rows(staging, STAMP, "other", SCHEMA, batches(6, []))
    folder = staging.local_folder
    assert folder is not None
    (folder / other["name"]).rename(folder / file["name"])

    with pytest.raises(StagingChangedError, match="clear from plan"):
        next(read_rows(staging, file, STAMP))


def test_a_file_that_is_changed_while_it_is_read_fails_the_task(staging: Staging) -> None:
    """The rows were handed on, but no later task is told of what was made of them."""
    file, _ = write_rows(staging, STAMP, "live", SCHEMA, batches(500, [100, 300]))
    folder = staging.local_folder
    assert folder is not None
    rows = read_rows(staging, file, STAMP)
    next(rows)
    path = folder / file["name"]
    path.write_bytes(flipped(path.read_bytes()))

    with pytest.raises(StagingChangedError, match="clear from plan"):
        list(rows)


def test_a_file_is_hashed_once_for_many_parts(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again as soon as somebody has written to it."""
    file, _ = write_rows(staging, STAMP, "once", SCHEMA, batches(50, []))
    hashed: list[str] = []
    whole = hashlib.file_digest

    def watched(stream: Any, name: str) -> Any:
        hashed.append(name)
        return whole(stream, name)

    monkeypatch.setattr(hashlib, "file_digest", watched)
    for offset in range(10):
        list(read_rows(staging, file, STAMP, offset, 1))
    assert len(hashed) == 1

    folder = staging.local_folder
    assert folder is not None
    path = folder / file["name"]
    times = path.stat()
    path.write_bytes(flipped(path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(StagingChangedError):
        list(read_rows(staging, file, STAMP, 0, 1))


@pytest.mark.parametrize(("offset", "count", "lacking"), [(0, 6, 1), (3, 9, 7), (5, 1, 1), (9, 2, 2)])
def test_rows_that_a_file_lacks_are_told(staging: Staging, offset: int, count: int, lacking: int) -> None:
    """The plan of the parts says how many there must be."""
    file, _ = write_rows(staging, STAMP, "five", SCHEMA, batches(5, [2]))

    with pytest.raises(StagingGoneError, match=f"lacks {lacking} rows"):
        list(read_rows(staging, file, STAMP, offset, count))


def test_rows_that_break_off_leave_no_file(staging: Staging) -> None:
    """A log store that fails in the middle leaves nothing that could be read."""

    def broken() -> Any:
        yield from batches(5, [2])
        raise ValueError("the log store broke")

    with pytest.raises(ValueError, match="the log store broke"):
        write_rows(staging, STAMP, "broken", SCHEMA, broken())

    assert file_name(STAMP, "broken") not in {Path(name).name for name in staging.folder.list("")}
