"""Exports of a PostgreSQL log store: the bytes of the SQLite one, and no word of the password."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample.sqlite_tables import add_rows, create
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.integration.published import comparable
from tests.support.odd_rows import odd_rows
from tests.support.postgres_rows import both_can_hold, rows_of

DAY = Window.parse("2026-03-01", "2026-03-02")
FORMATS = [("parquet", "zstd"), ("parquet", "gzip"), ("json", "gzip"), ("csv", "zstd")]


@pytest.fixture
def rows(sample_store: Path) -> list[dict[str, Any]]:
    """Plausible rows and odd ones that both log stores can hold."""
    return [*rows_of(sample_store), *both_can_hold(odd_rows(DAY))]


@pytest.fixture
def filled(postgres_store: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """`source.config` of a PostgreSQL log store with these rows."""
    with in_postgres.writing(postgres_store) as write:
        in_postgres.insert(write, rows)
    return from_address(postgres_store, "the test")


def without_source(contents: dict[str, bytes]) -> dict[str, Any]:
    """The contents, manifests without what they say of the log store."""
    told = comparable(contents)
    for each in told.values():
        if isinstance(each, dict):
            each.pop("source")
    return told


@pytest.mark.parametrize(("format_", "compression"), FORMATS, ids=["-".join(each) for each in FORMATS])
def test_both_log_stores_give_the_same_bytes(
    tmp_path: Path, filled: dict[str, Any], rows: list[dict[str, Any]], format_: str, compression: str
) -> None:
    """Parts, rejected rows and all figures, whatever the slices."""
    create(tmp_path / "logs.db")
    add_rows(tmp_path / "logs.db", rows)
    data = {"format": format_, "compression": compression, "max_rows_per_file": 400}
    of_sqlite = Export(tmp_path / "sqlite", tmp_path / "logs.db", data)
    slices = {"rows_per_slice": 300}
    of_postgres = Export(tmp_path / "postgres", tmp_path / "none", data, runtime=slices, source=source(filled))

    of_sqlite.run(DAY)
    of_postgres.run(DAY)

    assert len(of_postgres.contents()) > 3
    assert without_source(of_postgres.contents()) == without_source(of_sqlite.contents())


def test_the_password_is_found_nowhere(
    tmp_path: Path, filled: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in what is printed nor in any file; a wrong one is told without it."""
    monkeypatch.setenv("CANARY_PASSWORD", filled["password"])
    export = Export(tmp_path, tmp_path / "none", source=source({**filled, "password": "${CANARY_PASSWORD}"}))
    export.document()
    window = ["--window-start", "2026-03-01", "--window-end", "2026-03-02", "--force", "--format", "json"]
    command = ["run", str(tmp_path / "log_exports.json"), "--export", "nightly", *window]

    assert execute(command) == 0
    assert json.loads(capfd.readouterr().out)["datasets"]["request_logs"]["exported"] > 500
    assert not [
        path for path in tmp_path.rglob("*") if path.is_file() and filled["password"].encode() in path.read_bytes()
    ]
    manifest = export.manifest(DAY)
    assert set(manifest["source"]) == {"type", "host", "port", "database", "schema"}

    monkeypatch.setenv("CANARY_PASSWORD", "canary-of-a-wrong-password")
    assert execute(command) == 1
    out, err = capfd.readouterr()
    assert "password" in json.loads(out)["error"]["message"]
    assert "canary-of-a-wrong-password" not in out + err


def source(config: dict[str, Any]) -> dict[str, Any]:
    """The source of a document."""
    return {"type": "postgres", "config": config}
