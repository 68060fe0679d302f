"""`traces` from end to end: trees of spans that agree with a second reading, whatever the log store and the slices."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.config.loader import load
from bifrost_export.config.models.export import Data
from bifrost_export.datasets.reading import columns_read
from bifrost_export.datasets.tool_calls import tool_call_columns
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample.sqlite_tables import RawText, add_rows, create
from bifrost_export.window import Window, from_micros, micros, rfc3339
from tests import independent_traces
from tests.integration.exports import Export
from tests.integration.published import comparable
from tests.servers.buckets import Buckets
from tests.support.odd_rows import odd_rows, plant
from tests.support.odd_times import space_form
from tests.support.offloading import offloaded_calls
from tests.support.postgres_rows import both_can_hold, rows_of

DAY = Window.parse("2026-03-01", "2026-03-02")
TABLE = "mcp_tool_logs"
PLAIN = {"format": "json", "compression": "none"}
SHARED = (
    *("timestamp", "created_at", "status", "latency", "cost", "customer_id", "customer_ids", "error_details"),
    "has_object",
)
NOON = "2026-03-01 12:00:00+00:00"
KEY = "a-long-random-canary-key"


def request(request_id: str, timestamp: str = NOON, **others: Any) -> dict[str, Any]:
    """A row of `logs`."""
    usual = {"object_type": "chat_completion", "provider": "openai", "model": "gpt-5", "status": "success"}
    return {"id": request_id, "timestamp": timestamp, "created_at": timestamp, **usual, "latency": 100.0, **others}


def call(call_id: str, cause: str | None, timestamp: str = NOON, **others: Any) -> dict[str, Any]:
    """A row of `mcp_tool_logs`."""
    usual = {"tool_name": "search", "server_label": "web", "status": "success", "latency": 12.0}
    return {"id": call_id, "llm_request_id": cause, "timestamp": timestamp, "created_at": timestamp, **usual, **others}


def odd_calls(causes: list[str]) -> Iterator[dict[str, Any]]:
    """Tool calls with every odd value that a request can have in the same columns, and some of their own."""
    for number, row in enumerate(odd_rows(DAY)):
        shared = {name: row[name] for name in SHARED if name in row}
        cause = causes[number % len(causes)] if number % 3 else None
        yield {"id": f"odd-call-{number:04d}", "llm_request_id": cause, "tool_name": "odd", **shared}
    yield call("no-such-cause", "never-logged")
    yield call("running", None, status="processing")
    yield call("other-status", None, status="denied")


def store(path: Path, requests: list[dict[str, Any]], calls: list[dict[str, Any]]) -> Path:
    """A log store with these rows."""
    create(path)
    add_rows(path, requests)
    add_rows(path, calls, TABLE)
    return path


def traces(export: Export) -> list[dict[str, Any]]:
    """The spans that were published, in their order."""
    parts = [data for key, data in export.parts().items() if "__traces__" in key]
    return [json.loads(line) for part in parts for line in part.decode().splitlines()]


def by_id(export: Export) -> dict[str, dict[str, Any]]:
    """The same by their ids, attributes read."""
    return {row["span_id"]: {**row, "attributes": json.loads(row["attributes"])} for row in traces(export)}


def rejected_ids(export: Export) -> list[tuple[str, str]]:
    """What the published file tells of rejected rows: dataset and id."""
    return reported(export, "rejected")


def reported(export: Export, kind: str) -> list[tuple[str, str]]:
    """What the published file reports of rejected rows, or of blanked fields: dataset and id."""
    files = [data for key, data in export.contents().items() if "_rejected/" in key]
    lines = [json.loads(line) for data in files for line in gzip.decompress(data).splitlines()]
    return [(line["dataset"], line["request_id"]) for line in lines if line["kind"] == kind]


@pytest.fixture
def odd_store(log_store: Path) -> Path:
    """The sample with every odd request and every odd tool call."""
    plant(log_store, DAY)
    with closing(sqlite3.connect(log_store)) as connection:
        causes = [row[0] for row in connection.execute("SELECT id FROM logs WHERE id NOT LIKE 'odd%' LIMIT 60")]
    add_rows(log_store, odd_calls(causes), TABLE)
    add_rows(log_store, [call("broken-name", None, tool_name=RawText(b"\xff"))], TABLE)
    return log_store


KEEPS: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = {
    "all": ({}, lambda record: True),
    "provider": ({"providers": ["openai"]}, lambda record: record["provider"] == "openai"),
    "errors": ({"has_errors": True}, lambda record: record["status_code"] >= 400),
}


@pytest.mark.parametrize("filters", KEEPS)
def test_spans_agree_with_the_independent_reading(odd_store: Path, tmp_path: Path, filters: str) -> None:
    """Every span and every value, in order, over the edges of slices; a request that is removed takes its calls."""
    wanted, keeps = KEEPS[filters]
    export = Export(tmp_path / "x", odd_store, {**PLAIN, "include": ["traces"], "filters": wanted})
    export.runtime |= {"rows_per_slice": 150}
    expected = independent_traces.spans(odd_store, DAY.start, DAY.end, keeps)

    result = export.run(DAY)

    found = traces(export)
    assert len(found) == len(expected.rows) > 60
    for row, other in zip(found, expected.rows, strict=True):
        told = {name: rfc3339(from_micros(other[name])) for name in ("start_time", "end_time")}
        assert json.loads(row["attributes"]) == json.loads(other["attributes"])
        assert list(json.loads(row["attributes"])) == list(json.loads(other["attributes"]))
        assert row | {"attributes": ""} == other | told | {"attributes": ""}
    calls = {name: result["mcp"][name] for name in expected.calls}
    assert calls == expected.calls
    assert calls["rejected"] > 0
    assert (calls["filtered"] > 0) == bool(wanted)
    assert result["mcp"] == export.manifest(DAY)["mcp"]
    assert sorted(each for _, each in rejected_ids(export)) == sorted(expected.rejected)


def test_neither_the_log_store_nor_slices_change_a_byte(
    sample_store: Path, tmp_path: Path, postgres_store: str
) -> None:
    """Parts, rejected rows and all figures, with contents and extra fields too."""
    requests = [*rows_of(sample_store), *both_can_hold(odd_rows(DAY))]
    causes = [row["id"] for row in requests[:40]]
    calls = [*rows_of(sample_store, TABLE), *both_can_hold(odd_calls(causes))]
    of_sqlite = store(tmp_path / "logs.db", requests, calls)
    in_postgres.add_rows(postgres_store, requests)
    in_postgres.add_rows(postgres_store, calls, TABLE)
    source = {"type": "postgres", "config": from_address(postgres_store, "the test")}
    extra = ["session_id", "customer_ids", "team_name", "stream", "created_at"]
    data = {"include": ["error_logs", "traces"], "extra_fields": extra, "include_content": True}
    data |= {"filters": {"max_latency_ms": 4000}, "max_rows_per_file": 300, "max_file_size": "150KB"}
    contents = []
    for number, rows_per_slice in enumerate((1_000_000, 200)):
        for kind in ("sqlite", "postgres"):
            export = Export(tmp_path / f"{kind}{number}", of_sqlite, data, runtime={"rows_per_slice": rows_per_slice})
            export.source = source if kind == "postgres" else {}
            result = export.run(DAY)
            assert result["mcp"]["kept"] > 20
            assert result["mcp"]["filtered"] > 0
            assert result["mcp"]["rejected"] > 0
            assert export.run(DAY)["unchanged"]
            told = comparable(export.contents())
            [manifest] = [each for each in told.values() if isinstance(each, dict)]
            manifest.pop("source")
            contents.append(told)
    assert contents[0] == contents[1] == contents[2] == contents[3]


def test_a_tree_joins_over_fallbacks_and_tool_calls(tmp_path: Path) -> None:
    """A fallback's tool call stands below the fallback, in the trace of the first attempt; a session is no parent."""
    requests = [
        request("first", parent_request_id="a-session", status="error", error_details='{"status_code": 503}'),
        request("second", "2026-03-01 12:00:01+00:00", fallback_index=1, parent_request_id="first"),
        request("third", "2026-03-01 12:00:02+00:00", fallback_index=2, parent_request_id="first"),
    ]
    calls = [call("tool", "third", "2026-03-01 12:00:03+00:00"), call("alone", None), call("before", "long-gone")]
    path = store(tmp_path / "logs.db", requests, calls)
    export = Export(tmp_path / "x", path, {**PLAIN, "include": ["traces"]})
    export.run(DAY)
    ids = {key: (row["trace_id"], row["parent_span_id"]) for key, row in by_id(export).items()}
    assert ids == {
        "first": ("first", None),
        "second": ("first", "first"),
        "third": ("first", "first"),
        "tool": ("first", "third"),
        "alone": ("alone", None),
        "before": ("long-gone", "long-gone"),
    }
    assert by_id(export)["first"]["status"] == "ERROR"
    assert b"a-session" not in b"".join(export.contents().values())


