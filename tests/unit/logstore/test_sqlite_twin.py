"""Two connections to one SQLite log store that see one state of it, or one connection where that can't be proven."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bifrost_export.errors import LogStoreChangedError
from bifrost_export.logstore.sqlite import shared_snapshot
from bifrost_export.logstore.sqlite.connection import Connection
from bifrost_export.sample.sqlite_tables import create

ROWS = "SELECT count(*) AS rows FROM logs"
WRITE = """
import sys
from contextlib import closing
from bifrost_export.sample.sqlite_tables import connect, insert
from tests.support.odd_rows import BASE
NOON = "2026-03-01 12:00:00+00:00"
with closing(connect(sys.argv[1])) as writer:
    insert(writer, [{**BASE, "id": sys.argv[2], "timestamp": NOON, "created_at": NOON}])
"""


HOLD = """
import sys
from contextlib import closing
from bifrost_export.sample.sqlite_tables import connect
with closing(connect(sys.argv[1])) as holder:
    holder.execute("SELECT count(*) FROM logs").fetchall()
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """An empty log store in WAL mode, as Bifrost makes it, which another process has open, as Bifrost has."""
    create(tmp_path / "logs.db")
    command = [sys.executable, "-c", HOLD, str(tmp_path / "logs.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield tmp_path / "logs.db"
        holder.communicate("")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The same that nobody has open."""
    create(tmp_path / "closed.db")
    return tmp_path / "closed.db"


@pytest.fixture
def connection(path: Path) -> Iterator[Connection]:
    """The first connection."""
    with closing(Connection(path)) as opened:
        yield opened


def write(path: Path, name: str) -> None:
    """Add a row from another process, as Bifrost does: two SQLite libraries in one don't see each other's locks."""
    subprocess.run([sys.executable, "-c", WRITE, str(path), name], check=True)


def rows(connection: Connection) -> int:
    """How many it sees."""
    return int(connection.execute(ROWS)[0]["rows"])


def test_both_see_the_same_rows_while_others_are_written(path: Path, connection: Connection) -> None:
    """What is written after they began is in neither."""
    write(path, "before")
    second = shared_snapshot.begin(connection)
    assert second is not None
    with closing(second):
        write(path, "after")
        assert rows(connection) == rows(second) == 1


def test_a_write_between_the_two_begins_makes_both_begin_again(
    path: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them alone would see another state."""
    begin, begun = shared_snapshot._begin, []

    def begin_and_write(given: Connection) -> None:
        begin(given)
        begun.append(given)
        if len(begun) == 1:
            write(path, "between")

    monkeypatch.setattr(shared_snapshot, "_begin", begin_and_write)
    second = shared_snapshot.begin(connection)
    assert second is not None
    with closing(second):
        assert rows(connection) == rows(second) == 1
        assert begun == [connection, second, connection, second]


def test_a_log_store_that_changes_all_the_time_is_read_by_one_connection(
    path: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in a snapshot all the same."""
    begin, written = shared_snapshot._begin, []

    def begin_and_write(given: Connection) -> None:
        begin(given)
        if given is connection:
            written.append(f"row-{len(written)}")
            write(path, written[-1])

    monkeypatch.setattr(shared_snapshot, "_begin", begin_and_write)
    assert shared_snapshot.begin(connection) is None
    assert rows(connection) == len(written) - 1  # the last one came after the snapshot


def test_a_file_that_nobody_has_open_is_read_by_two_until_somebody_writes(closed: Path) -> None:
    """Neither waits for the other, and neither gives rows of a file that has changed."""
    write(closed, "before")
    with closing(Connection(closed)) as connection:
        second = shared_snapshot.begin(connection)
        assert second is not None
        with closing(second):
            assert rows(connection) == rows(second) == 1
            write(closed, "after")
            for each in (connection, second):
                with pytest.raises(LogStoreChangedError, match="opened or changed by another process"):
                    rows(each)


def test_without_a_write_ahead_log_there_is_one_connection(closed: Path) -> None:
    """A second reader might wait for a writer that waits for the first reader."""
    with closing(sqlite3.connect(closed)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
    with closing(Connection(closed)) as connection:
        assert shared_snapshot.begin(connection) is None
        assert rows(connection) == 0
