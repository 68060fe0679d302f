"""Staging: private, whole files only, swept only where a run's own marker says that it is old."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from bifrost_export.config.models.staging import Staging as StagingConfig
from bifrost_export.destinations.local.store import LocalStore
from bifrost_export.destinations.temporary_files import temporary_folder, unnamed_file
from bifrost_export.errors import ConfigError, PermanentError, StagingChangedError, StagingGoneError
from bifrost_export.pipeline.local_staging import LocalFolder
from bifrost_export.pipeline.staging import Folder, ObjectFolder, Staging, open_folder
from bifrost_export.window import UTC, rfc3339

NOW = dt.datetime(2026, 3, 20, tzinfo=UTC)
WEEK = dt.timedelta(days=7)
DAY = "20260301T000000Z_20260302T000000Z"
HOST = socket.gethostname()


def staged(root: Path, run: str = f"nightly/{DAY}__0badcafe", host: str = HOST) -> Staging:
    """A run's staging below a local folder."""
    return Staging(root.as_uri(), None, run, host)


@pytest.fixture(params=["local", "objects"])
def staging(request: pytest.FixtureRequest, tmp_path: Path) -> Staging:
    """A run's staging on a disk, and in an object store below a prefix."""
    made = staged(tmp_path / "staging")
    if request.param == "objects":
        made.folder = ObjectFolder(LocalStore(tmp_path / "bucket"), "some/prefix/")
    return made


def put(folder: Folder, name: str, body: bytes = b"rows") -> None:
    """Stage a file."""
    with folder.write(name) as stream:
        stream.write(body)


def names(folder: Folder) -> list[str]:
    """Every staged file."""
    return sorted(folder.list(""))


def tree(root: Path) -> Iterator[Path]:
    """A folder and everything in it."""
    yield root
    yield from root.rglob("*")


def modes(root: Path) -> set[tuple[bool, int]]:
    """Whether it is a folder, and its permissions, of everything in a folder."""
    return {(each.is_dir(), stat.S_IMODE(each.stat().st_mode)) for each in tree(root)}


def test_a_file_that_is_written_is_read_back(staging: Staging) -> None:
    """By position too, which Arrow files need."""
    put(staging.folder, f"{staging.name}/a.arrow", b"0123456789")

    with staging.read("a.arrow", hashlib.sha256(b"0123456789").hexdigest()) as stream:
        stream.seek(4)
        assert stream.read() == b"456789"


def test_a_file_appears_when_it_is_whole(staging: Staging) -> None:
    """While it is written nobody sees it."""
    staging.create({"planned_at": rfc3339(NOW)})
    with staging.write("a.arrow") as stream:
        stream.write(b"half")
        stream.flush()
        assert names(staging.folder) == [f"{staging.name}/plan.json"]

    assert names(staging.folder) == [f"{staging.name}/a.arrow", f"{staging.name}/plan.json"]


def test_what_breaks_off_leaves_nothing(staging: Staging, tmp_path: Path) -> None:
    """No half file, and no temporary one."""
    staging.create({"planned_at": rfc3339(NOW)})

    def break_off() -> None:
        with staging.write("a.arrow") as stream:
            stream.write(b"half")
            raise ValueError("broke off")

    with pytest.raises(ValueError, match="broke off"):
        break_off()

    assert [each.name for each in tree(tmp_path) if each.is_file()] == ["plan.json"]


def test_a_run_can_be_checked_while_its_marker_stands(staging: Staging) -> None:
    """Without it the message says what to clear."""
    staging.create({"planned_at": rfc3339(NOW)})
    staging.check()
    staging.remove()

    with pytest.raises(
        StagingGoneError, match=r"staging of this run is gone: .*0badcafe has no plan.json. Clear from pl"
    ):
        staging.check()


def test_a_missing_file_is_told(staging: Staging) -> None:
    """The marker may stand all the same."""
    staging.create({})

    with pytest.raises(StagingGoneError, match=r"has no 00001\.arrow"), staging.read("00001.arrow", "0" * 64):
        pass


def test_staging_on_another_hosts_disk_names_both_hosts(tmp_path: Path) -> None:
    """The task runs on a worker that doesn't share the disk."""
    told = rf"staged on host far-away, and this task runs on {HOST}: .*Use an object store or a shared folder"
    with pytest.raises(StagingGoneError, match=told):
        staged(tmp_path, host="far-away").check()


