"""A folder as an object store: temporary names, synced, moved into place; a lock in place of conditional puts."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

from bifrost_export.destinations.local.errors import WITHOUT_SYNC, lacks_locks, told, without_locks
from bifrost_export.destinations.object_store.port import (
    MOST,
    DeletionRefusedError,
    KeyTakenError,
    PutOptions,
    Stored,
    TooLargeError,
    VersionChangedError,
)
from bifrost_export.errors import DestinationError

_TEMPORARY = re.compile(r"^\.(?P<name>.+)\.(?P<upload>[0-9a-f]{16})\.tmp\Z")
_OF_A_MANIFEST = re.compile(r"^\.[0-9TZ.]+_[0-9TZ.]+\.json\.[0-9a-f]{16}\.tmp\Z")


class LocalStore:
    """Objects as files below a folder.

    Args:
        root: The folder; it is made when something is put.
        mode: Permissions of the folders that are made, or None for the system's default.
    """

    place: ClassVar[str] = "folder"

    def __init__(self, root: Path, mode: int | None = None) -> None:
        self.root = root.expanduser().absolute()
        self.mode = mode

    def sign_in(self) -> str:
        """Nothing to sign in to: the system's own rights hold."""
        return f"files on this machine, as user {os.getuid()}"

    def find(self) -> str:
        """Look whether the folder is there, or can be made."""
        with told(self.root):
            present = next(each for each in (self.root, *self.root.parents) if each.exists())
            if not present.is_dir():
                raise DestinationError(f"{present} is no folder", hint="Mend destination.config.path.")
        return f"{self.root} {'is there' if present == self.root else 'is made when something is put'}"

    def path(self, key: str) -> Path:
        """Where an object's file lies."""
        return self.root / key

    def _make_folder(self, folder: Path) -> None:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            with suppress(FileExistsError):
                each.mkdir() if self.mode is None else each.mkdir(mode=self.mode)

    def open_temporary(self, path: Path) -> tuple[BinaryIO, Path]:
        """A new file beside the one that it is to become."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        for _ in range(2):
            self._make_folder(path.parent)
            with suppress(FileNotFoundError):  # another run pruned the empty folder in between
                return cast("BinaryIO", temporary.open("xb")), temporary
        self._make_folder(path.parent)
        return cast("BinaryIO", temporary.open("xb")), temporary

    def put(self, key: str, data: bytes, options: PutOptions) -> Stored:
        """Store bytes under a free name."""
        return self.begin(key, options).finish(data)

    def begin(self, key: str, options: PutOptions) -> LocalUpload:
        """Begin a file under a temporary name."""
        return LocalUpload(self, key)

    def put_if(self, key: str, data: bytes, seen: str | None, options: PutOptions) -> str:
        """Store a small object if its version is still `seen`; the caller holds the lock."""
        path = self.path(key)
        with told(path):
            found = self.get(key)
            if (found[1] if found else None) != seen:
                raise VersionChangedError(key)
            stream, temporary = self.open_temporary(path)
            try:
                with stream:
                    stream.write(data)
                    _sync(stream)
                    temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(path.parent)
            return hashlib.sha256(data).hexdigest()

    def get(self, key: str, most: int = MOST) -> tuple[bytes, str] | None:
        """A small object's bytes and the SHA-256 that is its version, or None."""
        with told(self.path(key)):
            try:
                with self.path(key).open("rb") as stream:
                    data = stream.read(most + 1)
                    size = max(len(data), os.fstat(stream.fileno()).st_size)
            except (FileNotFoundError, NotADirectoryError):
                return None
            if len(data) > most:
                raise TooLargeError(key, size)
            return data, hashlib.sha256(data).hexdigest()

    def open(self, key: str) -> BinaryIO | None:
        """The file, or None."""
        with told(self.path(key)):
            try:
                return self.path(key).open("rb")
            except (FileNotFoundError, NotADirectoryError):
                return None

    def head(self, key: str) -> Stored | None:
        """The file's size, or None."""
        with told(self.path(key)):
            try:
                return Stored(key, self.path(key).stat().st_size)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def _walk(self, prefix: str) -> Iterator[tuple[str, str]]:
        folder, _, start = prefix.rpartition("/")
        base = self.path(folder)
        with told(base):
            for path in sorted(_files_below(base)):
                if path.relative_to(base).as_posix().startswith((start, f".{start}")):
                    yield path.relative_to(self.root).as_posix(), path.name

    def list(self, prefix: str) -> Iterator[str]:
        """The files whose keys begin with `prefix`, temporary ones left out."""
        return (key for key, name in self._walk(prefix) if key.startswith(prefix) and not _TEMPORARY.match(name))

    def list_uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Temporary files, as (key that they would get, their mark)."""
        for key, name in self._walk(prefix):
            match = _TEMPORARY.match(name)
            if match:
                final = f"{key.removesuffix(name)}{match['name']}"
                if final.startswith(prefix):
                    yield final, match["upload"]

    def abort(self, key: str, upload: str) -> None:
        """Take a temporary file away."""
        path = self.path(key)
        self._unlink(path.with_name(f".{path.name}.{upload}.tmp"))

    def delete(self, key: str) -> None:
        """Take a file away, and the folders that it leaves empty."""
        self._unlink(self.path(key))

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise DeletionRefusedError(error.strerror or str(error)) from None
        for folder in path.parents:
            if folder == self.root:
                return
            try:
                folder.rmdir()
            except OSError:  # not empty, or gone
                return

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold an exclusive lock; the system frees it when its holder dies. The file stays.

        What holders that died in `put_if` have left beside it is taken away.
        """
        path = self.path(key)
        with told(path):
            self._make_folder(path.parent)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with told(path):
                _lock(handle, path)
                for each in path.parent.glob(".*.json.*.tmp"):
                    if _OF_A_MANIFEST.match(each.name):
                        each.unlink(missing_ok=True)
            yield
        finally:
            os.close(handle)


class LocalUpload:
    """A file under a temporary name, until it is whole.

    Args:
        store: The folder.
        key: The key that it is to get.
    """

    def __init__(self, store: LocalStore, key: str) -> None:
        self.key = key
        self.path = store.path(key)
        with told(self.path):
            self.stream, self.temporary = store.open_temporary(self.path)

    def block(self, data: bytes) -> None:
        """Write the next bytes."""
        with told(self.path):
            self.stream.write(data)

    def finish(self, data: bytes) -> Stored:
        """Write the last bytes and move the file into place, if the name is free."""
        try:
            with told(self.path), self.stream:
                self.stream.write(data)
                _sync(self.stream)
                if self.path.exists():
                    raise KeyTakenError(self.key)
                size = self.stream.tell()
                self.temporary.replace(self.path)
                _sync_folder(self.path.parent)
            return Stored(self.key, size)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Take the temporary file away."""
        self.stream.close()
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)


def _sync(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a name last; a file system that can't keeps it when it likes, and the file itself is synced already."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # a folder that may be written to and not read
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in WITHOUT_SYNC:
            raise
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if lacks_locks(error):
            raise without_locks(path, error) from None
        raise


def _files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder. One that can't be looked into is an error: what is not seen counts as not there."""

    def refuse(error: OSError) -> None:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):  # another run pruned the empty folder
            raise error

    for found, _, names in os.walk(folder, onerror=refuse):
        yield from (path for name in names if (path := Path(found, name)).is_file())
