"""The packages in `examples`, built and put on the path as an installer would."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bifrost_export import registry

EXAMPLES = Path(__file__).parents[2] / "examples"


def built(name: str, folder: Path) -> Path:
    """The wheel of an example.

    Args:
        name: Its folder.
        folder: Where the wheel goes.
    """
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, EXAMPLES / name]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    return wheel


@contextmanager
def installed(wheel: Path, site: Path) -> Iterator[None]:
    """A wheel's files, and what it says of itself, on the path.

    Args:
        wheel: What `built` gave.
        site: Where its files go.
    """
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        tops = {name.split("/")[0] for name in archive.namelist()}
    sys.path.insert(0, str(site))
    _look_anew()
    try:
        yield
    finally:
        sys.path.remove(str(site))
        for top in tops:
            sys.modules.pop(top, None)
        _look_anew()


def _look_anew() -> None:
    """What is installed is looked for once in a process: here it has changed."""
    importlib.invalidate_caches()
    registry._added.cache_clear()
