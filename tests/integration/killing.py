"""Run the command line in a process of its own, and kill it (-9) at a chosen moment.

A moment is a number: of the file system events of the child below some folders (Python's audit hooks tell them just
before they happen), of its requests to a warehouse (which it tells by an audit event of its own), or of the requests
that reach the fault proxy.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "shutil.rmtree"}
WAREHOUSE = "bifrost_export.warehouse"
ALIKE = re.compile("COMMENT ON COLUMN")
"""What follows requests of the same transaction and changes nothing between them is no moment of its own."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

PRELOADED = [
    "bifrost_export.cli.run",
    "bifrost_export.pipeline.run",
    "bifrost_export.logstore.sqlite",
    "bifrost_export.destinations.s3.store",
    "airflow.providers.amazon.aws.hooks.s3",
    "pyarrow.parquet",
]
if os.environ.get("BIFROST_TEST_LONG"):  # what hundreds of runs to other clouds and to warehouses import
    PRELOADED += [
        "airflow.providers.amazon.aws.hooks.redshift_sql",
        "airflow.providers.google.cloud.hooks.bigquery",
        "airflow.providers.google.cloud.hooks.gcs",
        "airflow.providers.microsoft.azure.hooks.wasb",
        "airflow.providers.snowflake.hooks.snowflake",
        "airflow.sdk.execution_time.supervisor",
        "azure.storage.blob",
        "bifrost_export.cli.progress",
        "bifrost_export.cli.summary",
        "bifrost_export.cli.runtime",
        "bifrost_export.destinations.bigquery.engine",
        "bifrost_export.destinations.redshift.engine",
        "bifrost_export.destinations.snowflake.engine",
        "bifrost_export.destinations.warehouse.destination",
        "boto3.s3.inject",
        "google.cloud.bigquery",
        "google.cloud.storage",
        "snowflake.connector",
    ]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOADED)


def run_cli(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    kill_at: int | None = None,
    below: Sequence[Path] = (),
    pid_file: Path | None = None,
    kill_when: str | None = None,
    talks_to: Path | None = None,
) -> tuple[int, int]:
    """Run `bifrost-export` and give its exit code (-9 when it was killed) and how many moments it had.

    Args:
        arguments: What is typed after `bifrost-export`.
        environ: The child's environment variables, beside those of this process.
        kill_at: The moment at which it kills itself, from 1; None to let it end.
        below: The folders whose events are moments.
        pid_file: Where the child writes its process id, for someone else to kill it.
        kill_when: The first request to a warehouse that fits this pattern ends it, just before it leaves.
        talks_to: The file that gets what it writes; what is not asked for is lost.
    """
    receiving, sending = _context.Pipe(duplex=False)
    how = (kill_at, [str(each) for each in below], pid_file, kill_when, talks_to)
    child = _context.Process(target=_child, args=(list(arguments), dict(environ), how, sending))
    child.start()
    sending.close()
    moments = 0
    with contextlib.suppress(EOFError):
        moments = receiving.recv()
    child.join()
    receiving.close()
    code = child.exitcode or 0
    child.close()
    return code, moments


def _is_staged(path: str | os.PathLike[str]) -> bool:
    """Whether it is a file on its way into staging, which is named relative to its folder's descriptor."""
    name = os.fspath(path)
    return "/" not in name and name.startswith(".") and name.endswith(".tmp")


def _child(
    arguments: list[str],
    environ: dict[str, str],
    how: tuple[int | None, list[str], Path | None, str | None, Path | None],
    sending: Any,
) -> None:
    kill_at, below, pid_file, kill_when, talks_to = how
    os.environ.update(environ)
    if pid_file is not None:
        pid_file.write_text(str(os.getpid()))
    told = os.open(talks_to or os.devnull, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(told, 1)
    os.dup2(told, 2)
    from bifrost_export.cli.group import execute

    moments = 0

    def hook(event: str, values: tuple[Any, ...]) -> None:
        nonlocal moments
        if event == WAREHOUSE:
            if ALIKE.match(str(values[0])):
                return
            moments += 1
            if moments == kill_at or (kill_when is not None and re.search(kill_when, str(values[0]))):
                os.kill(os.getpid(), signal.SIGKILL)
            return
        if event not in EVENTS or not values or not isinstance(values[0], str | os.PathLike):
            return
        if event == "open" and not (len(values) > 2 and isinstance(values[2], int) and values[2] & WRITING):
            return
        if not any(os.fspath(values[0]).startswith(folder) for folder in below) and not _is_staged(values[0]):
            return
        moments += 1
        if moments == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    code = execute(arguments)
    sending.send(moments)
    sending.close()
    os._exit(code)
