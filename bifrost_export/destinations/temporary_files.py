"""Temporary files and folders, private, with an error that says what to set when the machine has no place for them."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bifrost_export.errors import BifrostExportError, PermanentError


def unnamed_file(folder: Path | None = None) -> BinaryIO:
    """Open a file without a name, that is gone when it is closed.

    Args:
        folder: Where it lies; None for the machine's folder of temporary files.

    Raises:
        PermanentError: No such file can be made.
    """
    try:
        return cast("BinaryIO", tempfile.TemporaryFile(dir=folder))
    except OSError as error:
        raise no_place(error) from None


@contextmanager
def temporary_folder(prefix: str = "bifrost-export-") -> Iterator[Path]:
    """Yield a folder with mode 0700 that is removed when the block ends.

    Args:
        prefix: How its name begins.

    Raises:
        PermanentError: No such folder can be made.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix=prefix)
    except OSError as error:
        raise no_place(error) from None
    with made as folder:
        yield Path(folder)


def is_no_place(error: BaseException) -> bool:
    """Return whether the system says that a disk of this machine is full or can't be written to."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
    return isinstance(error, OSError) and not isinstance(error, BifrostExportError) and error.errno in full


def no_place(error: BaseException) -> PermanentError:
    """Return the error for temporary files that can't be written.

    Args:
        error: What the system says.
    """
    return PermanentError(
        f"temporary files can't be written on this machine: {getattr(error, 'strerror', None) or error}",
        allowed="a folder that this user can write to, with room on its disk",
        hint="Set the environment variable TMPDIR to one.",
    )