def test_removing_takes_the_runs_folder_alone(staging: Staging) -> None:
    """Other runs of the export, and other exports, stay."""
    others = [f"nightly/{DAY}__11111111/plan.json", "hourly/other.txt", f"{staging.name}0/plan.json"]
    for name in [*others, f"{staging.name}/plan.json", f"{staging.name}/a.arrow", f"{staging.name}/z.arrow"]:
        put(staging.folder, name)

    staging.remove()
    staging.remove()

    assert names(staging.folder) == sorted(others)


def test_a_local_export_without_runs_leaves_no_folder(tmp_path: Path) -> None:
    """The last run takes the export's folder away."""
    run = staged(tmp_path / "staging")
    run.create({})

    run.remove()

    assert list((tmp_path / "staging").iterdir()) == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_folders_and_files_are_private(tmp_path: Path, umask: int) -> None:
    """Folders 0700 and files 0600, whatever the process's mask is; folders above are the user's own matter."""
    before = os.umask(umask)
    try:
        run = staged(tmp_path / "a" / "staging")
        run.create({})
        with run.write("a.arrow"):
            assert modes(tmp_path / "a" / "staging") == {(True, 0o700), (False, 0o600)}
    finally:
        os.umask(before)

    assert modes(tmp_path / "a" / "staging") == {(True, 0o700), (False, 0o600)}


def test_a_staged_file_that_was_replaced_is_never_read(staging: Staging) -> None:
    """On a disk and in an object store alike: the message names the file and what to clear."""
    put(staging.folder, f"{staging.name}/a.jsonl", b"planted")

    told = r"the staged file .*a\.jsonl was changed after its task had written it.*clear from plan"
    with (
        pytest.raises(StagingChangedError, match=told),
        staging.read("a.jsonl", hashlib.sha256(b"written").hexdigest()),
    ):
        pytest.fail("its bytes were handed on")


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    """A link would lead out of staging, and a FIFO would hold the task for ever."""
    run = staged(tmp_path / "staging")
    run.create({})
    (tmp_path / "elsewhere").write_bytes(b"rows")
    folder = run.local_folder
    assert folder is not None
    path = folder / "a.arrow"
    make: dict[str, Callable[[], None]] = {
        "link": lambda: path.symlink_to(tmp_path / "elsewhere"),
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    make[kind]()

    with (
        pytest.raises(StagingGoneError, match=r"has no a\.arrow"),
        run.read("a.arrow", hashlib.sha256(b"rows").hexdigest()),
    ):
        pytest.fail("it was read")


@pytest.mark.parametrize("below", ["", "nightly"], ids=["the folder", "a folder in it"])
@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o777, 0o1777], ids=oct)
def test_a_folder_that_others_can_look_into_is_refused_as_it_is(tmp_path: Path, mode: int, below: str) -> None:
    """It may be somebody's home, or /tmp: nothing about it is changed."""
    root = tmp_path / "staging"
    root.mkdir(mode=0o700)
    folder = root / below
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)

    told = rf"{folder} is open to other users \(mode {mode:04o}\).*mode 0700.*chmod 0700 {folder}.*staging\.url"
    with pytest.raises(PermanentError, match=told):
        staged(root).create({})

    assert stat.S_IMODE(folder.stat().st_mode) == mode
    assert list(folder.iterdir()) == []


def test_a_staging_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows could be read there by who made it."""
    tmp_path.chmod(0o700)
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)

    told = rf"{tmp_path} belongs to another user \(uid {owner}\).*staging.url"
    with pytest.raises(PermanentError, match=told):
        staged(tmp_path).create({})


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """Whoever made it chooses where the rows go."""
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / "staging").symlink_to(tmp_path / "theirs")

    with pytest.raises(PermanentError, match=r"staging is a symbolic link.*staging\.url"):
        staged(tmp_path / "staging").create({})

    assert list((tmp_path / "theirs").iterdir()) == []


def test_a_link_below_the_folder_is_refused(tmp_path: Path) -> None:
    """The export's own folder too."""
    (tmp_path / "staging").mkdir(mode=0o700)
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / "staging" / "nightly").symlink_to(tmp_path / "theirs")

    with pytest.raises(PermanentError, match="nightly is a symbolic link"):
        staged(tmp_path / "staging").create({})

    assert list((tmp_path / "theirs").iterdir()) == []


