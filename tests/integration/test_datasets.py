"""Several datasets of one export: each has its rows and columns, its books balance, and no content unasked."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from bifrost_export.logstore.columns import REQUEST_CONTENTS, RESPONSE_CONTENTS
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.window import Window
from tests import independent
from tests.integration.exports import Export
from tests.support.postgres_rows import rows_of

DAY = Window.parse("2026-03-01", "2026-03-02")
ALL = ["request_logs", "response_logs", "error_logs", "metrics"]
PERSONAL = ("user_id", "user_name", "user_email", "team_name", "customer_name", "user_agent", "metadata", "session_id")
CANARY = "canary-of-"


def table_of(export: Export, dataset: str) -> list[dict[str, Any]]:
    """The rows of a dataset's parts."""
    keys = [part["key"] for part in export.manifest(DAY)["datasets"][dataset]["parts"]]
    return [row for key in keys for row in pq.read_table(export.out / key).to_pylist()]


def log_rows(path: Path) -> dict[str, dict[str, Any]]:
    """Every row of the log store by its id."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {row["id"]: dict(row) for row in connection.execute("SELECT * FROM logs")}


@pytest.fixture
def records(log_store: Path) -> list[dict[str, Any]]:
    """The day's records as the independent reading has them."""
    found, rejected, _ = independent.rows(log_store, DAY.start, DAY.end)
    assert rejected == []
    return found


