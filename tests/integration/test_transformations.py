"""Transformations from end to end: a run, and what DuckDB reads of what it published."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import hmac
import json
import math
import subprocess
import sys
from collections import defaultdict
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from bifrost_export.cli.group import execute
from bifrost_export.config.loader import load
from bifrost_export.errors import ConfigError, MissingReferenceError, TransformError
from bifrost_export.pipeline.plan import PlanRequest, plan
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.sample.sqlite_tables import add_rows
from bifrost_export.window import Window
from tests.independent import without_latency
from tests.integration.exports import AFTERWARDS, Export
from tests.integration.published import comparable
from tests.support.odd_rows import plant

DAY = Window.parse("2026-03-01", "2026-03-02")
KEY = "a-long-random-canary-key"
ENVIRON = {"BIFROST_KEY": KEY, "BIFROST_EXPORT_VALUE_REGION": "eu"}
AGGREGATE = {
    "type": "aggregate",
    "group_by": ["provider", "model", "date"],
    "metrics": ["count", "avg_latency", "p95_latency", "total_tokens", "total_cost", "error_rate"],
}
ANONYMIZE = {"type": "anonymize", "fields": ["customer_id", "request_id"], "method": "hash", "key": "${BIFROST_KEY}"}
ENRICH = {
    "type": "enrich",
    "add_fields": {"region": "${BIFROST_EXPORT_VALUE_REGION}", "version": "${EXPORT_VERSION}", "shard": 1},
}
PYTHON = {"type": "python", "callable": f"{__name__}:same", "engine": "arrow"}
BY_CUSTOMER = {"type": "aggregate", "group_by": ["customer_id"], "metrics": ["total_requests", "total_cost"]}


def same(rows: Any) -> Any:
    """A function of a user's own that changes nothing."""
    return rows


def first_half(frame: Any) -> Any:
    """A function of a user's own that leaves rows out."""
    return frame[frame["latency_ms"] < 1000]


def failing(frame: Any) -> Any:
    """A function of a user's own that fails, and tells of a row."""
    raise KeyError(frame["request_id"][0])


def export_of(folder: Path, log_store: Path, *transformations: dict[str, Any], **data: Any) -> Export:
    """An export with transformations."""
    runtime = {"environ": ENVIRON}
    return Export(folder, log_store, {"transformations": list(transformations), **data}, runtime=runtime)


def rows_of(export: Export) -> list[dict[str, Any]]:
    """The rows that were published, as DuckDB reads them."""
    found: list[dict[str, Any]] = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path in sorted(export.out.rglob("*__part-*.parquet")):
            result = connection.execute(f"SELECT * FROM read_parquet('{path}')")
            names = [each[0] for each in result.description]
            found += [dict(zip(names, each, strict=True)) for each in result.fetchall()]
    return found


@pytest.fixture
def plain(tmp_path: Path, log_store: Path) -> list[dict[str, Any]]:
    """The rows of the day without any transformation."""
    export = Export(tmp_path / "plain", log_store)
    export.run(DAY)
    return rows_of(export)


def test_the_transformations_of_the_description_run_as_written(
    tmp_path: Path, log_store: Path, plain: list[dict[str, Any]]
) -> None:
    """Aggregate, anonymize what is gone by then, enrich: the numbers are numpy's."""
    unkeyed = {key: value for key, value in ANONYMIZE.items() if key != "key"}
    stamped = {"export_timestamp": "${EXPORT_TIMESTAMP}", "export_version": "${EXPORT_VERSION}"}
    export = export_of(tmp_path, log_store, AGGREGATE, unkeyed, {"type": "enrich", "add_fields": stamped})
    result = export.run(DAY)

    groups = defaultdict(list)
    for each in plain:
        groups[each["provider"], each["model"], each["timestamp"].date()].append(each)
    found, unknown = rows_of(export), without_latency(log_store)
    assert [(each["provider"], each["model"], each["date"]) for each in found] == sorted(groups)
    for each, rows in zip(found, (groups[key] for key in sorted(groups)), strict=True):
        latencies = [row["latency_ms"] for row in rows if row["request_id"] not in unknown]
        costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
        assert each["count"] == len(rows)
        assert each["avg_latency"] == pytest.approx(np.mean(latencies), rel=1e-9)
        assert each["p95_latency"] == pytest.approx(np.percentile(latencies, 95), rel=1e-9)
        assert each["total_tokens"] == sum((row["input_tokens"] or 0) + (row["output_tokens"] or 0) for row in rows)
        assert each["total_cost"] == (math.fsum(costs) if costs else None)
        assert each["error_rate"] == sum(row["status_code"] >= 400 for row in rows) / len(rows)
        assert each["export_timestamp"] == "2026-04-01T00:00:00Z"
    assert execute(["verify", str(result["manifest"])]) == 0
    entry = export.manifest(DAY)["datasets"]["request_logs"]
    assert [column["name"] for column in entry["schema"]["columns"]] == list(found[0])
    assert entry["exported"] == result["datasets"]["request_logs"]["exported"] == len(found)
    assert entry["kept"] == len(plain)
    assert entry["transformations"] == [
        {"step": "1-aggregate", "rows_in": len(plain), "rows_out": len(found)},
        {"step": "3-enrich", "rows_in": len(found), "rows_out": len(found)},
    ]