def test_a_folder_above_may_be_a_link(tmp_path: Path) -> None:
    """The home of Airflow often is."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "disk")

    staged(tmp_path / "home" / "staging").create({})

    assert modes(tmp_path / "disk" / "staging") == {(True, 0o700), (False, 0o600)}


def test_users_that_share_a_sticky_folder_stage_in_private_folders_of_their_own(tmp_path: Path) -> None:
    """With `shared`, as tasks under `run_as_user` need it: nobody can move or read what is not theirs."""
    root = tmp_path / "shared"
    root.mkdir()
    root.chmod(0o1777)
    run = Staging(root.as_uri(), None, f"nightly/{DAY}__0badcafe", HOST, shared=True)

    run.create({})

    assert stat.S_IMODE(root.stat().st_mode) == 0o1777
    assert modes(root / "nightly") == {(True, 0o700), (False, 0o600)}


def test_a_shared_folder_without_the_sticky_bit_is_refused(tmp_path: Path) -> None:
    """Anyone could put another folder in the place of an export's."""
    tmp_path.chmod(0o777)

    with pytest.raises(PermanentError, match=r"open to other users \(mode 0777\).*sticky one \(mode 1777\)"):
        Staging(tmp_path.as_uri(), None, f"nightly/{DAY}__0badcafe", HOST, shared=True).create({})


def test_nothing_is_swept_in_a_folder_of_somebody_else(tmp_path: Path) -> None:
    """What looks like an old run there was put there by its owner."""
    aged(100)(LocalFolder(tmp_path / "staging"), f"nightly/{DAY}__22222222")
    (tmp_path / "staging").chmod(0o777)

    with pytest.raises(PermanentError, match="open to other users"):
        staged(tmp_path / "staging").sweep(WEEK, NOW)

    assert (tmp_path / "staging" / "nightly" / f"{DAY}__22222222" / "plan.json").is_file()


def test_a_place_that_takes_no_folder_is_refused(tmp_path: Path) -> None:
    """The message says where, why and what to do."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(PermanentError, match=r"staging in .*file failed: .*exists.*set log_exports.staging.url"):
        staged(tmp_path / "file").create({})


def aged(days: float) -> Callable[[Folder, str], None]:
    """Stage a marker of a run that was planned so many days ago."""
    planned_at = rfc3339(NOW - dt.timedelta(days=days))

    def stage(folder: Folder, run: str) -> None:
        put(folder, f"{run}/plan.json", f'{{"planned_at": "{planned_at}"}}'.encode())
        put(folder, f"{run}/00000.request_logs.extract.a1.arrow")

    return stage


def test_sweeping_takes_runs_away_whose_marker_is_old(staging: Staging) -> None:
    """Of any export; its own run stays however old it is."""
    old = [f"hourly.v2/{DAY}__22222222", "nightly/20260301T000000.5Z_20260302T000000Z__33333333"]
    for run in (*old, staging.name):
        aged(7.01)(staging.folder, run)
    aged(6.99)(staging.folder, f"nightly/{DAY}__44444444")

    assert sorted(staging.sweep(WEEK, NOW)) == sorted(old)
    assert {name.rpartition("/")[0] for name in names(staging.folder)} == {staging.name, f"nightly/{DAY}__44444444"}


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(f"{DAY}__22222222", id="without an export"),
        pytest.param(f"a/nightly/{DAY}__22222222", id="deeper"),
        pytest.param(f"nightly/{DAY}__2222", id="short token"),
        pytest.param("nightly/20260301_20260302__22222222", id="other times"),
        pytest.param("nightly/mine", id="a folder of someone else"),
        pytest.param(f"nightly/{DAY}__22222222/sub", id="below a run"),
    ],
)
def test_sweeping_leaves_folders_whose_name_is_no_runs(staging: Staging, run: str) -> None:
    """Even with an old marker."""
    aged(100)(staging.folder, run)
    before = names(staging.folder)

    assert staging.sweep(WEEK, NOW) == []
    assert names(staging.folder) == before


@pytest.mark.parametrize("marker", [b"", b"[]", b"{}", b'{"planned_at": 5}', b'{"planned_at": "soon"}', None], ids=str)
def test_sweeping_leaves_folders_whose_marker_says_nothing(staging: Staging, marker: bytes | None) -> None:
    """It may be someone else's, or of a version to come."""
    run = f"nightly/{DAY}__22222222"
    put(staging.folder, f"{run}/a.arrow")
    if marker is not None:
        put(staging.folder, f"{run}/plan.json", marker)
    before = names(staging.folder)

    assert staging.sweep(WEEK, NOW) == []
    assert names(staging.folder) == before


