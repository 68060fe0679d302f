"""Processes that are started for a demo or a test, and ended by their own id, whatever happens."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifrost_export.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_PR_SET_PDEATHSIG = 1
_GRACE = 15.0


@dataclass(frozen=True)
class Process:
    """A process of ours, and where it writes.

    Args:
        name: For messages.
        handle: The process, the leader of its own group.
        log: The file with its output.
    """

    name: str
    handle: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text("utf-8", errors="replace")

    def check_alive(self) -> None:
        """Raise when it has ended.

        Raises:
            PermanentError: It has ended; the message holds its last lines.
        """
        if (code := self.handle.poll()) is not None:
            last = "\n".join(self.output().splitlines()[-15:])
            raise PermanentError(f"{self.name} has ended with code {code}:\n{last}", hint=f"See {self.log}.")

    def stop(self) -> None:
        """End it and what it has started: ask by SIGINT, then by SIGTERM, then kill."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self.handle.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    self.handle.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.handle.wait(_GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.handle.pid, signal.SIGKILL)


@contextlib.contextmanager
def running(
    name: str, command: Sequence[str], log: Path, environment: Mapping[str, str], account: str | None = None
) -> Iterator[Process]:
    """Run a process while the block lasts.

    It leads a group of its own, so that a Ctrl-C reaches only us and we end it in order; where the system can, it gets
    a signal when we are killed.

    Args:
        name: For messages.
        command: The program and its arguments.
        log: The file that gets its output.
        environment: All of its variables.
        account: The system's user that it runs as; our own, when not given.
    """
    with log.open("wb") as stream:
        handle = subprocess.Popen(  # noqa: S603 (our own commands)
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
            user=account,
            group=None if account is None else pwd.getpwnam(account).pw_gid,
            extra_groups=None if account is None else (),
            preexec_fn=_before_it_starts,  # noqa: PLW1509 (no threads of ours yet)
        )
    process = Process(name, handle, log)
    try:
        yield process
    finally:
        process.stop()


def _before_it_starts() -> None:
    # A shell lets what it starts in the background ignore the signal, and what that starts would too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until(ready: Callable[[], bool], processes: Sequence[Process], seconds: float, what: str) -> None:
    """Wait until something is so, as long as all of the processes are alive.

    Raises:
        PermanentError: A process has ended, or the time is over.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        for process in processes:
            process.check_alive()
        if time.monotonic() > deadline:
            logs = ", ".join(str(process.log) for process in processes)
            raise PermanentError(f"{what} was not ready after {seconds:.0f} s", hint=f"See {logs}.")
        time.sleep(0.1)


def free_port() -> int:
    """A port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
