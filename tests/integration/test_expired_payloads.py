"""A rerun never replaces published contents by nulls because their payloads have expired, unless it was asked to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bifrost_export.errors import ShrunkWindowError
from bifrost_export.sample.sqlite_tables import add_rows, create
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.servers.buckets import Buckets
from tests.support.offloading import offloaded, offloaded_calls
from tests.support.postgres_rows import rows_of

DAY = Window.parse("2026-03-01", "2026-03-02")
CONTENTS = {"include_content": True}
KEYS = {"access_key_id": "AKIADEMO0000EXAMPLE0", "secret_access_key": "env.PAYLOAD_SECRET"}


class Lab:
    """A log store whose payloads are objects of a bucket, which a lifecycle rule may delete.

    Args:
        folder: Where log store, document and output are.
        rows: The rows before they were offloaded.
        calls: The tool calls before they were offloaded.
        buckets: The S3 server.
    """

    def __init__(self, folder: Path, rows: list[dict[str, Any]], calls: list[dict[str, Any]], buckets: Buckets) -> None:
        self.buckets, self.bucket = buckets, buckets.make_bucket()
        self.keys: dict[str, str] = {}
        left, left_calls = [], []
        for row, key, data in offloaded(rows):
            left.append(row)
            self._put(str(row["id"]), key, data)
        for row, key, data in offloaded_calls(calls):
            left_calls.append(row)
            self._put(str(row["id"]), key, data)
        create(folder / "logs.db")
        add_rows(folder / "logs.db", left)
        add_rows(folder / "logs.db", left_calls, table="mcp_tool_logs")
        storage = {"type": "s3", "bucket": self.bucket, "region": "us-west-2", "endpoint": buckets.url, **KEYS}
        config = {"path": str(folder / "logs.db"), "object_storage": storage}
        self.export = Export(folder, folder / "logs.db", CONTENTS, source={"type": "sqlite", "config": config})

    def _put(self, name: str, key: str, data: bytes) -> None:
        self.keys[name] = key
        self.buckets.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def expire(self, where: Callable[[str], bool] = lambda name: True) -> None:
        """Do what a lifecycle rule does."""
        for name, key in self.keys.items():
            if where(name):
                self.buckets.client.delete_object(Bucket=self.bucket, Key=key)

    def held(self) -> int:
        """The published rows that have contents."""
        tables = [pq.read_table(self.export.out / key) for key in self.export.parts()]
        return sum(len(table) - table.column("request_content").null_count for table in tables)

    def refused(self) -> str:
        """Run again, and return the message of the refusal; every published file stays as it was."""
        before = self.export.contents()
        with pytest.raises(ShrunkWindowError) as caught:
            self.export.run(DAY)
        assert self.export.contents() == before
        return str(caught.value)


@pytest.fixture
def lab(sample_store: Path, tmp_path: Path, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The first day's rows, some of them failed."""
    monkeypatch.setenv("PAYLOAD_SECRET", buckets.server.secret_access_key)
    day = [row for row in rows_of(sample_store) if str(row["timestamp"]) < "2026-03-02" and not row["content_hidden"]]
    failed = [row for row in day if row["status"] == "error"][:6]
    well = [row for row in day if row["status"] == "success"][:20]
    with closing(sqlite3.connect(sample_store)) as connection:
        connection.row_factory = sqlite3.Row
        calls = [dict(row) for row in connection.execute("SELECT * FROM mcp_tool_logs")]
    rows = [{**row, "input_history": json.dumps([{"role": "user", "content": "hello"}])} for row in [*well, *failed]]
    calls = [row for row in calls if str(row["timestamp"]) < "2026-03-02" and row["status"] == "success"][:4]
    assert (len(rows), len(calls)) == (26, 4)
    return Lab(tmp_path, rows, calls, buckets)


def test_expired_payloads_are_refused_and_what_is_published_stays(lab: Lab) -> None:
    """Both counts are named, and the switch that publishes the window all the same."""
    lab.export.run(DAY)
    assert lab.held() == 26
    lab.expire()

    told = lab.refused()

    assert "payloads of 0 log rows can be read, and there were 26 when it was published" in told
    assert "26 gone" in told
    assert "object_storage" in told
    assert "--allow-shrink" in told
    assert lab.held() == 26