def test_a_call_in_another_window_stays_with_its_trace(tmp_path: Path) -> None:
    """Its request was filtered in the window before, which this run doesn't read: the call is kept."""
    requests = [
        request("late", "2026-03-01 23:59:59+00:00", provider="other", fallback_index=1, parent_request_id="first")
    ]
    path = store(tmp_path / "logs.db", requests, [call("tool", "late", "2026-03-02 00:00:01+00:00")])
    export = Export(tmp_path / "x", path, {**PLAIN, "include": ["traces"], "filters": {"providers": ["openai"]}})
    result = export.run(Window.parse("2026-03-02", "2026-03-03"))
    assert (result["mcp"]["kept"], result["mcp"]["filtered"]) == (1, 0)
    assert by_id(export)["tool"]["trace_id"] == "first"


def test_date_range_leaves_calls_out_and_keeps_those_whose_request_it_left_out(tmp_path: Path) -> None:
    """The rest of the window is counted; it isn't read, so that its requests take no call along."""
    requests = [request("early", "2026-03-01 05:00:00+00:00", provider="other"), request("noon", provider="other")]
    calls = [
        call("early-call", "early", "2026-03-01 05:00:01+00:00", cost=0.5),
        call("late-call", "early", "2026-03-01 13:00:00+00:00"),
        call("noon-call", "noon", "2026-03-01 12:00:01+00:00"),
    ]
    path = store(tmp_path / "logs.db", requests, calls)
    span = {"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T18:00:00Z"}
    filters = {"date_range": span, "providers": ["openai"]}
    export = Export(tmp_path / "x", path, {**PLAIN, "include": ["traces"], "filters": filters})
    result = export.run(DAY)
    assert result["mcp"]["filtered_by"] == {"date_range": 1, "request": 1}
    assert list(by_id(export)) == ["late-call"]


