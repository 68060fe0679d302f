"""A log store whose payloads Bifrost's own code has offloaded: every row that has its object is whole again.

The same scenario was written to a log store that kept its payloads (`current`): contents, errors, tool calls and trees
of spans are compared value by value, and with the truth of both.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo.servers.s3_server import s3_server
from tests import bifrost_stores
from tests.integration.exports import Export

DATA = {"include": ["request_logs", "response_logs", "error_logs", "traces"], "include_content": True}
SETTLED = "status != 'processing'"
ATTRIBUTES = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
)


@dataclass(frozen=True)
class Exported:
    """What a run gave.

    Args:
        rows: Dataset -> id -> row.
        manifest: Of the window.
        path: The log store.
    """

    rows: dict[str, dict[str, dict[str, Any]]]
    manifest: dict[str, Any]
    path: Path

    def flagged(self, where: str, table: str = "logs") -> set[str]:
        """Ids of the rows of which something is true in the log store."""
        with closing(sqlite3.connect(self.path)) as connection:
            return {name for (name,) in connection.execute(f"SELECT id FROM {table} WHERE {where} AND {SETTLED}")}


def exported(folder: Path, path: Path, **config: Any) -> Exported:
    """Run both days."""
    source = {"type": "sqlite", "config": {"path": str(path), **config}}
    export = Export(folder, path, {**DATA, "max_rejected": "50%"}, source=source)
    export.runtime = {"environ": {"PAYLOAD_SECRET": "any"}, "now": lambda: bifrost_stores.WINDOW.end.replace(year=2027)}
    export.run(bifrost_stores.WINDOW)
    [manifest] = [json.loads(data) for key, data in export.contents().items() if "_manifests/" in key]
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for name, dataset in manifest["datasets"].items():
        key = "span_id" if name == "traces" else "request_id"
        tables = [pq.read_table(pa.BufferReader(export.contents()[part["key"]])) for part in dataset["parts"]]
        rows[name] = {row[key]: row for table in tables for row in table.to_pylist()}
    return Exported(rows, manifest, path)


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """What the store gives that kept its payloads."""
    folder = tmp_path_factory.mktemp("current")
    return exported(folder / "x", bifrost_stores.unpack("current", folder))


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """What the store gives whose payloads are objects."""
    folder = tmp_path_factory.mktemp("hybrid")
    path = bifrost_stores.unpack("hybrid", folder)
    with s3_server(folder / "server.log") as server:
        server.make_bucket("payloads")
        assert bifrost_stores.put_payloads(server.client(), "payloads") > 2_700
        storage = {"type": "s3", "bucket": "payloads", "region": "us-west-2", "endpoint": server.url}
        storage |= {"access_key_id": "AKIADEMO0000EXAMPLE0", "secret_access_key": "env.PAYLOAD_SECRET"}
        return exported(folder / "x", path, object_storage=storage)


def value(text: str | None) -> Any:
    """What a text says as JSON; Go writes the keys of a map in any order."""
    return None if text is None else json.loads(text)


def without_contents(row: dict[str, Any]) -> dict[str, Any]:
    """All but the contents, which are compared by themselves."""
    return {name: value for name, value in row.items() if not name.endswith("_content")}


def same_everywhere(current: Exported, hybrid: Exported, dataset: str) -> set[str]:
    """Ids that both have, and whose texts are whole: what is not UTF-8 can't be told from a payload's own U+FFFD."""
    both = current.rows[dataset].keys() & hybrid.rows[dataset].keys()
    return {each for each in both if "\ufffd" not in str((current.rows[dataset][each], hybrid.rows[dataset][each]))}


def test_every_row_that_has_its_object_has_its_contents(current: Exported, hybrid: Exported) -> None:
    """What was asked and answered, as the store gives it that never offloaded it."""
    offloaded = hybrid.flagged("has_object = 1 AND content_hidden = 0")  # more is hidden there than in the other
    compared = 0
    for dataset, columns in {
        "request_logs": ("request_content", "response_content"),
        "response_logs": ("response_content",),
    }.items():
        for name in same_everywhere(current, hybrid, dataset) & offloaded:
            whole, completed = current.rows[dataset][name], hybrid.rows[dataset][name]
            for column in columns:
                assert value(completed[column]) == value(whole[column]), (name, column)
                compared += whole[column] is not None
    assert compared > 4_000


def test_every_tool_call_that_has_its_object_is_whole(current: Exported, hybrid: Exported) -> None:
    """Its object holds values where the row holds texts: arguments, result and error."""
    calls = bifrost_stores.true_calls("hybrid")
    offloaded = hybrid.flagged("has_object = 1", "mcp_tool_logs") & calls.keys()
    found: Counter[str] = Counter()
    for name in offloaded:
        whole = json.loads(current.rows["traces"][name]["attributes"])
        completed = json.loads(hybrid.rows["traces"][name]["attributes"])
        for key in ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"):
            assert value(completed.pop(key, None)) == value(whole.pop(key, None)), (name, key)
            found[key] += 1
        assert completed == whole
        assert (completed.get("error.type") is not None) == (calls[name]["Status"] != "success")
    assert len(offloaded) > 90
    told = hybrid.manifest["mcp"]["offloaded"]
    assert (told["completed"], told["broken"], told["gone"]) == (len(offloaded), 0, 0)


def test_errors_and_paths_come_from_the_objects(current: Exported, hybrid: Exported) -> None:
    """The status, the error and the path of a passthrough; of rows whose upload was lost, the truth can't be known."""
    truth = bifrost_stores.true_rows("hybrid")
    offloaded, hidden = hybrid.flagged("has_object = 1"), hybrid.flagged("content_hidden = 1")
    compared = 0
    for name in same_everywhere(current, hybrid, "error_logs") & offloaded:
        assert without_contents(hybrid.rows["error_logs"][name]) == without_contents(current.rows["error_logs"][name])
        compared += 1
    for name in same_everywhere(current, hybrid, "request_logs") & offloaded:
        row, true = hybrid.rows["request_logs"][name], truth[name]
        if true.get("path") and name not in hidden:  # of one that is hidden, neither row nor object may have it
            assert (row["endpoint"], row["method"]) == (true["path"], true["method"])
            compared += 1
    assert compared > 100
    told = hybrid.manifest["datasets"]["request_logs"]["offloaded"]
    assert (told["broken"], told["gone"], told["skipped"]) == (0, 0, 0)


