"""Files on network disks: what a mount can't do is passed over where it does no harm, and named where it does."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.destinations.local.destination import LocalConfig, LocalDestination
from bifrost_export.destinations.local.store import LocalStore
from bifrost_export.destinations.object_store.port import PutOptions, TooLargeError
from bifrost_export.errors import DestinationError, DestinationUnavailableError
from bifrost_export.testing.object_store_runs import DAY, Place, manifest_key

OPTIONS = PutOptions("text/plain")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder."""
    return Place(lambda prefix, target: LocalDestination(LocalConfig(path=str(tmp_path), prefix=prefix), target))


def raising(number: int) -> Any:
    """A call that the system refuses."""

    def call(*arguments: Any, **named: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS])
def test_a_mount_that_syncs_no_folders_takes_a_run(place: Place, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """CIFS and FUSE: the files themselves are synced."""
    fsync = os.fsync

    def sync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raising(number)()
        fsync(handle)

    monkeypatch.setattr(os, "fsync", sync)
    run = place.run().load(b"one")

    assert run.publish().revision == 1
    assert set(place.contents()) == {*run.keys(), manifest_key(DAY)}


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_mount_without_locks_is_named_as_one(place: Place, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """For good, before the manifest is put, and with what to do."""
    run = place.run().load(b"one")
    monkeypatch.setattr(fcntl, "flock", raising(number))

    with pytest.raises(DestinationError, match=r"has no locks.*nobrl.*object store") as raised:
        run.publish()
    assert not isinstance(raised.value, DestinationUnavailableError)
    assert manifest_key(DAY) not in place.contents()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EDQUOT, "Make room"),
        (errno.EROFS, "mounted read-only"),
        (errno.EACCES, "the right to read and write"),
        (errno.EXDEV, "one file system"),
        (errno.ENAMETOOLONG, "Shorten"),
        (errno.ENOTSUP, "lacks what a commit needs"),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_what_a_person_must_mend_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    """Whatever the system refuses when a part is moved into its place; nothing is left of it."""
    monkeypatch.setattr(Path, "replace", raising(number))

    with pytest.raises(DestinationError, match=said):
        LocalStore(tmp_path).put("a/b", b"x", OPTIONS)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "number",
    [errno.EINTR, errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN],
    ids=lambda value: errno.errorcode[value],
)
def test_what_may_pass_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A server that is away for a moment."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", raising(number))
        with pytest.raises(DestinationUnavailableError, match="tries again"):
            LocalStore(tmp_path).put("a/b", b"x", OPTIONS)

    assert LocalStore(tmp_path).put("a/b", b"x", OPTIONS).bytes == 1


def test_a_folder_that_can_not_be_looked_into_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard would see no published window in it."""
    LocalStore(tmp_path).put("a/_manifests/b", b"x", OPTIONS)
    monkeypatch.setattr(os, "scandir", raising(errno.EACCES))

    with pytest.raises(DestinationError, match="right to read"):
        list(LocalStore(tmp_path).list("a/"))


def test_only_temporary_files_of_manifests_are_swept_under_the_lock(tmp_path: Path) -> None:
    """What another program has named alike stays."""
    folder = tmp_path / "_manifests/nightly"
    folder.mkdir(parents=True)
    ours = folder / f".{DAY.name}.json.0123456789abcdef.tmp"
    others = folder / ".settings.json.0123456789abcdef.tmp"
    ours.write_bytes(b"")
    others.write_bytes(b"")

    with LocalStore(tmp_path).locked("_manifests/nightly/.lock"):
        pass

    assert not ours.exists()
    assert others.exists()


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    """It is told with its size."""
    store = LocalStore(tmp_path)
    store.put("a", bytes(100), OPTIONS)

    with pytest.raises(TooLargeError, match="100 bytes"):
        store.get("a", 99)
    assert store.get("a", 100) is not None