def test_an_older_log_store_has_no_table_of_tool_calls(log_store: Path, tmp_path: Path) -> None:
    """Its requests are spans all the same."""
    with closing(sqlite3.connect(log_store)) as connection:
        connection.execute(f"DROP TABLE {TABLE}")
        connection.execute("ALTER TABLE logs DROP COLUMN served_model")
    export = Export(tmp_path / "x", log_store, {**PLAIN, "include": ["traces", "request_logs"]})
    result = export.run(DAY)
    assert result["mcp"]["source"] == 0
    assert result["datasets"]["traces"]["exported"] == result["datasets"]["request_logs"]["exported"] > 500


CONTENTS = (
    *("input_history", "responses_input_history", "output_message", "params", "tools", "raw_request", "raw_response"),
    *("tool_calls", "content_summary", "metadata", "plugin_logs", "redaction_mapping", "user_id", "user_name"),
    *("user_email", "team_id", "team_name", "customer_name", "session_id", "virtual_key_name", "user_agent"),
)
CALL_CONTENTS = (
    *("arguments", "result", "metadata", "plugin_logs", "redaction_mapping", "user_id", "user_name", "team_name"),
    *("customer_name", "virtual_key_name", "user_agent", "device_id"),
)


def planted(names: tuple[str, ...], of: str) -> dict[str, str]:
    """A canary in each column."""
    return {name: f'"canary-{of}-{name}"' for name in names}


