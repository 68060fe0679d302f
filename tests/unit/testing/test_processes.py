"""Processes of ours: they are ended in every case, with what they have started."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

import pytest

from bifrost_export.errors import PermanentError
from demo.servers.processes import running, wait_until


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs; a dead one that nobody has asked after yet doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_ends_with_its_block(tmp_path: Path) -> None:
    """Also when the block raises."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with contextlib.suppress(KeyError), running("sleeper", command, tmp_path / "log", os.environ) as process:
        pid = process.handle.pid
        assert is_alive(pid)
        raise KeyError
    assert not is_alive(pid)


def test_what_it_has_started_ends_too(tmp_path: Path) -> None:
    """A child that outlives its parent is found through the group."""
    script = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"
    with running("parent", [sys.executable, "-c", script], tmp_path / "log", os.environ) as parent:
        parent.handle.wait(30)
        child = int(parent.output())
        assert is_alive(child)
    deadline = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(child)


def test_waiting_ends_when_a_process_has_died(tmp_path: Path) -> None:
    """The error shows the last lines of its output."""
    script = "import sys; print('no such port'); sys.exit(3)"
    with (
        running("server", [sys.executable, "-c", script], tmp_path / "log", os.environ) as server,
        pytest.raises(PermanentError, match=r"server has ended with code 3:\nno such port"),
    ):
        wait_until(lambda: False, [server], 30, "the server")


def test_waiting_ends_when_the_time_is_over() -> None:
    """The error names what was waited for."""
    with pytest.raises(PermanentError, match="the server was not ready after 0 s"):
        wait_until(lambda: False, [], 0, "the server")
