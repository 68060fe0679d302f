"""The bytes of published parts change only on purpose: golden digests of the sample's datasets, by format."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from bifrost_export import datasets
from bifrost_export.cli.group import execute
from bifrost_export.sample.logs import write

GOLDEN = Path(__file__).parents[1] / "data" / "golden.json"
"""Format -> dataset -> SHA-256 of its part. Parquet and Arrow name the version of pyarrow in their files: after an
upgrade of pyarrow their digests change, those of CSV and JSON don't."""
FORMATS = {"arrow": "zstd", "csv": "none", "json": "none", "parquet": "zstd"}
"""Format -> compression. The bytes of gzip depend on the processor's instructions, those of zstd don't."""


@pytest.fixture(scope="module")
def log_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of the sample."""
    path = tmp_path_factory.mktemp("logs") / "logs.db"
    write(path, rows=2_000, seed=7, days=1, end=dt.datetime(2026, 3, 2, tzinfo=dt.timezone.utc))
    return path


def published(log_store: Path, folder: Path, format_: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Export the day, and return the digest of each dataset's part."""
    data: dict[str, Any] = {"include": datasets.names(), "format": format_, "compression": FORMATS[format_]}
    export = {
        "name": "golden",
        "schedule": {"frequency": "daily"},
        "source": {"type": "sqlite", "config": {"path": str(log_store)}},
        "destination": {"type": "local", "config": {"path": str(folder / "exports")}},
        "data": data,
    }
    document = folder / "log_exports.json"
    document.write_text(json.dumps({"log_exports": {"exports": [export]}}))
    window = ["--window-start", "2026-03-01", "--window-end", "2026-03-02"]
    assert execute(["run", str(document), "--export", "golden", *window, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["datasets"]
    return {name: part["sha256"] for name, each in told.items() for part in each["parts"]}


@pytest.mark.parametrize("format_", FORMATS)
def test_parts_have_the_same_bytes_as_ever(
    log_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    """A change that is meant is one of this file too, so that a reader of the history sees it."""
    assert published(log_store, tmp_path, format_, capsys) == json.loads(GOLDEN.read_text("utf-8"))[format_]