@pytest.fixture
def canaries(tmp_path: Path) -> Path:
    """A log store with a canary in every column of contents and of people."""
    requests = [
        request("r", **planted(CONTENTS, "log")),
        request("hidden", content_hidden=True),
        request("bad", prompt_tokens="many", **planted(CONTENTS, "log")),
    ]
    calls = [
        call("c", "r", **planted(CALL_CONTENTS, "call")),
        call("h", "hidden", arguments="canary-hidden", result="canary-hidden"),
        call("bad-call", "r", latency="long", **planted(CALL_CONTENTS, "call")),
    ]
    return store(tmp_path / "canaries.db", requests, calls)


def test_nothing_personal_and_no_content_is_exported_unasked(canaries: Path, tmp_path: Path) -> None:
    """Neither in spans nor in rejected rows, manifest or what a run reports; staging has no column for it."""
    asked = Data(include=("traces",))
    staged = {column.name for column in (*columns_read(asked), *tool_call_columns(asked))}
    assert not staged & {*CONTENTS, *CALL_CONTENTS, "request_content", "response_content", "tool_arguments"}
    told: list[str] = []
    export = Export(tmp_path / "x", canaries, {**PLAIN, "include": ["traces"]})
    export.runtime |= {"report": lambda event, facts: told.append(json.dumps(facts, default=str))}
    export.run(DAY)
    everything = b"".join(
        gzip.decompress(data) if key.endswith(".gz") else data for key, data in export.contents().items()
    )
    assert b"canary" not in everything
    assert "canary" not in "".join(told)
    assert {row["span_id"] for row in traces(export)} == {"r", "hidden", "bad", "c", "h", "bad-call"}
    assert reported(export, "blanked") == [("traces", "bad"), ("traces", "bad-call")]


def test_contents_are_exported_where_asked_for_and_not_hidden(canaries: Path, tmp_path: Path) -> None:
    """Under OpenTelemetry's names; of a request that hides its contents, those of its tool calls stay hidden too."""
    data = {**PLAIN, "include": ["traces"], "include_content": True, "extra_fields": ["user_name", "session_id"]}
    export = Export(tmp_path / "x", canaries, data)
    export.run(DAY)
    found = {key: row["attributes"] for key, row in by_id(export).items()}
    assert json.loads(found["r"]["gen_ai.input.messages"])["input_history"] == "canary-log-input_history"
    assert json.loads(found["r"]["gen_ai.output.messages"])["output_message"] == "canary-log-output_message"
    assert found["r"]["gen_ai.conversation.id"] == '"canary-log-session_id"'
    assert found["c"]["gen_ai.tool.call.arguments"] == '"canary-call-arguments"'
    assert found["c"]["gen_ai.tool.call.result"] == '"canary-call-result"'
    assert found["c"]["bifrost.user_name"] == '"canary-call-user_name"'
    everything = b"".join(export.contents().values())
    assert b"canary-hidden" not in everything
    assert b"redaction_mapping" not in everything
    assert b"canary-call-metadata" not in everything


def test_masked_ids_still_join_and_are_nowhere_in_the_open(tmp_path: Path) -> None:
    """In ids, in attributes, in arrays of them, in rejected rows; the trees are the same."""
    people = {"customer_ids": '["open-customer", "open-other"]', "session_id": "open-session"}
    requests = [
        request("open-first", **people),
        request("open-second", fallback_index=1, parent_request_id="open-first", customer_id="open-customer"),
    ]
    calls = [call("open-call", "open-second", customer_id="open-customer"), call("open-bad", None, latency="long")]
    path = store(tmp_path / "logs.db", requests, calls)
    masks = {"type": "anonymize", "method": "hash", "key": "${BIFROST_KEY}"}
    masks |= {"fields": ["request_id", "customer_id", "session_id"]}
    data = {**PLAIN, "include": ["traces"], "extra_fields": ["session_id", "customer_ids"], "transformations": [masks]}
    export = Export(tmp_path / "x", path, data, runtime={"environ": {"BIFROST_KEY": KEY}})
    export.run(DAY)
    everything = b"".join(
        gzip.decompress(data) if key.endswith(".gz") else data for key, data in export.contents().items()
    )
    assert b"open-" not in everything.replace(b"popen-", b"")  # a folder of a parallel test's own
    spans = [row for row in by_id(export).values() if row["start_time"] != row["end_time"]]
    first, second, tool = sorted(spans, key=lambda row: (row["parent_span_id"] is not None, row["name"]))
    assert first["parent_span_id"] is None
    assert second["parent_span_id"] == first["span_id"] == first["trace_id"] == second["trace_id"] == tool["trace_id"]
    assert tool["parent_span_id"] == second["span_id"]
    customers = [row["attributes"]["bifrost.customer_id"] for row in (first, second, tool)]
    assert len(set(customers)) == 1
    assert first["attributes"]["bifrost.customer_ids"][0] == customers[0]
    assert len(reported(export, "blanked")) == 1


