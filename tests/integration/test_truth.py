"""Log stores that Bifrost's own code has written: each exported value agrees with what is true of its row.

A value that the row alone can't tell is left out by the name of its case, in `UNKNOWABLE`, which says why.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from bifrost_export.logstore.columns import LOG_COLUMNS
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.window import UTC
from demo.servers.postgres_server import PostgresServer
from demo.servers.s3_server import S3Server
from tests.bifrost_stores import NAMES, payloads, true_calls, truth, unpack
from tests.independent import INT32, KNOWN, LEGACY, as_bytes, instant, micros
from tests.independent_contents import REQUEST, RESPONSE, content
from tests.integration.truth_runs import (
    ALL,
    HALF_A_MILLISECOND,
    ZERO,
    Comparison,
    Exported,
    attributes,
    expected_of,
    export,
    in_postgres_form,
    is_bad,
    plain,
    sqlite_rows,
    tables_of,
    uploaded,
    with_payload,
)
from tests.servers.buckets import Buckets

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


def compare_time(comparison: Comparison, exported: Exported, true: dict[str, Any], name: str, found: int) -> None:
    """The microseconds of a row's start; Bifrost's own migration has moved old ones by a millisecond or two."""
    allowed = 2_000 if exported.is_migrated(true) else 0
    comparison.value(true["case"], name, found, instant(as_bytes(exported.rows[true["id"]]["timestamp"])))
    comparison.value(true["case"], name, abs(found - int(true["ns"]) // 1_000) <= allowed, True)


def compare_code(
    comparison: Comparison, exported: Exported, true: dict[str, Any], found: int, lost: str | None
) -> None:
    """What the gateway answered."""
    details = as_bytes(exported.rows[true["id"]]["error_details"])
    is_zero = true["case"] == "error:status_zero" or b'"status_code":0' in details
    why = ZERO if true["http_status"] == 200 and true["status"] != "success" and is_zero else lost
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
        for name in ("input_tokens", "output_tokens"):
            comparison.value(case, name, row[name], shown(true[name]), exported.is_uncounted(true))
        comparison.value(case, "cost_usd", row["cost_usd"], true["cost"])
    comparison.agrees("request_logs")


def test_each_extra_field_agrees(exported: Exported) -> None:
    """Every column of `logs` that can be exported, as it stands in the row."""
    comparison = Comparison()
    for name, found in exported.of_requests("request_logs").items():
        row = exported.rows[name]
        for column, kind in LOG_COLUMNS.items():
            comparison.value(column, column, plain(found[column]), expected_of(row.get(column), kind))
    comparison.agrees("extra fields")


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


def test_each_span_agrees(exported: Exported) -> None:
    """A span for each request and each tool call, with parent, trace, times, tokens and cost."""
    comparison, spans = Comparison(), exported.of_requests("traces", "span_id")
    expected, calls = exported.expected(), true_calls(exported.name)
    assert set(spans) == set(expected) | set(calls)
    for name, true in expected.items():
        case, span, lost = true["case"], spans[name], exported.is_lost(true)
        parent = true.get("trace_parent")
        if case == "batch_settlement":  # the truth names no parent: the row does
            parent = as_bytes(exported.rows[name]["parent_request_id"]).decode(errors="replace")
        comparison.value(case, "parent_span_id", span["parent_span_id"], parent)
        comparison.value(case, "trace_id", span["trace_id"], parent or name)
        compare_time(comparison, exported, true, "start_time", micros(span["start_time"]))
        latency = latency_of(true)
        took = (span["end_time"] - span["start_time"]) / dt.timedelta(milliseconds=1)
        comparison.value(case, "end_time", took, round(latency or 0), lost if true["latency_ms"] is None else None)
        comparison.value(case, "status", span["status"], "OK" if true["status"] == "success" else "ERROR")
        told = attributes(span)
        for column, key in (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
            why = exported.is_uncounted(true)
            comparison.value(case, column, told.get(f"gen_ai.usage.{key}"), shown(true[column]), why)
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
        column: sum(is_bad(row.get(column)) for name, row in exported.rows.items() if name in exported.expected())
        for column, kind in LOG_COLUMNS.items()
        if kind == "string"
    }
    told = {name: rows for name, rows in exported.manifest["repaired"].items() if name in repaired_rows}
    assert told == {name: rows for name, rows in repaired_rows.items() if rows}