@pytest.mark.parametrize("format_", ["parquet", "json", "csv", "arrow"])
def test_neither_slices_nor_reruns_change_a_byte(tmp_path: Path, log_store: Path, format_: str) -> None:
    """Sums of floats too; every format takes the columns of an aggregation."""
    hours = AGGREGATE | {"group_by": ["hour", "week", "month", "customer_id", "date"]}
    contents = []
    for number, rows_per_slice in enumerate((1_000_000, 70, 333)):
        export = export_of(tmp_path / f"{number}", log_store, ANONYMIZE, hours, ENRICH, format=format_)
        export.runtime |= {"rows_per_slice": rows_per_slice}
        export.schedule |= {"timezone": "Europe/Berlin"}
        result = export.run(DAY)
        assert result["datasets"]["request_logs"]["exported"] > 100
        contents.append(comparable(export.contents()))
        assert export.run(DAY)["unchanged"]
    assert contents[0] == contents[1] == contents[2]


ORDERS = list(permutations([ANONYMIZE, BY_CUSTOMER, ENRICH, PYTHON]))


@pytest.mark.parametrize("order", ORDERS, ids=["-".join(each["type"][:3] for each in order) for order in ORDERS])
def test_transformations_run_in_any_order(
    tmp_path: Path, log_store: Path, plain: list[dict[str, Any]], order: tuple[dict[str, Any], ...]
) -> None:
    """Masked customers are grouped as plain ones are, and what comes after an aggregation works on its rows."""
    kept = [each for each in order if each is not ENRICH or order.index(each) > order.index(BY_CUSTOMER)]
    export = export_of(tmp_path, log_store, *kept)
    export.run(DAY)

    costs = defaultdict(list)
    for each in plain:
        costs[hmac.new(KEY.encode(), each["customer_id"].encode(), hashlib.sha256).hexdigest()].append(each["cost_usd"])
    found = rows_of(export)
    assert {each["customer_id"]: each["total_requests"] for each in found if each["customer_id"]} == {
        customer: len(rows) for customer, rows in costs.items() if customer != _hash_of("")
    }
    for each in found:
        priced = [cost for cost in costs[each["customer_id"] or _hash_of("")] if cost is not None]
        assert each["total_cost"] == (math.fsum(priced) if priced else None)
        if ENRICH in kept:
            assert (each["region"], each["shard"]) == ("eu", 1)
    steps = [each["step"] for each in export.manifest(DAY)["datasets"]["request_logs"]["transformations"]]
    assert steps == [f"{number}-{each['type']}" for number, each in enumerate(kept, start=1)]


def _hash_of(value: str) -> str:
    return hmac.new(KEY.encode(), value.encode(), hashlib.sha256).hexdigest()


def test_what_is_masked_stands_nowhere(tmp_path: Path, log_store: Path) -> None:
    """Not in parts, manifest, rejected rows, a dry run's first rows, what is told, nor the plan; the key neither."""
    canary = {"id": "canary-id", "customer_id": "canary-customer", "timestamp": "2026-03-01 11:00:00+00:00"}
    canary |= {
        "created_at": canary["timestamp"],
        "status": "success",
        "provider": "openai",
        "model": "m",
        "object_type": "chat_completion",
    }
    broken = canary | {"id": "canary-rejected", "prompt_tokens": "many"}
    add_rows(log_store, [canary, broken])
    told: list[str] = []
    export = export_of(tmp_path, log_store, ANONYMIZE, format="json", compression="none")
    export.runtime |= {"report": lambda event, facts: told.append(json.dumps([event, facts], default=str))}
    planned = plan(
        Runtime(now=lambda: AFTERWARDS, **export.runtime), PlanRequest(str(export.document()), "nightly", DAY, "test")
    )
    export.run(DAY, dry_run=True)
    export.run(DAY)

    published = export.contents()
    rejected = b"".join(gzip.decompress(data) for key, data in published.items() if "_rejected" in key)
    everything = b"\n".join(published.values()) + rejected + json.dumps([told, planned.to_json()]).encode()
    assert b"canary" not in everything
    assert _hash_of("canary-id").encode() in everything
    assert _hash_of("canary-rejected").encode() in rejected


def test_the_customers_of_an_extra_field_are_masked_like_the_customer(tmp_path: Path, log_store: Path) -> None:
    """`customer_ids` is a JSON array in the log store; a name beside it in the open is warned of."""
    row = {"id": "several", "customer_ids": '["canary-1", "canary-2"]', "customer_name": "canary name"}
    row |= {"timestamp": "2026-03-01 11:00:00+00:00", "created_at": "2026-03-01 11:00:00+00:00"}
    row |= {"status": "success", "provider": "openai", "model": "m", "object_type": "chat_completion"}
    add_rows(log_store, [row])
    export = export_of(tmp_path, log_store, ANONYMIZE, extra_fields=["customer_ids", "customer_name"])
    export.run(DAY)

    [found] = [each for each in rows_of(export) if each["request_id"] == _hash_of("several")]
    assert found["customer_id"] == _hash_of("canary-1")
    assert json.loads(found["customer_ids"]) == [_hash_of("canary-1"), _hash_of("canary-2")]
    assert found["customer_name"] == "canary name"
    warnings = [each.message for each in load(export.document()).problems]
    assert "'customer_name' stands in the open beside 'customer_id', which is masked" in warnings


