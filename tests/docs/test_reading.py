"""The page on reading the result: its queries run over windows that were exported, and their answers are true."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from bifrost_export import datasets
from bifrost_export.window import UTC, Window
from tests.docs.pages import blocks_of, text_of
from tests.integration.exports import Export

PAGE = "docs/reading.md"
DAYS = [Window.parse("2026-03-01", "2026-03-02"), Window.parse("2026-03-02", "2026-03-03")]


def statements() -> list[str]:
    """Return the blocks of SQL for DuckDB."""
    return [block.text for block in blocks_of(PAGE) if block.language == "sql" and not block.mark]


@pytest.fixture
def exported(tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB beside two published windows, in one of which a rerun has replaced the parts."""
    include = list(datasets.names())
    place = {"type": "local", "config": {"path": str(tmp_path / "exports")}}
    export = Export(tmp_path, log_store, {"include": include}, destination=place)
    for window in DAYS:
        export.run(window)
    export.data["max_rows_per_file"] = 100
    export.run(DAYS[0])
    (tmp_path / "exports" / "_manifests" / "nightly").rename(tmp_path / "exports" / "_manifests" / "try_it")
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        yield connection


def test_the_queries_shown_tell_what_the_rows_say(exported: duckdb.DuckDBPyConnection) -> None:
    """Each against numpy or plain Python over the log rows."""
    views, *queries = statements()
    exported.execute(views)
    rows = exported.sql("SELECT * FROM request_logs").fetchall()
    names = [each[0] for each in exported.sql("DESCRIBE request_logs").fetchall()]
    logs = [dict(zip(names, row, strict=True)) for row in rows]
    assert len(logs) == 2_000 - sum(1 for _ in unfinished(exported))
    cost, errors, hours, traces = (exported.sql(query).fetchall() for query in queries)

    by_customer: dict[tuple[str, str], list[float]] = {}
    for row in logs:
        by_customer.setdefault((row["customer_id"], row["model"]), []).append(row["cost_usd"] or 0.0)
    assert len(cost) == 20
    for customer, model, requests, total in cost:
        assert requests == len(by_customer[customer, model])
        assert total == pytest.approx(sum(by_customer[customer, model]))
    assert cost[0][3] == pytest.approx(max(map(sum, by_customer.values())))

    for provider, requests, rate in errors:
        failed = [row["status_code"] >= 400 for row in logs if row["provider"] == provider]
        assert (requests, rate) == (len(failed), pytest.approx(np.mean(failed)))
    assert {each[0] for each in errors} == {row["provider"] for row in logs}

    assert sum(each[1] for each in hours) == len(logs)
    for hour, _, p95 in hours:
        moment = hour.astimezone(UTC)
        inside = [row["latency_ms"] for row in logs if moment <= row["timestamp"] < moment + dt.timedelta(hours=1)]
        assert p95 == pytest.approx(np.percentile(inside, 95))

    by_trace: dict[str, list[tuple[Any, ...]]] = {}
    for span in exported.sql("SELECT trace_id, name, start_time, end_time, status FROM traces").fetchall():
        by_trace.setdefault(span[0], []).append(span)
    slowest = [
        (
            trace,
            min(spans, key=lambda span: span[2])[1],
            len(spans),
            any(span[4] == "ERROR" for span in spans),
            micros(max(span[3] for span in spans)) // 1000 - micros(min(span[2] for span in spans)) // 1000,
        )
        for trace, spans in by_trace.items()
    ]
    assert traces == sorted(slowest, key=lambda each: (-each[4], each[0]))[:10]


def test_the_partitioned_table_shown_counts_one_dataset_of_one_export(
    tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside four other datasets, and another export in the same folders."""
    prefix, query = re.findall(r'`prefix: "(dt=.*?)"`.*?`(SELECT .*?)`', text_of(PAGE))[0]
    place = {"type": "local", "config": {"path": str(tmp_path / "exports"), "prefix": prefix}}
    export = Export(tmp_path, log_store, {"include": list(datasets.names())}, destination=place)
    rows: dict[str, int] = dict.fromkeys(datasets.names(), 0)
    for window in DAYS:
        for name, told in export.run(window)["datasets"].items():
            rows[name] += told["exported"]
    for path in list((tmp_path / "exports").glob("dt=*/*/*.parquet")):
        shutil.copy(path, path.with_name(path.name.replace("nightly__", "hourly__")))
    monkeypatch.chdir(tmp_path / "exports")

    with duckdb.connect() as connection:
        for dataset, count in rows.items():
            shown = query.replace("request_logs", dataset).replace("*", "count(*), count(DISTINCT dt)", 1)
            assert connection.sql(shown).fetchall() == [(count, 2)], dataset


def micros(moment: dt.datetime) -> int:
    """Microseconds since 1970."""
    return (moment - dt.datetime(1970, 1, 1, tzinfo=UTC)) // dt.timedelta(microseconds=1)


def unfinished(connection: duckdb.DuckDBPyConnection) -> Iterator[Any]:
    """The rows of the two windows that the manifests count as unsettled."""
    found = connection.sql("SELECT unsettled FROM read_json('exports/_manifests/try_it/*.json')").fetchall()
    yield from (None for [count] in found for _ in range(count))
