"""Parts cut by `max_file_size`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bifrost_export.window import Window
from tests.integration.exports import Export

DAY = Window.parse("2026-03-01", "2026-03-02")


def sizes(export: Export, window: Window = DAY) -> list[tuple[int, int]]:
    """Rows and bytes of each part, in their order."""
    entry = export.manifest(window)["datasets"]["request_logs"]
    return [(part["rows"], part["bytes"]) for part in entry["parts"]]


@pytest.mark.parametrize(
    ("format_", "compression"),
    [("parquet", "zstd"), ("parquet", "gzip"), ("json", "gzip"), ("json", "zstd"), ("csv", "gzip"), ("arrow", "lz4")],
)
def test_compressed_files_stay_below_the_size(format_: str, compression: str, tmp_path: Path, log_store: Path) -> None:
    """All parts but the last have the same number of rows, and every row is in one."""
    data = {"format": format_, "compression": compression}
    whole = Export(tmp_path / "whole", log_store, data)
    whole.run(DAY)
    [(rows, _)] = sizes(whole)

    cut = Export(tmp_path / "cut", log_store, {**data, "max_file_size": "20KB"})
    cut.run(DAY)

    found = sizes(cut)
    assert len(found) > 2
    assert {each for each, _ in found[:-1]} == {found[0][0]}
    assert sum(each for each, _ in found) == rows
    assert all(size < 20_000 for _, size in found)


ENRICH = {"type": "enrich", "add_fields": {"environment": "production", "shard": 3}}
BY_CUSTOMER = {"type": "aggregate", "group_by": ["customer_id", "model", "hour"], "metrics": ["count", "p95_latency"]}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"filters": {"min_latency_ms": 300}, "transformations": [ENRICH]},
        {"include": ["request_logs", "error_logs"], "extra_fields": ["team_id"]},
        {"transformations": [BY_CUSTOMER, ENRICH]},
    ],
    ids=["as read", "filtered and enriched", "two datasets", "aggregated"],
)
def test_slices_change_neither_parts_nor_bytes(data: dict[str, Any], tmp_path: Path, log_store: Path) -> None:
    """The number of rows follows from the rows alone, whichever step has staged them."""
    data = {**data, "max_file_size": "10KiB"}
    exports = [
        Export(tmp_path / str(most), log_store, data, runtime={"rows_per_slice": most}) for most in (100, 1_000_000)
    ]
    for export in exports:
        export.run(DAY)

    bodies = [list(export.parts().values()) for export in exports]
    assert len(bodies[0]) > 1
    assert bodies[0] == bodies[1]


def test_both_limits_hold(tmp_path: Path, log_store: Path) -> None:
    """The smaller one cuts, and a row is never cut."""
    by_rows = Export(tmp_path / "rows", log_store, {"max_file_size": "1GB", "max_rows_per_file": 7})
    by_rows.run(DAY)
    assert {each for each, _ in sizes(by_rows)[:-1]} == {7}
    wide = Export(tmp_path / "wide", log_store, {"max_file_size": "1KB", "include_content": True})
    wide.run(DAY)
    assert min(each for each, _ in sizes(wide)) >= 1


def test_each_dataset_is_cut_by_its_own_rows(tmp_path: Path, log_store: Path) -> None:
    """Those of metrics are few and stand in one part."""
    export = Export(tmp_path, log_store, {"max_file_size": "20KB", "include": ["request_logs", "metrics"]})
    export.run(DAY)
    entries = export.manifest(DAY)["datasets"]
    assert len(entries["request_logs"]["parts"]) > 2
    assert len(entries["metrics"]["parts"]) < len(entries["request_logs"]["parts"])
    assert sum(part["rows"] for part in entries["metrics"]["parts"]) == entries["metrics"]["exported"]
