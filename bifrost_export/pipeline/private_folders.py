"""Folders that no other user can look into: made with mode 0700, checked and never changed when they exist."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bifrost_export.errors import PermanentError

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 10
_URL = "log_exports.staging.url"


@contextmanager
def private_folder(root: Path, below: Sequence[str], *, shared: bool) -> Iterator[int]:
    """Yield the descriptor of a folder below a root; every folder on the way is made, or checked when it exists.

    Each folder is opened relative to the one above it and without following links, so that nobody can put another
    one in its place between the check and the use.

    Args:
        root: The first folder that has to be private. Its parents are made as the process's mask says.
        below: The names of the folders below it.
        shared: Whether several users stage below the root: then it may be a sticky folder of somebody else.

    Raises:
        PermanentError: One of them belongs to another user, is open to others, or is a link.
        OSError: The system refuses.
    """
    for attempt in range(_ATTEMPTS):
        try:
            folder = _open_all(root, below, shared=shared)
            break
        except FileNotFoundError:  # another run removed the export's empty folder in between
            if attempt == _ATTEMPTS - 1:
                raise
    try:
        yield folder
    finally:
        os.close(folder)


def check_root(root: Path, *, shared: bool) -> bool:
    """Return whether a root exists; check it without making it.

    Raises:
        PermanentError: It belongs to another user, is open to others, or is a link.
    """
    try:
        _check(root, os.lstat(root), is_sticky_allowed=shared)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _open_all(root: Path, below: Sequence[str], *, shared: bool) -> int:
    root.parent.mkdir(parents=True, exist_ok=True)
    folder, path = _enter(None, root, str(root), is_sticky_allowed=shared), root
    for name in below:
        path, above = path / name, folder
        try:
            folder = _enter(above, path, name, is_sticky_allowed=False)
        finally:
            os.close(above)
    return folder


def _enter(above: int | None, path: Path, name: str, *, is_sticky_allowed: bool) -> int:
    """Make a folder where it is missing; give its descriptor once it is known to be private."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=above)
    _check(path, os.stat(name, dir_fd=above, follow_symlinks=False), is_sticky_allowed=is_sticky_allowed)
    folder = os.open(name, _OPEN, dir_fd=above)
    try:
        _check(path, os.fstat(folder), is_sticky_allowed=is_sticky_allowed)
    except BaseException:
        os.close(folder)
        raise
    return folder


def _check(path: Path, found: os.stat_result, *, is_sticky_allowed: bool) -> None:
    mode, own = stat.S_IMODE(found.st_mode), os.getuid()
    allowed = f"a folder of uid {own} with mode 0700, or one that does not exist yet"
    if stat.S_ISLNK(found.st_mode):
        hint = f"Set {_URL} to the folder that the link points to."
        raise PermanentError(f"the staging folder {path} is a symbolic link", allowed=allowed, hint=hint)
    if not stat.S_ISDIR(found.st_mode):
        hint = f"Remove it, or set {_URL} to a folder."
        raise PermanentError(f"staging in {path} failed: a file of that name exists", allowed=allowed, hint=hint)
    if is_sticky_allowed and mode & stat.S_ISVTX:
        return  # like /tmp: nobody can move or remove what is not theirs, and the folders below are private
    if is_sticky_allowed:
        allowed += ", or a sticky one (mode 1777), since log_exports.staging.shared is true"
    if found.st_uid != own:
        raise PermanentError(
            f"the staging folder {path} belongs to another user (uid {found.st_uid})",
            allowed=allowed,
            hint=f"Set {_URL} to a folder of your own, such as one that does not exist yet.",
        )
    if mode & 0o077:
        raise PermanentError(
            f"the staging folder {path} is open to other users (mode {mode:04o})",
            allowed=allowed,
            hint=f"Run chmod 0700 {path}, or set {_URL} to a folder that does not exist yet.",
        )
