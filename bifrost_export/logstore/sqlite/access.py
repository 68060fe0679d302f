"""How a SQLite file is opened so that nothing of ours stays beside it.

In WAL mode SQLite makes `-wal` and `-shm` even for a reader, who may not remove them: owned by another user, they lock
Bifrost out of its own log store. So a file that nobody has open is read as `immutable`, without side files and locks,
and is compared with its former state afterwards. Beside a writer, the side files are the writer's.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from bifrost_export.errors import LogStoreBusyError, LogStoreChangedError, LogStoreError

BUSY_MILLISECONDS = 10_000
_HEADER = 100
_WAL_MODE = b"\x02\x02"
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
"""The bytes on which SQLite's connections lock a file."""
_TICK, _SECOND = 0.02, 2.0
"""Two writes that are not so far apart may get the same time of change: from the kernel's clock, and from a file system
that counts whole seconds."""
_PAUSE = 0.05
_SUFFIXES: Final = ("-wal", "-shm", "-journal")
Fact = TypeVar("Fact")


@dataclass(frozen=True)
class State:
    """What changes when anybody writes to a file or opens it.

    Args:
        file: Device, inode, size and times of the file.
        header: Its first bytes, with SQLite's own change counter.
        side_files: Inode and size of each side file that is there.
    """

    file: tuple[int, ...]
    header: bytes
    side_files: tuple[tuple[int, int] | None, ...]


class Access:
    """One way to open a file.

    Args:
        path: The file.
        descriptor: Of the file, open for reading.
        state: Of a file that nobody has open; None beside a writer, and where SQLite's readers make no files.
    """

    def __init__(self, path: Path, descriptor: int, state: State | None) -> None:
        self.path, self._descriptor, self._state = path, descriptor, state

    @property
    def is_immutable(self) -> bool:
        """Whether the file is read without locks, and `check` is what proves that it was at rest."""
        return self._state is not None

    @property
    def options(self) -> str:
        """The parameters of SQLite's address of the file."""
        return "mode=ro&immutable=1" if self.is_immutable else "mode=ro"

    def check(self) -> None:
        """Check that the file is as it was when it was opened; beside a writer, SQLite itself sees to that.

        Raises:
            LogStoreChangedError: It is not, so that what was read since is worth nothing.
        """
        if self._state is not None and _state(self.path, self._descriptor) != self._state:
            raise LogStoreChangedError(
                f"the log store {self.path} was opened or changed by another process while it was read",
                hint="Retry: what was read is discarded.",
            )

    def close(self) -> None:
        """Let go of the file: after SQLite has, whose locks would be lost."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def access(path: Path) -> Access:
    """Find out how to open a file.

    Raises:
        LogStoreError: It can't be read, or not without leaving files beside it.
        LogStoreBusyError: Somebody has locked it for longer than ten seconds.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return Access(path, descriptor, _at_rest(path, descriptor))
    except BaseException:
        os.close(descriptor)
        raise


def side_file(path: Path, suffix: str) -> Path:
    """A side file's path."""
    return path.with_name(path.name + suffix)


def _at_rest(path: Path, descriptor: int) -> State | None:
    """The state of a file in WAL mode that nobody has open."""
    if os.pread(descriptor, _HEADER, 0)[18:20] != _WAL_MODE:
        return None  # readers of such a file make no side files
    # While we share the file, nobody removes its side files; where there are none, nothing is locked afterwards.
    _lock(path, descriptor, fcntl.F_RDLCK)
    wal, index, journal = (_found(path, suffix, lambda found: found.st_size) for suffix in _SUFFIXES)
    if journal or (wal is not None and index is not None):
        return None
    if wal:
        _check_may_write_beside(path)
        return None
    _lock(path, descriptor, fcntl.F_UNLCK)
    _wait_a_tick(descriptor)
    return _state(path, descriptor)


def _found(path: Path, suffix: str, fact: Callable[[os.stat_result], Fact]) -> Fact | None:
    try:
        return fact(side_file(path, suffix).stat())
    except FileNotFoundError:
        return None


def _state(path: Path, descriptor: int) -> State:
    try:
        now = path.stat()
    except FileNotFoundError:
        return State((), b"", ())
    return State(
        (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns),
        os.pread(descriptor, _HEADER, 0),
        tuple(_found(path, suffix, lambda found: (found.st_ino, found.st_size)) for suffix in _SUFFIXES),
    )


def _check_may_write_beside(path: Path) -> None:
    """Of a log without its index, SQLite makes the index: as the file's owner, who is Bifrost."""
    owner = path.stat().st_uid
    if os.geteuid() in (0, owner) and os.access(path.parent, os.W_OK):
        return
    raise LogStoreError(
        f"the log store {path} has rows in {path.name}-wal, and {path.name}-shm is missing: they can't be read without"
        " creating that file",
        hint=f"Start Bifrost on it, or run as its owner (uid {owner}):"
        f" sqlite3 {path} 'PRAGMA wal_checkpoint(TRUNCATE)'."
        f" For a copy: copy {path.name}-shm too, or make the copy with SQLite's .backup command.",
    )


def _lock(path: Path, descriptor: int, kind: int) -> None:
    """Share a file as SQLite's readers do, or stop to; a lock of the descriptor, which no other one's closing ends."""
    if not hasattr(fcntl, "F_OFD_SETLK"):
        return
    wanted = struct.pack("hhqqi4x", kind, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0)
    deadline = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                return  # a file system without locks: nobody can keep the files from being removed
            if time.monotonic() > deadline:
                raise LogStoreBusyError(
                    f"the log store {path} was locked for longer than {BUSY_MILLISECONDS // 1000} s",
                    hint="Retry when the process that has locked it has released it.",
                ) from None
            time.sleep(_PAUSE)
        else:
            return


def _wait_a_tick(descriptor: int) -> None:
    """Wait until a further write must change the file's time."""
    changed = os.fstat(descriptor).st_mtime_ns
    apart = _TICK if changed % 1_000_000_000 else _SECOND
    age = time.time() - changed / 1e9
    if age < apart:
        time.sleep(min(apart - age, apart))
