"""Staging on a local disk: private folders and files, each file moved into place when it is whole."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bifrost_export.errors import BifrostExportError, PermanentError

_ATTEMPTS = 3


class LocalFolder:
    """A folder on this machine.

    Args:
        root: The folder; it is made with mode 0700.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()

    def _make(self, folder: Path) -> None:
        self.root.parent.mkdir(parents=True, exist_ok=True)
        current = self.root
        for part in ("", *folder.relative_to(self.root).parts):
            current = current / part
            current.mkdir(mode=0o700, exist_ok=True)

    def _make_private(self, folder: Path) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                self._make(folder)
                break
            except (FileNotFoundError, FileExistsError):  # another run took the export's empty folder away in between
                if attempt == _ATTEMPTS - 1:
                    raise
        found = self.root.stat()
        if found.st_uid != os.getuid():
            raise PermanentError(
                f"the staging folder {self.root} belongs to another user (uid {found.st_uid})",
                allowed=f"a folder of uid {os.getuid()}",
                hint="Set log_exports.staging.url to a folder of your own.",
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            self.root.chmod(0o700)

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """A stream under a temporary name that is moved into place when the block ends well."""
        path = self.root / name
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            self._make_private(path.parent)
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(handle, "w+b") as stream:
                    yield cast("BinaryIO", stream)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except BifrostExportError:
            raise
        except OSError as error:
            raise PermanentError(
                f"staging in {self.root} failed: {error.strerror or error}",
                hint="Make room or give the user the right to write there, or set log_exports.staging.url.",
            ) from None

    def open(self, name: str) -> BinaryIO | None:
        """A file to read, or None."""
        try:
            return (self.root / name).open("rb")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def list(self, prefix: str) -> Iterator[str]:
        """Names of the files that begin with `prefix`, temporary ones left out."""
        # Unlike `rglob`, `walk` bears with folders that another run takes away meanwhile.
        found = [Path(folder, name) for folder, _, names in os.walk(self.root) for name in names]
        for path in sorted(found):
            name = path.relative_to(self.root).as_posix()
            if name.startswith(prefix) and not path.name.startswith(".") and path.is_file():
                yield name

    def remove(self, folder: str) -> None:
        """Take a folder away; a writer that is still at it is left alone."""
        shutil.rmtree(self.root / folder, ignore_errors=True)
        try:
            (self.root / folder).parent.rmdir()
        except OSError:  # other runs of this export are staged beside it
            return
