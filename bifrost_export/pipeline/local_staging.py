"""Staging on a local disk: private folders and files, each file moved into place when it is whole."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from bifrost_export.errors import BifrostExportError, PermanentError, StagingChangedError
from bifrost_export.pipeline.hashed_stream import HashedStream
from bifrost_export.pipeline.private_folders import check_root, private_folder

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalFolder:
    """A folder on this machine.

    Args:
        root: The folder; it is made with mode 0700 where it is missing.
        shared: Whether several users stage below it, each in folders of their own.
    """

    def __init__(self, root: Path, *, shared: bool = False) -> None:
        self.root = root.expanduser().absolute()
        self.shared = shared
        self._compared: set[tuple[str, str, tuple[int, ...]]] = set()

    @contextmanager
    def write(self, name: str) -> Iterator[HashedStream]:
        """A stream under a temporary name that is moved into place when the block ends well."""
        path = PurePosixPath(name)
        try:
            with private_folder(self.root, path.parent.parts, shared=self.shared) as folder:
                yield from self._write(folder, path.name)
        except BaseException as error:
            self._prune((self.root / path).parent)
            if isinstance(error, OSError) and not isinstance(error, BifrostExportError):
                raise _failed(self.root, error) from None
            raise

    def _write(self, folder: int, name: str) -> Iterator[HashedStream]:
        temporary = f".{name}.{secrets.token_hex(4)}.tmp"
        handle = os.open(temporary, _NEW, 0o600, dir_fd=folder)
        try:
            with os.fdopen(handle, "w+b") as stream:
                yield HashedStream(cast("BinaryIO", stream))
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)

    def open(self, name: str, sha256: str | None = None) -> BinaryIO | None:
        """A file to read, or None; its bytes are compared first, where their SHA-256 is given."""
        try:
            handle = os.open(self.root / name, _READ)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
                return None
            raise _failed(self.root, error) from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return None
        stream = os.fdopen(handle, "rb")
        try:
            if sha256 is not None:
                self._compare(name, sha256, stream)
        except BaseException:
            stream.close()
            raise
        return stream

    def _compare(self, name: str, sha256: str, stream: io.BufferedReader) -> None:
        """Compare a file's bytes, once as long as nobody writes to it: many parts are cut from one file.

        Raises:
            StagingChangedError: They differ.
        """
        seen = (name, sha256, identity(stream))
        if seen in self._compared:
            return
        found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != sha256 or identity(stream) != seen[2]:
            raise changed(str(self.root / name), sha256, found)
        stream.seek(0)
        self._compared.add(seen)

    def list(self, prefix: str) -> Iterator[str]:
        """Names of the files that begin with `prefix`, temporary ones left out.

        Raises:
            PermanentError: The folder is not this user's own, or is open to others.
        """
        if not check_root(self.root, shared=self.shared):
            return
        # Unlike `rglob`, `walk` bears with folders that another run takes away meanwhile.
        found = [Path(folder, name) for folder, _, names in os.walk(self.root) for name in names]
        for path in sorted(found):
            name = path.relative_to(self.root).as_posix()
            if name.startswith(prefix) and not path.name.startswith(".") and path.is_file():
                yield name

    def remove(self, folder: str) -> None:
        """Take a folder away; a writer that is still at it is left alone."""
        shutil.rmtree(self.root / folder, ignore_errors=True)
        self._prune((self.root / folder).parent)

    def _prune(self, folder: Path) -> None:
        """Take empty folders away, up to the root."""
        for each in (folder, *folder.parents):
            if each == self.root:
                return
            try:
                each.rmdir()
            except OSError:  # other runs are staged in it
                return


def identity(stream: BinaryIO) -> tuple[int, ...]:
    """What changes when somebody writes to an open file; its time of change can't be set back."""
    found = os.fstat(stream.fileno())
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def changed(address: str, sha256: str, found: str) -> StagingChangedError:
    """The error for a staged file with other bytes than its task wrote."""
    return StagingChangedError(
        f"the staged file {address} was changed after its task had written it: its sha256 is {found}, and was {sha256};"
        " nothing of it is published",
        hint="Find out who else can write there, then clear from plan.",
    )


def _failed(root: Path, error: OSError) -> PermanentError:
    make_room = f"Free disk space on {root}" if error.errno in NO_ROOM else "Give this user the right to write there"
    return PermanentError(
        f"staging in {root} failed: {error.strerror or error}",
        hint=f"{make_room}, or set log_exports.staging.url to another folder or an object store.",
    )
