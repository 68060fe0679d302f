"""Redshift: texts that no VARCHAR holds, and what COPY says of files that do not fit."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.errors import DestinationError, DestinationUnavailableError
from bifrost_export.sample.logs import write
from bifrost_export.window import Window
from tests.integration.commands import Desk
from tests.integration.exports import Export
from tests.servers.redshift import copying
from tests.servers.redshift.server import Redshift
from tests.servers.redshift.sql import SqlError

DAY = Window.parse("2026-03-01", "2026-03-02")
LONG = "a prompt with an ä and a 😀, " * 3_000


@pytest.fixture
def long_store(tmp_path: Path) -> Path:
    """A day in which every request is longer than Redshift holds."""
    path = tmp_path / "long.db"
    write(path, rows=40, seed=3, days=1, end=DAY.end)
    history = json.dumps([{"role": "user", "content": LONG}], ensure_ascii=False)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE logs SET input_history = ?", (history,))
    return path


@pytest.mark.parametrize("has_bucket", [True, False], ids=["COPY", "batched inserts"])
def test_contents_are_cut_counted_and_verified(
    redshift: Redshift, desk: Desk, long_store: Path, has_bucket: bool
) -> None:
    """The window is published, the books balance, and each cut content is JSON still."""
    desk.log_store = long_store
    desk.data = {"include_content": True, "include": ["request_logs", "traces"]}
    changes = {} if has_bucket else {"staging": None}
    desk.destination = {"type": "redshift", "config": redshift.config(**changes)}

    found = desk.run("2026-03-01", "2026-03-02")

    for dataset, column in (("request_logs", "request_content"), ("traces", "attributes")):
        table = "request_logs" if dataset == "request_logs" else "request_logs_traces"
        entry = found["datasets"][dataset]
        measured = f"MAX(octet_length({column})), COUNT(*), SUM(CASE WHEN octet_length({column}) > 65000 THEN 1 END)"
        [[longest, rows, cut]] = redshift.sql(f"SELECT {measured} FROM {table}")
        assert int(longest) <= 65_535
        assert int(rows) == entry["exported"]
        assert entry["long_texts"] == {column: int(cut)}
        assert redshift.sql(f"SELECT COUNT({column}::jsonb) - COUNT({column}) FROM {table}") == [["0"]]
        [[details]] = redshift.sql(f"SELECT details FROM bifrost_export_loads WHERE dataset = '{dataset}'")
        assert json.loads(details)["long_texts"] == entry["long_texts"]
    assert any("request_content were longer" in each for each in found["warnings"])
    whose = ("--config", desk.document, "--export", "nightly")
    assert desk.verify(found["manifest"], *whose) == {"ok": True, "problems": []}


@pytest.mark.parametrize(("method", "left"), [("null", "0"), ("cut", "all")])
def test_the_key_says_what_happens_to_all_texts(
    redshift: Redshift, desk: Desk, long_store: Path, method: str, left: str
) -> None:
    """`null` leaves none of the long contents."""
    desk.log_store = long_store
    desk.data = {"include_content": True}
    desk.destination = {"type": "redshift", "config": redshift.config(on_long_text=method)}
    found = desk.run("2026-03-01", "2026-03-02")
    entry = found["datasets"]["request_logs"]
    [[kept]] = redshift.sql("SELECT COUNT(request_content) FROM request_logs")
    count = entry["long_texts"]["request_content"]
    assert count >= entry["exported"] - 1  # Bifrost keeps the contents of one out of its log
    assert kept == (str(count) if left == "all" else left)


def test_fail_and_the_record_stop_the_window_with_the_column(
    redshift: Redshift, tmp_path: Path, long_store: Path
) -> None:
    """Nothing is published, and no value is told."""

    def run(name: str, **how: Any) -> None:
        data = how.pop("data", {})
        config = {"type": "redshift", "config": redshift.config(**how)}
        Export(tmp_path / name, long_store, data=data, destination=config).run(DAY)

    with pytest.raises(
        DestinationError, match=r"column request_content has [\d,]+ bytes.*65,535.*on_long_text"
    ) as raised:
        run("contents", on_long_text="fail", data={"include_content": True})
    assert "prompt" not in str(raised.value)
    with closing(sqlite3.connect(long_store)) as connection, connection:
        connection.execute("UPDATE logs SET model = ?", ("m" * 70_000,))
    with pytest.raises(DestinationError, match="column model has 70,000 bytes"):
        run("record")
    assert redshift.sql("SELECT COUNT(*) FROM pg_tables WHERE tablename = 'request_logs'") == [["0"]]


def _answers(redshift: Redshift, monkeypatch: pytest.MonkeyPatch, error: SqlError) -> None:
    def read(*_: Any) -> Any:
        raise error
        yield b""

    monkeypatch.setattr(copying, "read", read)


SCHEMA = (
    "File 's3://lake/warehouse/part.parquet' has an incompatible Parquet schema for column"
    " 's3://lake/warehouse/part.parquet.cost_usd'. Column type: DOUBLE PRECISION, Parquet schema:\n  optional int64"
    " cost_usd [i:5 d:1 r:0]"
)
MOVED = (
    "S3ServiceException:The bucket you are attempting to access must be addressed using the specified endpoint. Please"
    " send all future requests to this endpoint.,Status 301,Error PermanentRedirect,Rid 1,ExtRid 2,CanRetry 1"
)


@pytest.mark.parametrize(
    ("error", "told", "passes"),
    [
        (
            SqlError("XX000", "Spectrum Scan Error", SCHEMA),
            r"part\.parquet.*column 's3://.*cost_usd'\. Column type: DOUBLE PRECISION.*optional int64 cost_usd",
            False,
        ),
        (SqlError("XX000", MOVED), r"PermanentRedirect.*must be in Redshift's region", False),
        (SqlError("XX000", "Problem reading manifest file", MOVED), r"must be in Redshift's region", False),
        (SqlError("53100", "Disk Full", "node: 0 table_id: 123 type:4"), r"disks are full.*node: 0.*resize", True),
        (SqlError("XX000", "Disk Full", "node: 0"), r"disks are full", True),
        (
            SqlError("XX000", "S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 1"),
            r"S3 refused Redshift \(AccessDenied: Access Denied\).*s3:GetObject",
            False,
        ),
        (
            SqlError("XX000", "S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown,Rid 1"),
            r"S3 answered SlowDown: Please reduce",
            True,
        ),
    ],
    ids=[
        "schema",
        "another region",
        "manifest in another region",
        "disk full",
        "disk full otherwise",
        "denied",
        "slow",
    ],
)
def test_what_copy_says_is_read_whole(
    redshift: Redshift,
    tmp_path: Path,
    log_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: SqlError,
    told: str,
    passes: bool,
) -> None:
    """The context of its detail names file, column and types."""
    _answers(redshift, monkeypatch, error)
    one = Export(tmp_path, log_store, destination={"type": "redshift", "config": redshift.config()})
    with pytest.raises(DestinationUnavailableError if passes else DestinationError, match=told):
        one.run(DAY)


def test_what_redshift_keeps_of_a_failed_load_is_looked_up_but_for_the_value(
    redshift: Redshift, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Column, line and reason of sys_load_error_detail."""
    redshift.sql(
        "CREATE VIEW sys_load_error_detail AS SELECT pg_backend_pid() AS session_id, now() AS start_time,"
        " 's3://lake/part.parquet' AS file_name, 7::bigint AS line_number, 'cost_usd' AS column_name,"
        " 'float8' AS column_type, 'Invalid digit, Value ''secret'', Pos 0, Type: Double' AS error_message"
    )
    text = "Load into table 'request_logs' failed. Check 'sys_load_error_detail' system table for details."
    _answers(redshift, monkeypatch, SqlError("XX000", text))
    one = Export(tmp_path, log_store, destination={"type": "redshift", "config": redshift.config()})
    told = r"column cost_usd \(float8\), line 7 of s3://lake/part\.parquet: Invalid digit, the value, Pos 0"
    with pytest.raises(DestinationError, match=told) as raised:
        one.run(DAY)
    assert "secret" not in str(raised.value)
