"""A run in each format: the files' names, their rows, and that slices and reruns change no byte."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.ipc as ipc
import pytest

from bifrost_export.cli.group import execute
from bifrost_export.destinations.object_store.keys import without_token
from bifrost_export.window import Window
from demo.servers.s3_server import S3Server
from tests.integration.commands import Desk
from tests.integration.exports import Export
from tests.integration.published import comparable
from tests.servers.s3 import BUCKET
from tests.support.odd_rows import plant

DAY = Window.parse("2026-03-01", "2026-03-02")
CHOICES = [
    ("json", None, ".jsonl.gz"),
    ("json", "none", ".jsonl"),
    ("json", "zstd", ".jsonl.zst"),
    ("csv", None, ".csv.gz"),
    ("csv", "none", ".csv"),
    ("csv", "zstd", ".csv.zst"),
    ("arrow", None, ".arrow"),
    ("parquet", None, ".parquet"),
]
each_choice = pytest.mark.parametrize(("name", "compression", "ending"), CHOICES, ids=[each[2][1:] for each in CHOICES])


@pytest.fixture
def odd_store(log_store: Path) -> Path:
    """A log store with every odd row planted in `DAY`."""
    plant(log_store, DAY)
    return log_store


def rows_of(paths: list[Path], name: str) -> list[tuple[Any, ...]]:
    """The rows of parts in their order, as DuckDB reads them."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found: list[tuple[Any, ...]] = []
        for path in paths:
            if name == "arrow":
                connection.register("part", ipc.open_file(path).read_all())
            options = {"csv": ", nullstr = '', allow_quoted_nulls = false"}.get(name, "")
            source = "part" if name == "arrow" else f"read_{name}('{path}'{options})"
            columns = "epoch_us(timestamp::TIMESTAMPTZ), * EXCLUDE (timestamp)"
            found += connection.execute(f"SELECT {columns} FROM {source}").fetchall()
    return found


def run_by_hand(export: Export, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the command `run` prints for the day."""
    window = ["--window-start", "2026-03-01", "--window-end", "2026-03-02"]
    assert execute(["run", str(export.document()), "--export", "nightly", *window, "--format", "json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


@each_choice
def test_a_run_writes_the_rows_of_the_parquet_files(
    name: str, compression: str | None, ending: str, odd_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In parts cut at the same rows, under names that tell format and compression; the manifest tells both, too."""
    data: dict[str, Any] = {"max_rows_per_file": 400}
    parquet = Export(tmp_path / "parquet", odd_store, data)
    other = Export(tmp_path / "other", odd_store, {**data, "format": name, "compression": compression})
    parquet.run(DAY)

    parts = run_by_hand(other, capsys)["datasets"]["request_logs"]["parts"]

    expected = parquet.manifest(DAY)["datasets"]["request_logs"]["parts"]
    assert [part["rows"] for part in parts] == [part["rows"] for part in expected]
    assert len(parts) > 1
    assert all(part["key"].endswith(f"__part-{at:05d}-of-{len(parts):05d}{ending}") for at, part in enumerate(parts, 1))
    found = rows_of([other.out / part["key"] for part in parts], name)
    assert found == rows_of([parquet.out / part["key"] for part in expected], "parquet")
    manifest = other.manifest(DAY)
    told = {"json": "gzip", "csv": "gzip", "arrow": "zstd", "parquet": "zstd"}[name]
    assert (manifest["format"], manifest["compression"]) == (name, compression or told)


@pytest.mark.parametrize("name", ["json", "csv", "arrow"])
def test_other_slices_change_no_byte_and_a_rerun_is_unchanged(name: str, odd_store: Path, tmp_path: Path) -> None:
    """As with Parquet."""
    data = {"format": name, "max_rows_per_file": 300}
    first = Export(tmp_path / "first", odd_store, data)
    other = Export(tmp_path / "other", odd_store, data, runtime={"rows_per_slice": 64})

    assert first.run(DAY)["unchanged"] is False
    other.run(DAY)

    assert comparable(other.contents()) == comparable(first.contents())
    assert len(first.parts()) > 1
    assert {without_token(key): data for key, data in other.parts().items()} == {
        without_token(key): data for key, data in first.parts().items()
    }
    assert first.run(DAY)["unchanged"] is True


@pytest.mark.parametrize(("name", "content_type"), [("json", "application/x-ndjson"), ("csv", "text/csv")])
def test_objects_of_text_have_a_type_and_no_encoding(
    name: str, content_type: str, log_store: Path, tmp_path: Path, s3: S3Server
) -> None:
    """A `Content-Encoding` would make clients unpack the file behind their user's back."""
    config = {"bucket": BUCKET, "region": "us-west-2", "endpoint_url": s3.url}
    export = Export(tmp_path, log_store, {"format": name}, destination={"type": "s3", "config": config})

    [part] = export.run(DAY)["datasets"]["request_logs"]["parts"]

    head = s3.client().head_object(Bucket=BUCKET, Key=part["key"])
    assert head["ContentType"] == content_type
    assert "ContentEncoding" not in head
    assert s3.client().get_object(Bucket=BUCKET, Key=part["key"])["Body"].read()[:2] == b"\x1f\x8b"


FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-", "@SUM(A1)", "plain", "\t=1")


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_csv_safe_guards_texts_alone_and_verify_agrees(desk: Desk, compression: str) -> None:
    """Counts and sums are those of the rows; turning it on or off publishes the window anew."""
    with closing(sqlite3.connect(desk.log_store)) as connection, connection:
        for number, text in enumerate(FORMULAS):
            connection.execute("UPDATE logs SET customer_id = ? WHERE rowid % 6 = ?", (text, number))
        connection.execute("UPDATE logs SET cost = -0.5 WHERE rowid % 7 = 0")
    desk.data = {"format": "csv", "compression": compression}
    plain = desk.run("2026-03-01", "2026-03-02")
    values = lines_of(desk, plain)
    assert {row["customer_id"] for row in values} == set(FORMULAS)

    desk.data["csv_safe"] = True
    safe = desk.run("2026-03-01", "2026-03-02")

    assert (safe["revision"], safe["unchanged"]) == (2, False)
    guarded = {text: text if text == "plain" else f"'{text}" for text in FORMULAS}
    assert lines_of(desk, safe) == [{**row, "customer_id": guarded[row["customer_id"]]} for row in values]
    assert any(row["cost_usd"] == "-0.5" for row in values)
    assert desk.verify(safe["manifest"])["ok"]
    assert json.loads(Path(safe["manifest"]).read_text())["csv_safe"] is True
    assert desk.run("2026-03-01", "2026-03-02")["unchanged"]
    desk.data["csv_safe"] = False
    assert desk.run("2026-03-01", "2026-03-02")["revision"] == 3


def lines_of(desk: Desk, found: dict[str, Any]) -> list[dict[str, str]]:
    """The rows of a run's one part, as the standard library reads them."""
    (part,) = found["datasets"]["request_logs"]["parts"]
    data = (desk.out / part["key"]).read_bytes()
    text = (gzip.decompress(data) if part["key"].endswith(".gz") else data).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))
