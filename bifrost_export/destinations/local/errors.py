"""What a file system refuses, in words: what passes, and what a person must mend."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bifrost_export.errors import BifrostExportError, DestinationError, DestinationUnavailableError

WITHOUT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS})
"""How file systems that sync no folders (CIFS, FUSE) say so."""

_WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_PASSING = {
    errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENFILE, errno.EMFILE,
    errno.ETXTBSY, errno.EREMOTEIO, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH,
    errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.ENOTCONN,
}  # fmt: skip
_ROOM = "Make room on that disk, or raise the quota, then clear the task."
_HINTS = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "The file system takes no file of that size: set data.max_rows_per_file or data.max_file_size lower.",
    errno.EROFS: "The folder is mounted read-only: mount it writable, or set another destination.config.path.",
    errno.EACCES: "Give the user that runs the task the right to read and write there, then clear the task.",
    errno.EPERM: "Give the user that runs the task the right to read and write there, then clear the task.",
    errno.ENOTDIR: "A file stands where a folder is needed: move it away, or set another path or prefix.",
    errno.EISDIR: "A folder stands where a file is needed: move it away, or set another path or prefix.",
    errno.ENAMETOOLONG: "Shorten the export's name or the prefix: the file system takes no name of that length.",
    errno.EILSEQ: "The file system does not take these characters: change the prefix.",
    errno.ELOOP: "Mend the symbolic links on the way there: they lead in a circle.",
    errno.EXDEV: "The file can't be moved into its place in one step there: use a folder of one file system.",
    errno.ENOTSUP: "The file system lacks what a commit needs: use a local disk, NFS 4, or an object store.",
    errno.ENOSYS: "The file system lacks what a commit needs: use a local disk, NFS 4, or an object store.",
    errno.ENODEV: "The disk is gone: mount it again, then clear the task.",
    errno.ENXIO: "The disk is gone: mount it again, then clear the task.",
}


def lacks_locks(error: OSError) -> bool:
    """Whether a lock was refused because the file system has none."""
    return error.errno in _WITHOUT_LOCKS


def without_locks(path: Path, error: OSError) -> DestinationError:
    """The error of a mount without locks."""
    return DestinationError(
        f"{path} can't be locked ({error.strerror or error}): the file system that is mounted there has no locks, and"
        " without one two runs can overwrite each other",
        allowed="a folder on a file system with flock: a local disk, NFS 4, CIFS without nobrl",
        hint="Mount it with locks (NFS without nolock and with its lock service, CIFS without nobrl), or set"
        " destination.config.path to a local disk, or use an object store.",
    )


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn the system's errors into the tree's.

    Args:
        path: What they are about, where they don't say.
    """
    try:
        yield
    except BifrostExportError:
        raise
    except OSError as error:
        message = f"{error.filename or path}: {error.strerror or error}"
        if error.errno in _PASSING:
            raise DestinationUnavailableError(message, hint="The task tries again.") from None
        hint = _HINTS.get(error.errno or 0, "Look what the system says of that file, mend it, and clear the task.")
        raise DestinationError(message, hint=hint) from None
