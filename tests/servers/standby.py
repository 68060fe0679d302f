"""A PostgreSQL primary with a streaming standby, for tests: both on the loopback, made anew for each that asks."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bifrost_export.errors import PermanentError
from demo.servers.postgres_server import PostgresServer, postgres_server
from demo.servers.processes import free_port, running, wait_until

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_REPLICATED = ("wal_level=replica", "max_wal_senders=4")


@dataclass
class Pair:
    """A primary and its standby.

    Args:
        primary: Takes writes.
        standby: Follows it.
    """

    primary: PostgresServer
    standby: PostgresServer

    def _written(self) -> str:
        """Position of the primary's log behind all commits: the servers of tests may answer before they write."""
        self.primary.psql("BEGIN; SET LOCAL synchronous_commit = on; SELECT txid_current(); COMMIT")
        return self.primary.psql("SELECT pg_current_wal_lsn()")

    def catch_up(self) -> None:
        """Wait until the standby has replayed what the primary has written so far."""
        written = self._written()
        wait_until(
            lambda: self.standby.psql(f"SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn") == "t",
            [],
            30,
            "replay",
        )

    def receive(self) -> None:
        """Wait until the standby has received what the primary has written so far, replayed or not."""
        written = self._written()
        wait_until(
            lambda: self.standby.psql(f"SELECT pg_last_wal_receive_lsn() >= '{written}'::pg_lsn") == "t",
            [],
            30,
            "receipt",
        )


@contextlib.contextmanager
def replicated_pair() -> Iterator[Pair]:
    """Run a primary and a standby that streams from it while the block lasts."""
    with postgres_server(settings=_REPLICATED) as primary:
        folder = Path(tempfile.mkdtemp(prefix="bifrost-standby-"))
        try:
            if primary.account is not None:
                shutil.chown(folder, primary.account)
            standby = replace(primary, folder=folder, port=free_port(), _running=contextlib.ExitStack())
            _copy(primary, folder)
            try:
                standby.start()
                yield Pair(primary, standby)
            finally:
                standby.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _copy(primary: PostgresServer, folder: Path) -> None:
    program = str(primary.programs / "pg_basebackup")
    command = [
        program,
        "-D",
        str(folder / "data"),
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
        "--no-sync",
        "-d",
        primary.url(),
    ]
    with running("pg_basebackup", command, folder / "copy.log", _ENVIRONMENT, primary.account) as process:
        if process.handle.wait(120):
            raise PermanentError(f"pg_basebackup failed:\n{process.output()}")
