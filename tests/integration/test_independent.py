"""What is exported agrees, row by row and value by value, with a reading that shares no code with the package."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from bifrost_export.sample.logs import write
from bifrost_export.window import Window
from tests import independent
from tests.integration.exports import Export
from tests.support.odd_rows import plant

WEEK = Window.parse("2026-03-01", "2026-03-08")


@pytest.fixture(scope="module")
def big_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200,000 plausible rows over seven days, with every odd row in and around each of two windows."""
    path = tmp_path_factory.mktemp("big") / "logs.db"
    write(path, rows=200_000, seed=11, days=7, end=WEEK.end)
    plant(path, WEEK)
    return path


def test_200_000_rows_with_every_odd_case_agree_with_the_independent_reading(big_store: Path, tmp_path: Path) -> None:
    """Every row, every value, every rejected row, in order."""
    export = Export(tmp_path, big_store, {"max_rows_per_file": 70_000}, runtime={"rows_per_slice": 60_000})
    expected, rejected, unsettled = independent.rows(big_store, WEEK.start, WEEK.end)

    result = export.run(WEEK)

    paths = [export.out / part["key"] for part in result["datasets"]["request_logs"]["parts"]]
    rows = [row for path in paths for row in _rows(path)]
    assert len(paths) == 3
    assert len(rows) == len(expected) > 200_000
    for found, wanted in zip(rows, expected, strict=True):
        assert found == wanted
    assert _rejected(export) == sorted(rejected)
    assert result["unsettled"] == unsettled > 0
    assert result["unplaced"] == independent.unplaced(big_store) > 0
    entry = export.manifest(WEEK)["datasets"]["request_logs"]
    assert entry["source"] == len(expected) + len(rejected)
    assert entry["sums"]["exported"]["input_tokens"] == sum(row["input_tokens"] or 0 for row in expected)


def test_duckdb_reads_the_same_sums_as_the_manifest_tells(big_store: Path, tmp_path: Path) -> None:
    """Another tool, the same figures."""
    export = Export(tmp_path, big_store)
    export.run(WEEK)

    entry = export.manifest(WEEK)["datasets"]["request_logs"]
    paths = [str(export.out / part["key"]) for part in entry["parts"]]
    with duckdb.connect() as connection:
        [found] = connection.sql(
            "SELECT count(*), sum(input_tokens), sum(output_tokens), sum(cost_usd), count(DISTINCT request_id)"
            f" FROM read_parquet({paths})"
        ).fetchall()

    sums = entry["sums"]["exported"]
    assert found[:3] == (entry["exported"], sums["input_tokens"], sums["output_tokens"])
    assert found[3] == pytest.approx(sums["cost_usd"], rel=1e-9)
    assert found[4] == entry["exported"]


def _rows(path: Path) -> list[dict[str, object]]:
    table = pq.read_table(path)
    columns = {name: table.column(name).to_pylist() for name in table.column_names if name != "timestamp"}
    columns["timestamp"] = table.column("timestamp").cast("int64").to_pylist()
    return [
        dict(zip(independent.COLUMNS, values, strict=True))
        for values in zip(*(columns[name] for name in independent.COLUMNS), strict=True)
    ]


def _rejected(export: Export) -> list[tuple[str, str]]:
    [path] = export.out.rglob("*.jsonl.gz")
    with gzip.open(path, "rt") as lines:
        return sorted((row["request_id"], row["column"]) for row in map(json.loads, lines) if row["kind"] == "rejected")