def test_allow_shrink_publishes_the_rows_without_their_contents(lab: Lab) -> None:
    """From then on that is what is published, and a rerun finds the same."""
    lab.export.run(DAY)
    lab.expire()
    assert lab.export.run(DAY, allow_shrink=True)["revision"] == 2
    assert lab.held() == 0
    assert lab.export.run(DAY)["unchanged"]


def test_one_payload_fewer_is_refused(lab: Lab) -> None:
    """Whichever it is."""
    lab.export.run(DAY)
    lab.expire(lambda name: name == list(lab.keys)[3])
    assert "1 gone" in lab.refused()


def test_a_first_publication_without_all_payloads_is_counted_and_a_rerun_finds_the_same(lab: Lab) -> None:
    """Nothing that was published is lost."""
    lab.expire(lambda name: name in list(lab.keys)[:5])
    told = lab.export.run(DAY)
    assert told["datasets"]["request_logs"]["offloaded"] == {"completed": 21, "gone": 5, "broken": 0, "skipped": 0}
    assert lab.export.run(DAY)["unchanged"]


def test_payloads_that_come_back_are_published(lab: Lab) -> None:
    """The window grows."""
    name = next(iter(lab.keys))
    data = lab.buckets.client.get_object(Bucket=lab.bucket, Key=lab.keys[name])["Body"].read()
    lab.expire(lambda each: each == name)
    lab.export.run(DAY)
    lab.buckets.client.put_object(Bucket=lab.bucket, Key=lab.keys[name], Body=data)
    assert lab.export.run(DAY)["revision"] == 2
    assert lab.held() == 26


def test_payloads_that_are_broken_or_may_no_longer_be_read_are_lost_too(lab: Lab) -> None:
    """What replaces the contents by nulls is all the same."""
    lab.export.run(DAY)
    config = lab.export.source["config"]
    storage, config["offloaded"] = config["object_storage"], "skip"
    config["object_storage"] = {**storage, "bucket": "no-such-bucket-here"}
    assert "26 skipped" in lab.refused()

    config["object_storage"] = storage
    lab.buckets.client.put_object(Bucket=lab.bucket, Key=next(iter(lab.keys.values())), Body=b"no JSON")
    assert "1 broken" in lab.refused()


def test_contents_that_are_no_longer_exported_may_expire(lab: Lab) -> None:
    """Only what is still exported counts: here the details of errors."""
    lab.export.run(DAY)
    failed = list(lab.keys)[20:26]
    lab.expire(lambda name: name not in failed)
    lab.export.data = {}
    assert lab.export.run(DAY)["revision"] == 2

    lab.expire(lambda name: name == failed[0])
    assert "1 gone: error_details" in lab.refused()


def test_errors_that_lose_their_details_are_refused_though_contents_are_exported_besides(lab: Lab) -> None:
    """More payloads are read than before, but none of those that were published."""
    lab.export.data = {}
    lab.export.run(DAY)
    lab.export.data = CONTENTS
    lab.expire(lambda name: name in list(lab.keys)[20:26])
    told = lab.refused()
    assert "payloads of 0 log rows can be read, and there were 6" in told
    assert "6 gone: error_details" in told


def test_tool_calls_lose_theirs_by_themselves(lab: Lab) -> None:
    """They have books of their own."""
    lab.export.data = {"include": ["traces"], "include_content": True}
    lab.export.run(DAY)
    lab.expire(lambda name: name in list(lab.keys)[26:])
    assert "payloads of 0 tool calls can be read, and there were 4" in lab.refused()


def test_a_manifest_of_an_older_version_is_compared_by_the_rows_that_had_their_payload(lab: Lab) -> None:
    """It doesn't tell of columns."""
    lab.export.run(DAY)
    path = lab.export.out / f"logs/_manifests/nightly/{DAY.name}.json"
    body = json.loads(path.read_text())
    del body["payloads"]
    path.write_text(json.dumps(body))
    lab.expire(lambda name: name in list(lab.keys)[:2])
    assert "payloads of 24 log rows can be read, and there were 26" in lab.refused()