def test_sweeping_what_is_not_there_finds_nothing(staging: Staging) -> None:
    """The first run of all sweeps too."""
    assert staging.sweep(WEEK, NOW) == []


def test_an_object_folder_is_removed_with_its_marker_last(tmp_path: Path) -> None:
    """A removal that breaks off leaves what a later sweep knows."""
    order = []

    class Watched(LocalStore):
        def delete(self, key: str) -> None:
            order.append(key)
            super().delete(key)

    folder = ObjectFolder(Watched(tmp_path), "")
    for name in ("run/z.arrow", "run/plan.json", "run/a.arrow"):
        put(folder, name)
    order.clear()

    folder.remove("run")

    assert order == ["run/a.arrow", "run/z.arrow", "run/plan.json"]


def test_runs_that_come_and_go_beside_each_other_do_not_disturb(tmp_path: Path) -> None:
    """One takes the export's empty folder away while another makes its own in it, and both list the files."""

    def live(number: int) -> None:
        for turn in range(40):
            run = staged(tmp_path, f"nightly/{DAY}__{number:04x}{turn:04x}")
            run.create({"planned_at": rfc3339(NOW)})
            run.check()
            assert run.sweep(WEEK, NOW) == []
            run.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(live, range(4)))

    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_outlives_its_run_leaves_no_file(staging: Staging, tmp_path: Path) -> None:
    """A killed worker's child writes on beside a run that has ended and cleaned up."""
    staging.create({"planned_at": rfc3339(NOW)})

    with ExitStack() as block:
        block.enter_context(pytest.raises((StagingGoneError, PermanentError), match="staging"))
        stream = block.enter_context(staging.write("late.arrow"))
        stream.write(b"rows")
        staging.remove()

    assert [each for each in tree(tmp_path) if each.is_file()] == []


def test_a_writer_that_begins_after_its_run_was_cleaned_up_makes_no_folder(staging: Staging, tmp_path: Path) -> None:
    """It would have no marker, by which it is swept."""
    with pytest.raises(StagingGoneError, match="Clear from plan"), staging.write("late.arrow"):
        pass

    assert [each for each in tree(tmp_path) if each.is_file() or DAY in each.name] == []


def test_what_a_former_plan_of_the_same_run_staged_is_swept(staging: Staging) -> None:
    """`plan` was retried or cleared; the same run id of another export is another run."""
    for folder, run_id in (
        (staging.name, "run 1"),
        (f"nightly/{DAY}__11111111", "run 1"),
        (f"nightly/{DAY}__22222222", "run 2"),
        (f"weekly/{DAY}__33333333", "run 1"),
    ):
        put(staging.folder, f"{folder}/plan.json", orjson.dumps({"planned_at": rfc3339(NOW), "run_id": run_id}))

    assert staging.sweep(WEEK, NOW, "run 1") == [f"nightly/{DAY}__11111111"]


@pytest.mark.parametrize("url", ["file:///tmp/a%20b", "file://localhost/tmp/a%20b"])
def test_a_file_url_names_a_folder(url: str) -> None:
    """With its escapes undone."""
    folder = open_folder(url, None)

    assert isinstance(folder, LocalFolder)
    assert folder.root == Path("/tmp/a b")


