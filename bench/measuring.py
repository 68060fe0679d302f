"""Run a program and measure it as a whole: from its start to its end, imports included."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """What one run took.

    Args:
        seconds: From its start to its end.
        cpu_seconds: User and system, with the children that it waited for.
        peak_mb: Largest resident set, in 10**6 bytes.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


def measure(command: list[str], log: Path) -> Measured:
    """Run a command; what it prints goes to nowhere, what it says on standard error into `log`.

    Raises:
        SystemExit: It failed; the message holds its last words.
    """
    with log.open("wb") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)