def test_each_dataset_has_its_rows_and_columns(log_store: Path, tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Against a reading that shares no code with the package."""
    export = Export(tmp_path, log_store, {"include": ALL, "max_rows_per_file": 300})
    export.run(DAY)
    logs = log_rows(log_store)
    requests, responses, errors = (table_of(export, dataset) for dataset in ALL[:3])
    assert [row["request_id"] for row in requests] == [record["request_id"] for record in records]
    wanted = ("request_id", "provider", "model", "status_code", "latency_ms", "output_tokens")
    assert [{name: row[name] for name in wanted} for row in responses] == [
        {name: record[name] for name in wanted} for record in records
    ]
    for row in responses:
        log = logs[row["request_id"]]
        told = (row["stop_reason"], row["stream"], row["served_model"])
        assert told == (log["stop_reason"], bool(log["stream"]), log["served_model"])
    failed = [r for r in records if r["status_code"] >= 400 or logs[r["request_id"]]["status"] != "success"]
    assert 10 < len(failed) < len(records)
    assert [row["request_id"] for row in errors] == [record["request_id"] for record in failed]
    for row in errors:
        log = logs[row["request_id"]]
        details = json.loads(log["error_details"] or "{}")
        inner, extra = details.get("error") or {}, details.get("extra_fields") or {}
        code = inner.get("code")
        assert row["error_message"] == (inner.get("message") or details.get("message"))
        assert row["error_type"] == (extra.get("error_type") or inner.get("type") or details.get("type"))
        assert row["error_code"] == (None if code is None else str(code))
        assert (row["number_of_retries"], row["fallback_index"]) == (log["number_of_retries"], log["fallback_index"])


def test_the_books_of_each_dataset_balance(log_store: Path, tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Rows that a dataset doesn't take count under `dataset`, behind the filters."""
    filters = {"providers": ["openai", "anthropic"], "min_latency_ms": 300}
    export = Export(tmp_path, log_store, {"include": ALL, "filters": filters})
    result = export.run(DAY)["datasets"]
    entries = export.manifest(DAY)["datasets"]
    kept = [r for r in records if r["provider"] in filters["providers"] and r["latency_ms"] >= 300]
    assert len(kept) < len(records)
    for dataset in ALL:
        entry = entries[dataset]
        assert entry["source"] == len(records) == entry["kept"] + entry["filtered"] + entry["rejected"]
        assert sum(entry["filtered_by"].values()) == entry["filtered"]
        assert (result[dataset]["exported"], entry["exported"]) == (len(table_of(export, dataset)),) * 2
    assert entries["request_logs"]["exported"] == len(kept)
    assert entries["error_logs"]["filtered_by"]["dataset"] == len(kept) - entries["error_logs"]["exported"]
    assert entries["metrics"]["kept"] == len(kept)


def test_metrics_agree_with_numpy(log_store: Path, tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Buckets are cut in UTC; percentiles are interpolated; a bucket without a price has none."""
    export = Export(tmp_path, log_store, {"include": ["metrics"], "metrics_bucket": "6h"})
    export.run(DAY)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    length = 6 * 3600 * 1_000_000
    for record in records:
        groups[record["timestamp"] // length * length, record["provider"], record["model"]].append(record)
    found, unknown = table_of(export, "metrics"), independent.without_latency(log_store)
    keys = [(int(row["bucket_start"].timestamp() * 1e6), row["provider"], row["model"]) for row in found]
    assert keys == sorted(groups, key=lambda key: (key[0], key[1].encode(), key[2].encode()))
    for key, row in zip(keys, found, strict=True):
        group = groups[key]
        latencies = [record["latency_ms"] for record in group if record["request_id"] not in unknown]
        costs = [record["cost_usd"] for record in group if record["cost_usd"] is not None]
        failed = sum(record["status_code"] >= 400 for record in group)
        assert (row["requests"], row["errors"]) == (len(group), failed)
        assert row["error_rate"] == pytest.approx(failed / len(group), abs=1e-12)
        assert row["avg_latency_ms"] == (pytest.approx(np.mean(latencies), rel=1e-9) if latencies else None)
        for percent in (50, 95, 99):
            expected = pytest.approx(np.percentile(latencies, percent), rel=1e-9) if latencies else None
            assert row[f"p{percent}_latency_ms"] == expected
        for name in ("input_tokens", "output_tokens"):
            assert row[name] == sum(record[name] or 0 for record in group)
        assert row["cost_usd"] == (pytest.approx(sum(costs), rel=1e-9) if costs else None)


def test_both_log_stores_give_the_same_bytes_whatever_the_slices(
    log_store: Path, tmp_path: Path, postgres_store: str
) -> None:
    """Contents too."""
    in_postgres.add_rows(postgres_store, list(rows_of(log_store)))
    data = {"include": ALL, "include_content": True, "extra_fields": ["team_id", "stream"]}
    of_sqlite = Export(tmp_path / "sqlite", log_store, data)
    source = {"type": "postgres", "config": from_address(postgres_store, "the test")}
    sliced = {"rows_per_slice": 300}
    of_postgres = Export(tmp_path / "postgres", tmp_path / "none", data, source=source, runtime=sliced)
    of_sqlite.run(DAY)
    of_postgres.run(DAY)
    assert len(of_sqlite.parts()) == 4
    assert sorted(of_postgres.parts().values()) == sorted(of_sqlite.parts().values())


@pytest.fixture
def canaries(log_store: Path) -> Path:
    """A log store whose contents and personal fields hold words that are found again; half of the rows hide theirs."""
    columns = (*REQUEST_CONTENTS, *RESPONSE_CONTENTS, "content_summary", "redaction_mapping", *PERSONAL)
    told = ", ".join(f"`{name}` = '{CANARY}{name}'" for name in columns)
    with closing(sqlite3.connect(log_store)) as connection:
        there = {name for _, name, *_ in connection.execute("PRAGMA table_info(logs)")}
        for name in (name for name in columns if name not in there):  # of a release that is newer than the sample
            connection.execute(f"ALTER TABLE logs ADD COLUMN {name} text")
        connection.execute(f"UPDATE logs SET {told}, object_type = 'chat_completion'")
        connection.execute("UPDATE logs SET content_hidden = rowid % 2")
        connection.commit()
    return log_store


def test_no_content_and_nothing_personal_is_exported_unasked(canaries: Path, tmp_path: Path) -> None:
    """Nor is it staged, told or written to a manifest on the way."""
    staged: list[bytes] = []

    def look(*_: Any) -> None:
        staged.extend(path.read_bytes() for path in (tmp_path / "staging").rglob("*") if path.is_file())

    export = Export(
        tmp_path, canaries, {"include": ALL, "format": "json", "compression": "none"}, runtime={"report": look}
    )
    export.run(DAY)
    assert staged
    assert not [each for each in (*staged, *export.contents().values()) if CANARY.encode() in each]


def test_contents_are_exported_where_they_are_asked_for_and_not_hidden(canaries: Path, tmp_path: Path) -> None:
    """As an object by Bifrost's columns: what is asked in requests, what is answered in responses."""
    data = {"include": ALL, "format": "json", "compression": "none", "include_content": True}
    export = Export(tmp_path, canaries, data)
    export.run(DAY)
    logs = log_rows(canaries)
    told: dict[str, list[dict[str, Any]]] = {}
    for dataset in ALL[:3]:
        [part] = export.manifest(DAY)["datasets"][dataset]["parts"]
        told[dataset] = [json.loads(line) for line in (export.out / part["key"]).read_text().splitlines()]
    for row in told["request_logs"]:
        if logs[row["request_id"]]["content_hidden"]:
            assert (row["request_content"], row["response_content"]) == (None, None)
        else:
            assert json.loads(row["request_content"]) == {name: CANARY + name for name in REQUEST_CONTENTS}
            assert json.loads(row["response_content"]) == {name: CANARY + name for name in RESPONSE_CONTENTS}
    assert {row["response_content"] is None for row in told["response_logs"]} == {True, False}
    assert "request_content" not in told["response_logs"][0]
    everything = b"".join(export.contents().values())
    for never in ("redaction_mapping", "content_summary", *PERSONAL):
        assert f"{CANARY}{never}".encode() not in everything


def test_contents_keep_json_as_json(log_store: Path, tmp_path: Path) -> None:
    """A text that is JSON stands as such in the object, any other in quotes."""
    with closing(sqlite3.connect(log_store)) as connection:
        connection.execute(
            "UPDATE logs SET input_history = '[{\"role\": \"user\"}]', params = 'no json', content_hidden = 0"
        )
        connection.commit()
    export = Export(tmp_path, log_store, {"include_content": True})
    export.run(DAY)
    for row in table_of(export, "request_logs"):
        content = json.loads(row["request_content"])
        assert (content["input_history"], content["params"]) == ([{"role": "user"}], "no json")


def test_a_blanked_field_names_the_dataset_that_has_its_column(log_store: Path, tmp_path: Path) -> None:
    """It counts in that dataset alone, of the rows that it gets; no other dataset has lost anything."""
    with closing(sqlite3.connect(log_store)) as connection:
        connection.execute(
            "UPDATE logs SET number_of_retries = 'many' WHERE id IN (SELECT id FROM logs WHERE status = 'success'"
            " AND timestamp < '2026-03-02' LIMIT 2)"
        )
        connection.execute(
            "UPDATE logs SET number_of_retries = 'x' WHERE status = 'error' AND timestamp < '2026-03-02'"
        )
        connection.commit()
    export = Export(tmp_path, log_store, {"include": ALL[:3], "format": "csv"})
    told = export.run(DAY)
    result = told["datasets"]
    assert {result[dataset]["rejected"] for dataset in ALL[:3]} == {0}
    blanked = {dataset: result[dataset]["blanked"] for dataset in ALL[:3] if result[dataset]["blanked"]}
    assert blanked == {"error_logs": told["blanked"]}
    assert set(told["blanked"]) == {"number_of_retries"}
    [file] = [data for key, data in export.contents().items() if "_rejected" in key]
    lines = [json.loads(line) for line in gzip.decompress(file).splitlines()]
    assert {(line["dataset"], line["column"], line["kind"]) for line in lines} == {
        ("error_logs", "number_of_retries", "blanked")
    }
    assert len(lines) == told["blanked"]["number_of_retries"] > 0
