"""A guest leaves no trace: a SQLite log store is read by another user, or from a read-only volume, and stays as it was.

Bifrost's image and Airflow's run as different users. A file that Airflow's user makes beside the log store would lock
Bifrost out of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import adbc_driver_sqlite
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bifrost_export.cli.group import execute
from bifrost_export.logstore.sqlite.connection import Connection
from bifrost_export.sample.sqlite_tables import add_rows
from bifrost_export.window import Window
from tests.integration.exports import Export

GUEST = 50_000 if os.geteuid() == 0 else os.geteuid()
"""The user of Airflow's image; ourselves where we may not become another."""
WINDOW = ("--window-start", "2026-03-01", "--window-end", "2026-03-02")
COMMANDS: dict[str, list[str]] = {
    "plan": ["plan", "--format", "json"],
    "check": ["check", "--format", "json"],
    "preview": ["preview", "--export", "nightly", *WINDOW, "--format", "json"],
    "run": ["run", "--export", "nightly", *WINDOW, "--format", "json"],
}
IS_ROOT = os.geteuid() == 0
HOLD = """
import sqlite3, sys
writer = sqlite3.connect(sys.argv[1], isolation_level=None)
writer.execute("PRAGMA wal_autocheckpoint = 0")
writer.execute("UPDATE logs SET cost = cost")
print("open", flush=True)
sys.stdin.read()
"""


class House:
    """A log store in a folder of Bifrost's, and a guest's document, staging and output beside it.

    Args:
        root: Everybody may enter it.
        log_store: The rows; copied.
    """

    def __init__(self, root: Path, log_store: Path) -> None:
        root.chmod(0o755)
        self.home, self.guest = root / "bifrost", root / "guest"
        for folder in (self.home, self.guest):
            folder.mkdir()
        self.path = Path(shutil.copy(log_store, self.home / "logs.db"))
        self.path.chmod(0o644)
        self.document = self.guest / "log_exports.json"
        self.point_to(self.path)
        if IS_ROOT:
            os.chown(self.guest, GUEST, GUEST)

    def point_to(self, path: Path) -> None:
        """Let the document name another path."""
        export = {
            "name": "nightly",
            "schedule": {"frequency": "daily"},
            "destination": {"type": "local", "config": {"path": str(self.guest / "out"), "prefix": "logs/"}},
        }
        content = {
            "source": {"type": "sqlite", "config": {"path": str(path)}},
            "staging": {"url": (self.guest / "staging").as_uri()},
            "exports": [export],
        }
        self.document.write_text(json.dumps({"log_exports": content}))

    def state(self) -> dict[str, tuple[int, ...]]:
        """What stands in Bifrost's folder: owner, size, times."""
        found = {path.name: path.stat() for path in self.home.iterdir()}
        return {name: (each.st_uid, each.st_size, each.st_mtime_ns) for name, each in sorted(found.items())}

    def run(self, *command: str) -> tuple[int, Any]:
        """Exit code and JSON of a command that the guest gives."""
        out = self.guest / "printed"
        out.touch()
        out.chmod(0o666)
        first, *rest = command
        arguments = [first, str(self.document), *rest]
        code = as_guest(lambda: told(arguments, out))
        return code, json.loads(out.read_text().splitlines()[-1] if code in (0, 1, 2) else "null")

    def write(self) -> None:
        """Let Bifrost start, write a row and stop."""
        script = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as to: to.execute('UPDATE logs SET cost=cost')"
        subprocess.run([sys.executable, "-c", script, str(self.path)], check=True)


def told(arguments: list[str], out: Path) -> int:
    """The exit code of a command whose output goes to a file."""
    with out.open("w") as stream, contextlib.redirect_stdout(stream):
        return execute(arguments)


def as_guest(act: Callable[[], int]) -> int:
    """Do something in a process of the guest's, and return its exit code."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.alarm(60)
            if IS_ROOT:
                os.setgroups([])
                os.setgid(GUEST)
                os.setuid(GUEST)
            code = act()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def house(sample_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house of the test's own; outside of pytest's folder, which only its owner may enter."""
    root = Path(tempfile.mkdtemp(prefix="bifrost-guest-"))
    house = House(root, sample_store)
    # The guest may not enter the folders of this interpreter: all that the commands import is imported before.
    driver = adbc_driver_sqlite._driver_path()
    monkeypatch.setattr(adbc_driver_sqlite, "_driver_path", lambda: driver)
    warm = House(Path(tempfile.mkdtemp(prefix="bifrost-guest-")), sample_store)
    for command in COMMANDS.values():
        told([command[0], str(warm.document), *command[1:]], warm.guest / "printed")
    shutil.rmtree(warm.home.parent)
    yield house
    shutil.rmtree(root)


