"""Log stores that Bifrost's own code has written: each exported value agrees with what is true of its row.

A value that the row alone can't tell is left out by the name of its case, in `UNKNOWABLE`, which says why.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bifrost_export.config.log_columns import LOG_COLUMNS
from bifrost_export.config.postgres_source import from_address
from bifrost_export.pipeline.plan import PlanRequest
from bifrost_export.pipeline.run import run
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.testing import postgres_store as in_postgres
from bifrost_export.testing.postgres_server import PostgresServer
from bifrost_export.testing.s3_server import S3Server
from bifrost_export.window import UTC
from tests.bifrost_stores import NAMES, WINDOW, Name, payloads, put_payloads, true_calls, true_rows, truth, unpack
from tests.independent import EPOCH, INT32, KNOWN, LEGACY, as_bytes, instant, micros, repaired
from tests.independent_contents import REQUEST, RESPONSE, content, payload
from tests.integration.exports import Export
from tests.servers.buckets import Buckets

ALL = ("request_logs", "response_logs", "error_logs", "metrics", "traces")
LATER = dt.datetime(2026, 12, 1, tzinfo=UTC)
KEYS = {"access_key_id": "AKIADEMO0000EXAMPLE0", "secret_access_key": "env.TRUTH_SECRET"}
HALF_A_MILLISECOND = 0.5 + 1e-6
OWN_TIMES = ("timestamp", "created_at")

UNKNOWABLE: dict[str, dict[str, str]] = {
    "error:cancelled_billed": {"status_code": "cancelled without a code: the client has gone, which is 499"},
}
"""Case -> columns that the row can't tell, and why."""
HIDDEN = "content logging was off, so that the row of a passthrough request has no params"
ZERO = "Bifrost recorded the code 0 and answered 200; an error with 0 counts as one without a code"
LOST = "the upload of the payload was lost, and with it what only the payload told"


@dataclass
class Comparison:
    """Counts what is compared, and keeps what differs."""

    compared: int = 0
    differing: list[str] = field(default_factory=list)
    unknowable: Counter[str] = field(default_factory=Counter)

    def value(self, case: str, name: str, found: object, expected: object, why: str | None = None) -> None:
        """Compare a value, unless there is a reason why it can't be known."""
        why = why or UNKNOWABLE.get(case, {}).get(name)
        if why:
            self.unknowable[f"{case} {name}: {why}"] += 1
            return
        self.compared += 1
        if found != expected:
            self.differing.append(f"{case} {name}: {found!r} instead of {expected!r}")

    def number(self, case: str, name: str, found: float | None, expected: float | None, within: float) -> None:
        """Compare numbers up to a difference."""
        same = None in (found, expected) and found == expected
        close = (
            found is not None and expected is not None and math.isclose(found, expected, rel_tol=1e-9, abs_tol=within)
        )
        self.value(case, name, same or close or (found, expected), True)

    def agrees(self, what: str) -> None:
        """Nothing differs; the counts are printed."""
        print(f"\n{what}: {self.compared:,} values compared, {len(self.differing)} differ")  # noqa: T201 (for the report)
        for reason, times in sorted(self.unknowable.items()):
            print(f"  {times} x unknowable: {reason}")  # noqa: T201
        assert self.compared
        assert self.differing[:20] == []


@dataclass
class Exported:
    """One run over one store.

    Args:
        name: The store.
        rows: Each row of `logs` as it stands in SQLite, texts as bytes, by its id.
        datasets: The exported rows.
        result: What the run said.
        manifest: What it published.
        contents: Whether contents were asked for.
    """

    name: Name
    rows: dict[str, dict[str, Any]]
    datasets: dict[str, list[dict[str, Any]]]
    result: dict[str, Any]
    manifest: dict[str, Any]
    contents: bool

    def of_requests(self, dataset: str, key: str = "request_id") -> dict[str, dict[str, Any]]:
        """The rows of a dataset by their ids, which are all different."""
        found = {row[key]: row for row in self.datasets[dataset]}
        assert len(found) == len(self.datasets[dataset])
        return found

    def expected(self) -> dict[str, dict[str, Any]]:
        """The truth of each row of the window."""
        low, high = micros(WINDOW.start) * 1000, micros(WINDOW.end) * 1000
        return {name: row for name, row in true_rows(self.name).items() if low <= row["ns"] < high}

    def is_migrated(self, true: dict[str, Any]) -> bool:
        """Whether Bifrost's own migration has rewritten the row's time."""
        return self.name == "old" and true["case"] == "old"

    def text(self, value: str | None) -> str | None:
        """A text as this log store can hold it."""
        return value

    def is_lost(self, true: dict[str, Any]) -> str | None:
        """Why nobody can know what only a payload told."""
        row = self.rows[true["id"]]
        if true.get("content_hidden") and "path" in true:
            return HIDDEN
        is_lost = self.name == "hybrid" and not row["has_object"]
        return LOST if is_lost else None