BAD_URLS = {
    "": "is not a URL",
    "/tmp/x": "is not a URL.*Write file:///tmp/x",
    "staging": "is not a URL.*absolute path",
    "./staging": "is not a URL",
    "file:staging": "names a relative path",
    "file://staging": "names the host 'staging'.*three slashes",
    "file://host/x": "names the host 'host'.*three slashes",
    "file://": "names no folder",
    "file:///": "names no folder",
    "file:///a/../../etc": "contains '..'",
    "file:///a/%2e%2e/etc": "contains '..'",
    "file:///a%00b": "control character",
    "file:///a?x=1": "ends in a query",
    "file:///a#b": "ends in a query",
    "s3:///x": "names no bucket",
    "s3:bucket/x": "has no '//'",
    "s3://key:hush@bucket/x": r"'s3://\*\*\*@bucket/x' holds credentials or a connection",
    "s3://bucket/a//b": "empty, '.' or '..' folder",
    "s3://bucket/a/../b": "empty, '.' or '..' folder",
    "s3://bucket//a": "empty, '.' or '..' folder",
    "gs://bucket/x\n": "control character",
    "abfss://container/x": "does not name a container and an account",
    "https://x/y": "is not the address of a container",
    "https://acct.blob.core.windows.net/": "names no container",
    "https://acct.blob.core.windows.net/c/x?sv=1&sig=hush": "query or a fragment.*conn_id",
    "ftp://host/x": "unknown scheme 'ftp'",
    "S3://bucket/x": "unknown scheme 'S3'",
}


@pytest.mark.parametrize("url", BAD_URLS)
def test_other_urls_are_refused(url: str) -> None:
    """By `validate` and, where a reference stands in it, by the run; no secret in it is repeated."""
    with pytest.raises(ConfigError, match=rf"{BAD_URLS[url]}.*") as refused:
        open_folder(url, None)

    assert "file:///folder, s3://bucket/prefix" in str(refused.value)
    assert "hush" not in str(refused.value)
    with pytest.raises(ValidationError, match=r"log_exports\.staging\.url"):
        StagingConfig(url=url)


@pytest.mark.parametrize(
    "url",
    [
        "file:///var/lib/staging/",
        "file:/var/lib/staging",
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket/a/b/",
        "gs://bucket/a",
        "az://container/x",
        "abfss://container@acct.dfs.core.windows.net/x",
        "https://acct.blob.core.windows.net/container/x",
        "${BIFROST_STAGING}",
        "env.BIFROST_STAGING",
    ],
)
def test_a_url_of_a_folder_or_a_bucket_is_taken(url: str) -> None:
    """A reference is looked at when it has a value."""
    assert StagingConfig(url=url).url == url


def test_azures_short_form_needs_a_connection() -> None:
    """It doesn't name the account."""
    with pytest.raises(ConfigError, match=r"'az://container/x' needs a connection.*conn_id"):
        open_folder("az://container/x", None)


def test_a_disk_without_room_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stays of the run that was to be staged there."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    told = r"staging in .* failed: No space left on device.*Free disk space on .*or set log_exports\.staging\.url"
    with pytest.raises(PermanentError, match=told):
        staged(tmp_path / "staging").create({})

    assert list((tmp_path / "staging").iterdir()) == []


def test_a_full_disk_for_what_is_fetched_from_a_bucket_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects are read from an unnamed file."""
    folder = ObjectFolder(LocalStore(tmp_path), "")
    put(folder, "run/a.arrow", b"rows" * 100_000)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("w+b", 0))  # noqa: SIM115

    with pytest.raises(PermanentError, match=r"temporary files can't be written .*No space left.*TMPDIR"):
        folder.open("run/a.arrow")


def test_a_full_disk_for_what_a_transformation_puts_aside_says_what_to_set(tmp_path: Path) -> None:
    """It stands in the machine's own folder of temporary files when staging is in a bucket."""
    folder = ObjectFolder(LocalStore(tmp_path), "")

    with (
        pytest.raises(PermanentError, match=r"temporary files can't be written .*No space left.*TMPDIR"),
        folder.write("run/a.arrow"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"rows")

    assert names(folder) == []


def test_without_any_folder_for_temporary_files_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own words, and what to do."""

    def none(**_: Any) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    for name in ("TemporaryFile", "TemporaryDirectory"):
        monkeypatch.setattr(tempfile, name, none)

    with pytest.raises(PermanentError, match=r"No usable temporary directory found.*TMPDIR"):
        unnamed_file()
    with pytest.raises(PermanentError, match=r"No usable temporary directory found.*TMPDIR"), temporary_folder():
        pytest.fail("there is one")