def test_a_key_without_a_value_is_told_before_any_data_moves(tmp_path: Path, log_store: Path) -> None:
    """With the name of the variable and its place."""
    export = export_of(tmp_path, log_store, ENRICH, ANONYMIZE)
    export.runtime = {"environ": {"BIFROST_EXPORT_VALUE_REGION": "eu"}}
    with pytest.raises(MissingReferenceError, match=r"\$\{BIFROST_KEY\}.*transformations/1/key"):
        export.run(DAY)
    assert not list(tmp_path.rglob("*.arrow"))


def test_a_function_may_leave_rows_out_and_the_books_tell_so(
    tmp_path: Path, log_store: Path, plain: list[dict[str, Any]]
) -> None:
    """Rows in and out stand in the manifest."""
    export = export_of(tmp_path, log_store, PYTHON | {"callable": f"{__name__}:first_half", "engine": "pandas"})
    export.run(DAY)
    wanted = [each for each in plain if each["latency_ms"] < 1000]
    assert rows_of(export) == wanted
    [told] = export.manifest(DAY)["datasets"]["request_logs"]["transformations"]
    assert told == {"step": "1-python", "rows_in": len(plain), "rows_out": len(wanted)}


def test_a_function_that_fails_fails_the_run_and_tells_no_value(tmp_path: Path, log_store: Path) -> None:
    """A permanent fault; nothing is published."""
    export = export_of(tmp_path, log_store, PYTHON | {"callable": f"{__name__}:failing", "engine": "pandas"})
    with pytest.raises(TransformError, match="failed with KeyError"):
        export.run(DAY)
    assert export.contents() == {}


def test_an_empty_window_publishes_no_rows(tmp_path: Path, log_store: Path) -> None:
    """The manifest tells the columns all the same."""
    empty = Window.parse("2020-01-01", "2020-01-02")
    export = export_of(tmp_path, log_store, AGGREGATE, ENRICH)
    export.run(empty)
    entry = export.manifest(empty)["datasets"]["request_logs"]
    assert (entry["exported"], entry["parts"]) == (0, [])
    assert [column["name"] for column in entry["schema"]["columns"]][:3] == ["provider", "model", "date"]


def test_rejected_rows_count_in_no_group(tmp_path: Path, log_store: Path) -> None:
    """The books balance, and the groups hold the rows that were kept."""
    plant(log_store, DAY)
    export = export_of(tmp_path, log_store, BY_CUSTOMER)
    export.run(DAY)
    entry = export.manifest(DAY)["datasets"]["request_logs"]
    assert entry["rejected"] > 0
    assert sum(each["total_requests"] for each in rows_of(export)) == entry["kept"]


def test_a_transformation_on_datasets_that_are_named_needs_them_included(tmp_path: Path, log_store: Path) -> None:
    """Told by the document's check."""
    export = export_of(tmp_path, log_store, ENRICH | {"datasets": ["request_log"]})
    with pytest.raises(ConfigError, match="does not include the dataset 'request_log'"):
        export.run(DAY)


def test_preview_and_dry_run_show_the_groups(tmp_path: Path, log_store: Path, capsys: Any) -> None:
    """An aggregation is previewed over the whole window."""
    export = export_of(tmp_path, log_store, AGGREGATE)
    window = ["--window-start", "2026-03-01", "--window-end", "2026-03-02"]
    command = ["preview", str(export.document()), "--export", "nightly", *window, "--format", "json", "--limit", "100"]
    assert execute(command) == 0
    shown = json.loads(capsys.readouterr().out)["datasets"]["request_logs"]
    export.run(DAY)
    published = rows_of(export)
    assert [each["count"] for each in shown] == [each["count"] for each in published]
    assert {each["date"] for each in shown} == {str(dt.date(2026, 3, 1))}


def test_the_plan_says_which_transformation_runs_on_which_dataset(tmp_path: Path, log_store: Path, capsys: Any) -> None:
    """Also that one runs on none."""
    export = export_of(tmp_path, log_store, AGGREGATE, ANONYMIZE, ENRICH)
    assert execute(["plan", str(export.document()), "--count", "1"]) == 0
    shown = capsys.readouterr().out
    assert "1. aggregate on request_logs: count, avg_latency" in shown
    assert "2. anonymize on no dataset: hash customer_id, request_id (HMAC-SHA-256)" in shown
    assert "3. enrich on request_logs: add region, version, shard" in shown


def test_modules_of_transformations_are_light() -> None:
    """Looking a transformation up for a DAG's page loads no pyarrow."""
    script = (
        "import sys\nfrom bifrost_export.registry import TRANSFORMS\n"
        "[TRANSFORMS.load(name) for name in TRANSFORMS.names()]\n"
        "print({'pyarrow', 'numpy', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