def test_a_window_without_requests_has_its_tool_calls(tmp_path: Path) -> None:
    """A time in another form places a call as it does a request."""
    moment = space_form(from_micros(micros(DAY.start) + 1))
    path = store(tmp_path / "logs.db", [], [call("b", None, moment), call("a", None, "2026-03-01T00:00:00.7Z")])
    export = Export(tmp_path / "x", path, {**PLAIN, "include": ["traces"]})
    result = export.run(DAY)
    assert [row["span_id"] for row in traces(export)] == ["b", "a"]
    assert (result["mcp"]["kept"], result["datasets"]["traces"]["source"]) == (2, 0)


def test_offloaded_tool_calls_are_completed(tmp_path: Path, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the folder of their own that Bifrost gives them; what became of them is told beside their books."""
    monkeypatch.setenv("PAYLOAD_SECRET", buckets.server.secret_access_key)
    bucket = buckets.make_bucket()
    details = {"error_details": '{"error":{"type":"timeout"}}', "arguments": '{"q":12345678901234567890123}'}
    given = [
        ("failed", "error", {**details, "result": ""}),
        ("list", "success", {"arguments": "[]", "result": '[{"deep":[1.5,null,"ü\\n"]}]'}),
        ("words", "success", {"arguments": '"plain words"', "result": "42"}),
    ]
    left = {"has_object": True, "error_details": "", "arguments": '"{\\"q\\":\\"cut', "result": ""}
    calls = []
    for name, status, columns in given:
        [(row, key, data)] = offloaded_calls([call(name, None, status=status, **columns)])
        calls.append({**row, **left})
        buckets.client.put_object(Bucket=bucket, Key=key, Body=data)
    path = store(tmp_path / "logs.db", [], [*calls, call("gone", None, status="error", **left)])
    storage = {"type": "s3", "bucket": bucket, "region": "us-west-2", "endpoint": buckets.url}
    storage |= {"access_key_id": "AKIADEMO0000EXAMPLE0", "secret_access_key": "env.PAYLOAD_SECRET"}
    source = {"type": "sqlite", "config": {"path": str(path), "object_storage": storage}}
    data = {**PLAIN, "include": ["traces"], "include_content": True}
    export = Export(tmp_path / "x", path, data, source=source)
    result = export.run(DAY)
    found = {name: row["attributes"] for name, row in by_id(export).items()}
    assert found["failed"]["error.type"] == "timeout"
    for name, _, columns in given:
        assert found[name]["gen_ai.tool.call.arguments"] == columns["arguments"]
        assert found[name].get("gen_ai.tool.call.result", "") == columns["result"]
    assert found["gone"]["error.type"] == "_OTHER"
    assert result["mcp"]["offloaded"] == {"completed": 3, "gone": 1, "broken": 0, "skipped": 0}


def test_tool_calls_whose_objects_hold_texts_are_completed_too(
    tmp_path: Path, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of requests do."""
    monkeypatch.setenv("PAYLOAD_SECRET", buckets.server.secret_access_key)
    bucket = buckets.make_bucket()
    payload = {"error_details": '{"error": {"type": "timeout"}}', "arguments": '{"q": 1}', "result": ""}
    key = "bifrost/mcp-logs/2026/03/01/12/failed.json.gz"
    buckets.client.put_object(Bucket=bucket, Key=key, Body=gzip.compress(json.dumps(payload).encode()))
    path = store(tmp_path / "logs.db", [], [call("failed", None, status="error", has_object=True)])
    storage = {"type": "s3", "bucket": bucket, "region": "us-west-2", "endpoint": buckets.url}
    storage |= {"access_key_id": "AKIADEMO0000EXAMPLE0", "secret_access_key": "env.PAYLOAD_SECRET"}
    source = {"type": "sqlite", "config": {"path": str(path), "object_storage": storage}}
    export = Export(tmp_path / "x", path, {**PLAIN, "include": ["traces"], "include_content": True}, source=source)
    result = export.run(DAY)
    found = by_id(export)["failed"]["attributes"]
    assert (found["error.type"], found["gen_ai.tool.call.arguments"]) == ("timeout", '{"q": 1}')
    assert result["mcp"]["offloaded"] == {"completed": 1, "gone": 0, "broken": 0, "skipped": 0}


def test_a_cause_that_no_request_can_have_is_kept_as_it_stands(tmp_path: Path) -> None:
    """With quotes, a NUL, or longer than any id."""
    causes = ["it's; DROP TABLE logs", "nul\0inside", "x" * 20_000, "request"]
    calls = [call(f"call-{number}", cause) for number, cause in enumerate(causes)]
    path = store(tmp_path / "logs.db", [request("request", provider="other"), request("it's", provider="other")], calls)
    export = Export(tmp_path / "x", path, {**PLAIN, "include": ["traces"], "filters": {"providers": ["openai"]}})
    export.run(DAY)
    assert [row["parent_span_id"] for row in by_id(export).values()] == causes[:3]


def problems(folder: Path, fields: list[str], **data: Any) -> list[str]:
    """What is said of an export that masks some fields of its spans."""
    masks = {"type": "anonymize", "fields": fields, "method": "redact"}
    export = Export(folder, folder / "none", {"include": ["traces"], "transformations": [masks], **data})
    [loaded] = load(export.document()).exports
    return [problem.message for problem in loaded.problems]


def test_a_masked_field_has_to_stand_in_a_column_or_inside_of_the_attributes(tmp_path: Path) -> None:
    """A mistake would leave in the open what was meant; a twin beside a masked field is told."""
    assert problems(tmp_path, ["request_id", "customer_id"]) == []
    assert problems(tmp_path, ["custmer_id"]) == ["no dataset has a column 'custmer_id'"]
    assert problems(tmp_path, ["team_id"]) == ["no dataset has a column 'team_id'"]
    assert problems(tmp_path, ["team_id"], extra_fields=["team_id"]) == []
    twins = problems(tmp_path, ["customer_id"], extra_fields=["customer_name"])
    assert twins == ["'customer_name' stands in the open beside 'customer_id', which is masked"]


def test_a_settlement_belongs_to_the_request_that_caused_it(tmp_path: Path) -> None:
    """A batch's cost is written later, as a row of its own; a session in the same column is no request."""
    requests = [
        request("results", object_type="batch_results"),
        request("batch-cost:openai:batch_1", object_type="batch_results", parent_request_id="results", cost=12.5),
        request("batch-cost:openai:batch_2", object_type="batch_results", parent_request_id=""),
        request("turn", object_type="realtime.turn", parent_request_id="sess_1"),
    ]
    calls = [call("call", "batch-cost:openai:batch_1")]
    path = store(tmp_path / "logs.db", requests, calls)
    export = Export(tmp_path / "x", path, {**PLAIN, "include": ["traces"]})
    export.run(DAY)
    ids = {name: (row["trace_id"], row["parent_span_id"]) for name, row in by_id(export).items()}
    assert ids == {
        "results": ("results", None),
        "batch-cost:openai:batch_1": ("results", "results"),
        "batch-cost:openai:batch_2": ("batch-cost:openai:batch_2", None),
        "turn": ("turn", None),
        "call": ("results", "batch-cost:openai:batch_1"),
    }
