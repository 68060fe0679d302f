"""Mistakes of a person at the command line: one clear error each, no traceback, nothing written."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from demo.servers.s3_server import S3Server

WINDOW = ["--window-start", "2026-03-01T00:00:00Z", "--window-end", "2026-03-02T00:00:00Z"]


@pytest.fixture
def place(tmp_path: Path, sample_store: Path) -> Path:
    """A folder with a good document, `log_exports.json`, that exports to files."""
    write(tmp_path, sample_store)
    return tmp_path


def write(folder: Path, log_store: Path, staging: dict[str, Any] | None = None, **export: Any) -> None:
    """Write the document with some of the export's keys changed."""
    one = {
        "name": "nightly",
        "schedule": {"frequency": "daily"},
        "destination": {"type": "local", "config": {"path": str(folder / "out")}},
        **export,
    }
    source = {"type": "sqlite", "config": {"path": str(log_store)}}
    content = {"exports": [one], "source": source, "staging": staging or {"url": (folder / "staging").as_uri()}}
    (folder / "log_exports.json").write_text(json.dumps({"log_exports": content}))


def fails(
    place: Path, code: int, *told: str, capfd: pytest.CaptureFixture[str], export: str = "nightly", window: Any = WINDOW
) -> None:
    """Run, and hold that it ends with this code and one message that has these words."""
    assert execute(["run", str(place / "log_exports.json"), "--export", export, *window]) == code
    out, err = capfd.readouterr()
    assert out == ""
    message = err[err.index("error:") :]
    assert message.count("error:") == 1
    for words in told:
        assert words in message
    assert "Traceback" not in err
    assert not (place / "out").exists()
    assert not list((place / "staging").rglob("*.arrow"))


def test_a_reference_without_a_value(place: Path, sample_store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is named, with its place in the document."""
    write(place, sample_store, destination={"type": "local", "config": {"path": "${NOWHERE_TO_BE_FOUND}/out"}})

    place_of_it = "/log_exports/exports/0/destination/config/path"
    fails(place, 2, "${NOWHERE_TO_BE_FOUND}", place_of_it, "Set the variable", capfd=capfd)


def test_a_bucket_that_is_missing(
    place: Path, sample_store: Path, s3: S3Server, capfd: pytest.CaptureFixture[str]
) -> None:
    """The message names the bucket, and what to do."""
    credentials = {"access_key_id": "${AWS_ACCESS_KEY_ID}", "secret_access_key": "${AWS_SECRET_ACCESS_KEY}"}
    config = {"bucket": "no-such-bucket", "region": "us-east-1", "endpoint_url": s3.url, "credentials": credentials}
    write(place, sample_store, destination={"type": "s3", "config": config})

    fails(place, 1, "s3://no-such-bucket/", "NoSuchBucket", "Create the bucket", capfd=capfd)


def test_a_log_store_that_is_not_there(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is not created."""
    write(place, place / "gone.db")

    fails(place, 1, str(place / "gone.db"), "does not exist", "not created", capfd=capfd)
    assert not (place / "gone.db").exists()


def test_a_log_store_that_is_no_database(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Some text file."""
    (place / "notes.txt").write_text("not a database\n" * 100)
    write(place, place / "notes.txt")

    fails(place, 1, "is no SQLite database", capfd=capfd)


def test_a_database_without_logs(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Somebody else's."""
    with sqlite3.connect(place / "other.db") as connection:
        connection.execute("CREATE TABLE other (id)")
    connection.close()
    write(place, place / "other.db")

    fails(place, 1, "has no table `logs`", "logs_store.config.path", capfd=capfd)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schedule": {"frequency": "daily", "time": "25:00"}}, ("/schedule/time", "25:00", "HH:MM")),
        ({"schedule": {"frequency": "daily", "timezone": "Europe/Berln"}}, ("Europe/Berln", "Europe/Berlin")),
        ({"destinatoin": {}}, ("destinatoin", "destination")),
    ],
    ids=["a bad time", "a bad zone", "an unknown key"],
)
def test_a_document_that_is_wrong(
    place: Path,
    sample_store: Path,
    capfd: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    told: tuple[str, ...],
) -> None:
    """The place, the value, and what is allowed or meant."""
    write(place, sample_store, **changes)

    fails(place, 2, *told, capfd=capfd)


def test_an_export_that_is_unknown(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The message lists those that there are."""
    fails(place, 2, "no export 'nihgtly'", "Did you mean 'nightly'?", capfd=capfd, export="nihgtly")


def test_a_window_that_is_turned_round(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Both times are shown."""
    window = ["--window-start", "2026-03-02", "--window-end", "2026-03-01"]

    fails(place, 2, "2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", "earlier time", capfd=capfd, window=window)


def test_a_window_that_is_no_time(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An example shows what is."""
    fails(place, 2, "'soon'", "ISO 8601", capfd=capfd, window=["--window-start", "soon", "--window-end", "2026-03-01"])


def test_a_document_that_is_not_there(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The path is shown."""
    (place / "log_exports.json").unlink()

    fails(place, 2, str(place / "log_exports.json"), "there is no document", capfd=capfd)