@pytest.mark.parametrize("mode", [0o777, 0o755], ids=["a folder that all may write to", "a folder of Bifrost's"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_nobody_has_open_is_left_as_it_was(house: House, command: str, mode: int) -> None:
    """No file is made beside it, and Bifrost can write to it afterwards."""
    house.home.chmod(mode)
    before = house.state()

    code, found = house.run(*COMMANDS[command])

    assert code == 0, found
    assert house.state() == before
    if command == "run":
        assert found["datasets"]["request_logs"]["exported"] > 600
    house.write()
    assert set(house.state()) == {"logs.db"}


@pytest.mark.parametrize("command", COMMANDS)
def test_beside_a_writer_its_own_side_files_are_used(house: House, command: str) -> None:
    """Rows that are still in its log are read; none of the files changes its owner."""
    house.home.chmod(0o777)
    start = [sys.executable, "-c", HOLD, str(house.path)]
    with subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        owners = {name: facts[0] for name, facts in house.state().items()}
        assert set(owners) == {"logs.db", "logs.db-shm", "logs.db-wal"}
        code, found = house.run(*COMMANDS[command])
        assert code == 0, found
        assert {name: facts[0] for name, facts in house.state().items()} == owners
        writer.communicate("")
    assert set(house.state()) == {"logs.db"}


@pytest.mark.parametrize("side_files", [["-wal"], ["-shm"], []], ids=["an empty log", "an index alone", "none"])
def test_side_files_that_hold_nothing_change_nothing(house: House, side_files: list[str]) -> None:
    """They are neither used nor removed."""
    house.home.chmod(0o777)
    for suffix in side_files:
        house.path.with_name(house.path.name + suffix).touch()
    before = house.state()

    code, found = house.run(*COMMANDS["run"])

    assert code == 0, found
    assert house.state() == before


def killed(house: House, suffixes: list[str]) -> None:
    """Leave what a writer leaves that is killed with rows in its log; of its side files some."""
    start = [sys.executable, "-c", HOLD, str(house.path)]
    with subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        writer.kill()
    for suffix in ("-wal", "-shm"):
        if suffix not in suffixes:
            house.path.with_name(house.path.name + suffix).unlink()


@pytest.mark.parametrize("mode", [0o777, 0o755])
def test_a_log_without_its_index_is_refused_with_what_to_do(house: House, mode: int) -> None:
    """To read its rows, a file would have to be made beside it."""
    if not IS_ROOT:
        pytest.skip("another user can only be played by root")
    killed(house, ["-wal"])
    house.home.chmod(mode)
    before = house.state()

    code, found = house.run(*COMMANDS["run"])

    assert code == 1
    assert "logs.db-shm is missing" in str(found)
    assert "PRAGMA wal_checkpoint(TRUNCATE)" in str(found)
    assert "write right" not in str(found)
    assert house.state() == before
    house.write()
    assert house.run(*COMMANDS["run"])[0] == 0


@pytest.mark.parametrize("mode", [0o777, 0o755])
def test_what_a_killed_writer_left_is_read(house: House, mode: int) -> None:
    """Its log with its index."""
    killed(house, ["-wal", "-shm"])
    house.home.chmod(mode)
    before = {name: facts[:2] for name, facts in house.state().items()}

    code, found = house.run(*COMMANDS["run"])

    assert code == 0, found
    assert {name: facts[:2] for name, facts in house.state().items()} == before


def test_a_log_without_its_index_is_read_by_its_owner(house: House) -> None:
    """What that makes belongs to Bifrost's own user."""
    killed(house, ["-wal"])
    owner = house.path.stat().st_uid
    assert told([COMMANDS["run"][0], str(house.document), *COMMANDS["run"][1:]], house.guest / "printed") == 0
    assert {facts[0] for facts in house.state().values()} == {owner}


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder a read-only volume; skips the test where nothing can be mounted."""
    tries = [["mount", "--bind", str(folder), str(folder)], ["mount", "-o", "remount,ro,bind", str(folder)]]
    for each in tries:
        if subprocess.run(each, check=False, capture_output=True).returncode:
            pytest.skip("no volume can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("side_files", [[], ["-wal", "-shm"]], ids=["closed", "killed"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_read_only_volume_is_read(house: House, command: str, side_files: list[str]) -> None:
    """As Kubernetes mounts it with `readOnly: true`."""
    if side_files:
        killed(house, side_files)
    with read_only(house.home):
        before = house.state()
        code, found = house.run(*COMMANDS[command])
        assert code == 0, found
        assert house.state() == before


def test_a_log_without_its_index_on_a_read_only_volume_is_refused(house: House) -> None:
    """Even its owner can't make the index there."""
    killed(house, ["-wal"])
    with read_only(house.home):
        code = told([COMMANDS["run"][0], str(house.document), *COMMANDS["run"][1:]], house.guest / "printed")
        assert code == 1
        assert "PRAGMA wal_checkpoint(TRUNCATE)" in (house.guest / "printed").read_text()


def test_a_file_that_may_not_be_read_says_which_right_is_missing(house: House) -> None:
    """The right to read; nobody is told to give the right to write."""
    house.path.chmod(0o600 if IS_ROOT else 0)
    code, found = house.run(*COMMANDS["check"])
    assert code == 1
    [step] = [each for each in found["checks"] if each["what"] == "log store: open"]
    assert f"Grant uid {GUEST} the right to read the file" in step["hint"]


def test_an_interrupted_write_of_a_rollback_journal_is_told(house: House) -> None:
    """Only Bifrost can restore the file."""
    with contextlib.closing(sqlite3.connect(house.path)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
    script = """
import os, sqlite3, sys
writer = sqlite3.connect(sys.argv[1], isolation_level=None)
writer.execute("PRAGMA cache_size = 1")
writer.execute("BEGIN")
writer.execute("UPDATE logs SET model = model || 'x'")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script, str(house.path)], check=True)
    assert "logs.db-journal" in house.state()
    before = house.state()
    code, found = house.run(*COMMANDS["run"])
    assert (code, house.state()) == (1, before)
    assert "A write to it was interrupted" in str(found)
    house.write()
    assert house.run(*COMMANDS["run"])[0] == 0


def start_and_stay(path: Path) -> contextlib.AbstractContextManager[Any]:
    """Bifrost starts, writes a row and runs on."""
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("UPDATE logs SET id = id || '-late' WHERE rowid = 1")
    return contextlib.closing(writer)


def start_and_stop(path: Path) -> contextlib.AbstractContextManager[Any]:
    """Bifrost starts, writes, copies its log into the file, and stops."""
    rewrite(path)
    return contextlib.nullcontext()


def rewrite(path: Path) -> None:
    """Change many pages, so that what is half read is read in two states; rows move to other places."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as writer:
        rows = [
            dict(zip(ROW, row, strict=True)) for row in writer.execute(f"SELECT {', '.join(ROW)} FROM logs LIMIT 500")
        ]
        writer.execute("DELETE FROM logs WHERE rowid % 3 = 0")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    add_rows(path, [{**row, "id": f"late-{number}"} for number, row in enumerate(rows)])


def replace_file(path: Path) -> contextlib.AbstractContextManager[Any]:
    """Somebody restores another state of the file."""
    other = path.with_name("restored.db")
    shutil.copy(path, other)
    rewrite(other)
    other.rename(path)
    return contextlib.nullcontext()


WINDOW_OF_DAY = Window.parse("2026-03-01", "2026-03-02")
ROW = (
    "id",
    "timestamp",
    "created_at",
    "object_type",
    "provider",
    "model",
    "status",
    "latency",
    "prompt_tokens",
    "cost",
)


@pytest.mark.parametrize("write", [start_and_stay, start_and_stop, replace_file], ids=lambda each: str(each.__name__))
@pytest.mark.parametrize("at", [1, 5, 8, 9, 10, 12, 15, 20])
def test_a_writer_that_comes_in_the_middle_is_never_half_read(
    log_store: Path, tmp_path: Path, write: Callable[[Path], Any], at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever statement it meets: the run gives the rows of one state, in balanced books."""
    original, seen, before = Connection.batches, [0], ids(log_store)
    opened = contextlib.ExitStack()

    def batches(self: Connection, sql: str, rows: int = 4) -> Iterator[Any]:
        stream = original(self, sql, rows)
        seen[0] += 1
        if seen[0] != at:
            yield from stream
            return
        first = next(stream, None)
        opened.enter_context(write(log_store))
        if first is not None:
            yield first
        yield from stream

    monkeypatch.setattr(Connection, "batches", batches)
    export = Export(tmp_path / "export", log_store)
    with opened:
        found = export.run(WINDOW_OF_DAY)
    assert seen[0] >= at

    tables = [pq.read_table(pa.BufferReader(data)) for data in export.parts().values()]
    exported = sorted(name for table in tables for name in table.column("request_id").to_pylist())
    assert exported in (before, ids(log_store))
    assert found["datasets"]["request_logs"]["source"] == len(exported)


def ids(log_store: Path) -> list[str]:
    """The ids of the day's settled rows."""
    day = "timestamp >= '2026-03-01' AND timestamp < '2026-03-02' AND status != 'processing'"
    with contextlib.closing(sqlite3.connect(log_store)) as reader:
        return sorted(name for (name,) in reader.execute(f"SELECT id FROM logs WHERE {day}"))