def sqlite_rows(path: Path, table: str = "logs") -> list[dict[str, Any]]:
    """Every row, texts as bytes."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [as_bytes(each[0]).decode() for each in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def export(
    folder: Path, tables: dict[str, list[dict[str, Any]]], source: dict[str, Any], name: Name, contents: bool
) -> Exported:
    """Run all datasets over the two days, with every extra field."""
    data = {"include": list(ALL), "extra_fields": sorted(LOG_COLUMNS), "include_content": contents}
    nightly = Export(folder, folder / "none", {**data, "max_rejected": "1%"}, source=source)
    request = PlanRequest(str(nightly.document()), "nightly", WINDOW, "truth", force=True)
    result = run(Runtime(now=lambda: LATER), request)
    datasets = {
        dataset: [row for part in entry["parts"] for row in pq.read_table(nightly.out / part["key"]).to_pylist()]
        for dataset, entry in result["datasets"].items()
    }
    rows = {repaired(as_bytes(row["id"])): row for row in tables["logs"]}
    return Exported(name, rows, datasets, result, nightly.manifest(WINDOW), contents)


def in_postgres_form(row: dict[str, Any]) -> dict[str, Any]:
    """A row as Bifrost would have written it into PostgreSQL, which holds neither bad bytes nor a NUL."""
    found = {
        name: repaired(value).replace("\0", "") if isinstance(value, bytes) else value for name, value in row.items()
    }
    for name in OWN_TIMES:
        moment = instant(row[name])
        assert moment is not None
        found[name] = (EPOCH + dt.timedelta(microseconds=moment)).isoformat(" ")
    return found


RUNS = [(name, kind, contents) for name in NAMES for kind in ("sqlite", "postgres") for contents in (False, True)]


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: f"{run[0]}-{run[1]}{'-contents' if run[2] else ''}")
def exported(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    s3_process: S3Server,
    postgres: PostgresServer,
    postgres_template: str,
) -> Iterator[Exported]:
    """Each store, as it lies and copied into PostgreSQL, without contents and with them."""
    name, kind, contents = request.param
    folder = tmp_path_factory.mktemp("truth")
    path = unpack(name, folder)
    rows = {table: sqlite_rows(path, table) for table in tables_of(path)}
    config: dict[str, Any] = {"path": str(path)}
    if kind == "postgres":
        url = postgres.create_database("truth", postgres_template)
        for table, found in rows.items():
            found[:] = [in_postgres_form(row) for row in found]
            in_postgres.add_rows(url, found, table)
        config = from_address(url, "the test")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TRUTH_SECRET", s3_process.secret_access_key)
        if name == "hybrid":
            config["object_storage"] = uploaded(Buckets(s3_process))
        yield export(folder, rows, {"type": kind, "config": config}, name, contents)
    if kind == "postgres":
        postgres.drop_database("truth")


def uploaded(buckets: Buckets) -> dict[str, Any]:
    """`object_storage` of the store whose payloads are offloaded."""
    bucket = buckets.make_bucket()
    assert put_payloads(buckets.client, bucket) > 1_000
    return {"type": "s3", "bucket": bucket, "region": "us-west-2", "endpoint": buckets.url, **KEYS}


def tables_of(path: Path) -> list[str]:
    """The tables that an export reads, as far as a store has them."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [name for name in ("logs", "mcp_tool_logs") if name in found]