@pytest.mark.parametrize("name", ["current", "hybrid"])
def test_trees_of_spans_are_the_true_ones(name: bifrost_stores.Name, current: Exported, hybrid: Exported) -> None:
    """A fallback below its first attempt, a settlement below its request, a tool call below the attempt that called."""
    store = {"current": current, "hybrid": hybrid}[name]
    truth, calls = bifrost_stores.true_rows(name), bifrost_stores.true_calls(name)
    with closing(sqlite3.connect(store.path)) as connection:
        causes = dict(connection.execute("SELECT id, parent_request_id FROM logs WHERE id LIKE 'batch-cost:%'"))
    assert len(causes) == 6
    found: Counter[str] = Counter()
    for span_id, span in store.rows["traces"].items():
        if span_id in calls:
            parent = calls[span_id]["LLMRequestID"] or None
            trace = truth.get(parent, {}).get("trace_parent") or parent or span_id
            found["calls"] += parent is not None
        else:
            parent = truth[span_id].get("trace_parent") or causes.get(span_id)
            trace = parent or span_id
            found["settlements"] += span_id in causes
            found["fallbacks"] += span_id not in causes and parent is not None
        assert (span["parent_span_id"], span["trace_id"]) == (parent, trace), span_id
    assert found == {"calls": found["calls"], "settlements": found["settlements"], "fallbacks": 80}
    assert found["calls"] > 60
    assert found["settlements"] >= 5  # the one of 3,003,000,000 tokens may be rejected


def test_contents_that_are_hidden_stay_hidden(hybrid: Exported) -> None:
    """Whatever their objects hold."""
    hidden = hybrid.flagged("content_hidden = 1")
    shown = [hybrid.rows["request_logs"][each] for each in hidden & hybrid.rows["request_logs"].keys()]
    assert shown
    assert {(row["request_content"], row["response_content"]) for row in shown} == {(None, None)}