def compare_time(comparison: Comparison, exported: Exported, true: dict[str, Any], name: str, found: int) -> None:
    """The microseconds of a row's start; Bifrost's own migration has moved old ones by up to a millisecond."""
    allowed = 1_000 if exported.is_migrated(true) else 0
    comparison.value(true["case"], name, found, instant(as_bytes(exported.rows[true["id"]]["timestamp"])))
    comparison.value(true["case"], name, abs(found - int(true["ns"]) // 1_000) <= allowed, True)


def compare_code(
    comparison: Comparison, exported: Exported, true: dict[str, Any], found: int, lost: str | None
) -> None:
    """What the gateway answered."""
    details = as_bytes(exported.rows[true["id"]]["error_details"])
    why = ZERO if true["http_status"] == 200 and true["status"] != "success" and b'"status_code":0' in details else lost
    comparison.value(true["case"], "status_code", found, true["http_status"], why)


def latency_of(true: dict[str, Any]) -> float | None:
    """The latency that was recorded, in the row or in its error."""
    found = true["latency_ms"]
    return true.get("latency_in_error_details") if found is None else found


def shown(tokens: int | None) -> int | None:
    """A token count as the record can hold it."""
    return tokens if tokens is not None and tokens in INT32 else None


def endpoint_of(true: dict[str, Any]) -> tuple[str, str]:
    """Path and method."""
    kind = LEGACY.get(true["object_type"], true["object_type"])
    known = KNOWN.get(kind, (f"/v1/{kind}", "POST"))
    return true.get("path") or known[0], true.get("method") or known[1]


def test_each_record_agrees(exported: Exported) -> None:
    """Every column of `request_logs`, of exactly the rows that have settled in the window."""
    comparison, found = Comparison(), exported.of_requests("request_logs")
    assert set(found) == set(exported.expected())
    for true in exported.expected().values():
        case, row, lost = true["case"], found[true["id"]], exported.is_lost(true)
        path, method = endpoint_of(true)
        passes = "path" in true
        failed = true["status"] != "success"
        compare_time(comparison, exported, true, "timestamp", micros(row["timestamp"]))
        for name in ("customer_id", "provider", "model"):
            comparison.value(case, name, row[name], true[name])
        comparison.value(case, "endpoint", row["endpoint"], path, lost if passes else None)
        comparison.value(case, "method", row["method"], method, lost if passes else None)
        compare_code(comparison, exported, true, row["status_code"], lost if passes or failed else None)
        latency = latency_of(true)
        told_by_error = latency is not None and true["latency_ms"] is None
        comparison.value(case, "latency_ms", row["latency_ms"], round(latency or 0), lost if told_by_error else None)
        comparison.value(case, "input_tokens", row["input_tokens"], shown(true["input_tokens"]))
        comparison.value(case, "output_tokens", row["output_tokens"], shown(true["output_tokens"]))
        comparison.value(case, "cost_usd", row["cost_usd"], true["cost"])
    comparison.agrees("request_logs")


def test_each_extra_field_agrees(exported: Exported) -> None:
    """Every column of `logs` that can be exported, as it stands in the row."""
    comparison = Comparison()
    for name, found in exported.of_requests("request_logs").items():
        row = exported.rows[name]
        for column, kind in LOG_COLUMNS.items():
            comparison.value(column, column, plain(found[column]), expected_of(row[column], kind))
    comparison.agrees("extra fields")


def plain(value: object) -> object:
    """A value that can be compared."""
    return micros(value) if isinstance(value, dt.datetime) else value


def expected_of(value: Any, kind: str) -> object:
    """A column's value as an export has it."""
    if value is None:
        return None
    if kind == "timestamp":
        return instant(as_bytes(value))
    if kind == "string":
        return repaired(as_bytes(value))
    return {"double": float, "bool": bool, "int64": int}[kind](value)


def test_each_error_agrees(exported: Exported) -> None:
    """`error_logs` holds exactly the rows that failed, with what was said of each."""
    comparison, found = Comparison(), exported.of_requests("error_logs")
    expected = exported.expected()
    failed = {name for name, true in expected.items() if true["status"] != "success"}
    assert set(found) == failed
    for name in failed:
        true, row, lost = expected[name], found[name], exported.is_lost(expected[name])
        case = true["case"]
        compare_code(comparison, exported, true, row["status_code"], lost)
        for column in ("error_code", "error_message"):
            comparison.value(case, column, row[column], exported.text(true.get(column)), lost)
        if true.get("error_type"):
            comparison.value(case, "error_type", row["error_type"], true["error_type"], lost)
        comparison.value(case, "fallback_index", row["fallback_index"], true["fallback_index"])
    comparison.agrees("error_logs")


def test_each_response_agrees(exported: Exported) -> None:
    """`response_logs` has the same rows."""
    comparison, requests = Comparison(), exported.of_requests("request_logs")
    found = exported.of_requests("response_logs")
    assert set(found) == set(requests)
    for name, row in found.items():
        for column in ("timestamp", "provider", "model", "status_code", "latency_ms", "output_tokens"):
            comparison.value("response", column, row[column], requests[name][column])
        for column in ("stop_reason", "served_model"):
            comparison.value("response", column, row[column], expected_of(exported.rows[name][column], "string"))
        comparison.value("response", "stream", row["stream"], expected_of(exported.rows[name]["stream"], "bool"))
    comparison.agrees("response_logs")


def test_each_content_agrees(exported: Exported) -> None:
    """What was asked and answered, of the row or of its payload; nothing where none was asked for."""
    columns = {"request_content": REQUEST, "response_content": RESPONSE}
    requests = exported.of_requests("request_logs")
    if not exported.contents:
        assert not set(columns) & set(next(iter(requests.values())))
        return
    comparison, objects = Comparison(), payloads() if exported.name == "hybrid" else {}
    for name, row in requests.items():
        whole = with_payload(exported.rows[name], objects)
        for column, sources in columns.items():
            comparison.value(exported.expected()[name]["case"], column, row[column], content(whole, sources))
    comparison.agrees("contents")


def with_payload(row: dict[str, Any], objects: dict[str, bytes]) -> dict[str, Any]:
    """A row with what its payload says in place of what it has itself."""
    moment = instant(as_bytes(row["timestamp"]))
    assert moment is not None
    hour = (EPOCH + dt.timedelta(microseconds=moment)).strftime("%Y/%m/%d/%H")
    ending = f"/logs/{hour}/{repaired(as_bytes(row['id']))}.json.gz"
    stored = next((data for key, data in objects.items() if key.endswith(ending)), None)
    if not row["has_object"] or stored is None:
        return row
    told = payload(stored)
    return {**row, **{name: told[name] for name in (*REQUEST, *RESPONSE) if told.get(name)}}


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    """A span's attributes."""
    found: dict[str, Any] = json.loads(span["attributes"])
    return found


def test_each_span_agrees(exported: Exported) -> None:
    """A span for each request and each tool call, with parent, trace, times, tokens and cost."""
    comparison, spans = Comparison(), exported.of_requests("traces", "span_id")
    expected, calls = exported.expected(), true_calls(exported.name)
    assert set(spans) == set(expected) | set(calls)
    for name, true in expected.items():
        case, span, lost = true["case"], spans[name], exported.is_lost(true)
        parent = true.get("trace_parent")
        if case != "batch_settlement":
            comparison.value(case, "parent_span_id", span["parent_span_id"], parent)
            comparison.value(case, "trace_id", span["trace_id"], parent or name)
        compare_time(comparison, exported, true, "start_time", micros(span["start_time"]))
        latency = latency_of(true)
        took = (span["end_time"] - span["start_time"]) / dt.timedelta(milliseconds=1)
        comparison.value(case, "end_time", took, round(latency or 0), lost if true["latency_ms"] is None else None)
        comparison.value(case, "status", span["status"], "OK" if true["status"] == "success" else "ERROR")
        told = attributes(span)
        for column, key in (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
            comparison.value(case, column, told.get(f"gen_ai.usage.{key}"), shown(true[column]))
        comparison.value(case, "cost", told.get("bifrost.cost_usd"), true["cost"])
        comparison.value(case, "customer", told.get("bifrost.customer_id", ""), true["customer_id"])
    for name, true in calls.items():
        span = spans[name]
        comparison.value("tool call", "parent_span_id", span["parent_span_id"], true["LLMRequestID"] or None)
        comparison.value("tool call", "name", span["name"], f"execute_tool {true['Tool']}".strip())
        comparison.value("tool call", "start_time", micros(span["start_time"]), true["NS"] // 1_000)
        comparison.value("tool call", "cost", attributes(span).get("bifrost.cost_usd"), true["Cost"])
        comparison.value("tool call", "customer", attributes(span).get("bifrost.customer_id", ""), true["Customer"])
        took = (span["end_time"] - span["start_time"]) / dt.timedelta(milliseconds=1)
        comparison.value("tool call", "end_time", took, round(true["LatencyMS"] or 0))
    comparison.agrees("traces")


@pytest.mark.xfail(reason="a settlement's request is no parent yet", strict=False)
def test_a_settlement_is_a_child_of_the_request_that_it_settles(exported: Exported) -> None:
    """By `parent_request_id`, though it is no fallback attempt."""
    spans = exported.of_requests("traces", "span_id")
    for name, true in exported.expected().items():
        if true["case"] == "batch_settlement":
            parent = repaired(as_bytes(exported.rows[name]["parent_request_id"]))
            assert (spans[name]["parent_span_id"], spans[name]["trace_id"]) == (parent, parent)


def test_metrics_agree_with_bifrost_s_own_figures(exported: Exported) -> None:
    """By hour, provider and model, and by day: requests, errors, tokens, cost, mean latency."""
    comparison = Comparison()
    found = {(row["bucket_start"], row["provider"], row["model"]): row for row in exported.datasets["metrics"]}
    latencies: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for true in exported.expected().values():
        hour = dt.datetime.fromtimestamp(true["ns"] // 10**9 // 3600 * 3600, UTC)
        if (latency := latency_of(true)) is not None and not (true["latency_ms"] is None and exported.is_lost(true)):
            latencies[hour, true["provider"], true["model"]].append(latency)
    days = [truth(exported.name)[day] for day in ("2026-11-20", "2026-11-21")]
    buckets = [bucket for day in days for bucket in day["buckets"]]
    totals: Counter[str] = Counter()
    for bucket in buckets:
        key = (dt.datetime.fromtimestamp(bucket["At"], UTC), bucket["Provider"], bucket["Model"])
        settled = bucket["Success"] + bucket["Errors"] + bucket["Cancelled"]
        if not settled:
            continue
        row = found.pop(key)
        comparison.value("metrics", "requests", row["requests"], settled)
        comparison.value("metrics", "input_tokens", row["input_tokens"], bucket["PromptTokens"])
        comparison.value("metrics", "output_tokens", row["output_tokens"], bucket["CompletionTokens"])
        comparison.number("metrics", "cost_usd", row["cost_usd"] or 0.0, bucket["Cost"] or 0.0, 1e-9)
        mine = latencies[key]
        mean = math.fsum(mine) / len(mine) if mine else None
        comparison.number("metrics", "avg_latency_ms", row["avg_latency_ms"], mean, HALF_A_MILLISECOND)
        totals += Counter({"requests": row["requests"], "input": row["input_tokens"], "output": row["output_tokens"]})
    assert found == {}
    # Its totals of a day compare times as texts, and so miss rows of the migrated form, which its hours count.
    why = "Bifrost's own totals of a day leave out migrated rows" if exported.name == "old" else None
    for name, key in (("requests", "Completed"), ("input", "PromptTokens"), ("output", "CompletionTokens")):
        comparison.value("both days", name, totals[name], sum(day["stats"][key] for day in days), why)
    cost = math.fsum(row["cost_usd"] or 0.0 for row in exported.datasets["metrics"])
    if why is None:
        comparison.number("both days", "cost", cost, math.fsum(day["stats"]["TotalCost"] for day in days), 1e-6)
    comparison.agrees("metrics")


def test_the_manifest_counts_what_is_odd(exported: Exported) -> None:
    """Each settlement beyond 32 bits is blanked, each text with bad bytes is repaired, and nothing is rejected."""
    beyond = sum(
        true[name] is not None and true[name] not in INT32
        for true in exported.expected().values()
        for name in ("input_tokens",)
    )
    assert exported.manifest["blanked"] == ({"input_tokens": beyond} if beyond else {})
    assert exported.result["blanked"] == exported.manifest["blanked"]
    entries = exported.manifest["datasets"]
    assert {name: entry["rejected"] for name, entry in entries.items()} == dict.fromkeys(ALL, 0)
    in_error_logs = {name: entry["blanked"] for name, entry in entries.items()}["error_logs"]
    assert in_error_logs == {}
    repaired_rows = {
        column: sum(is_bad(row[column]) for name, row in exported.rows.items() if name in exported.expected())
        for column, kind in LOG_COLUMNS.items()
        if kind == "string"
    }
    told = {name: rows for name, rows in exported.manifest["repaired"].items() if name in repaired_rows}
    assert told == {name: rows for name, rows in repaired_rows.items() if rows}


def is_bad(value: object) -> bool:
    """Whether a text has bytes that are no UTF-8."""
    try:
        as_bytes(value).decode()
    except UnicodeDecodeError:
        return True
    return False
