"""Exports in a running Airflow: what its runs write, how they end well after a kill or a fault, and what they hide."""

from __future__ import annotations

import base64
import datetime as dt
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.window import Window, rfc3339
from demo.servers.s3_server import S3Server, s3_server
from tests.integration.airflow_lab import Lab, Run, export_to, local_export, running_lab
from tests.integration.published import stale

pytestmark = pytest.mark.airflow

BUCKET = "bifrost-logs-canary"
CANARIES = {"CANARY_KEY_ID": "AKIA7CANARY7REFERENCED", "CANARY_SECRET": "canary+secret/referenced=7f3a"}
LITERALS = {"access_key_id": "AKIA7CANARY7LITERAL", "secret_access_key": "canary+secret/literal=91bd"}
REFERENCES = {"access_key_id": "${CANARY_KEY_ID}", "secret_access_key": "${CANARY_SECRET}"}
TRANSFORMATIONS = [
    {"type": "anonymize", "fields": ["customer_id"], "method": "hash"},
    {"type": "aggregate", "group_by": ["customer_id", "hour"], "metrics": ["count", "p95_latency", "total_cost"]},
]


@pytest.fixture(scope="module")
def s3_of_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that no other test empties."""
    with s3_server(tmp_path_factory.mktemp("s3") / "server.log") as server:
        server.make_bucket(BUCKET)
        yield server


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, s3_of_lab: S3Server) -> Iterator[Lab]:
    """An Airflow whose first scheduled runs are over."""
    folder = tmp_path_factory.mktemp("lab")
    to_bucket = {"region": "us-west-2", "endpoint_url": s3_of_lab.url, "prefix": "logs/"}
    exports = [
        local_export(name, folder / "out" / name) for name in ("nightly", "killed", "blocked", "down", "shrinking")
    ]
    exports.append({**local_export("pooled", folder / "out" / "pooled"), "airflow": {"pool": "nobody-made-it"}})
    exports.append(local_export("aggregated", folder / "out" / "aggregated", transformations=TRANSFORMATIONS))
    exports += [
        export_to("referenced", "s3", bucket=BUCKET, credentials=REFERENCES, **to_bucket),
        export_to("literal", "s3", bucket=BUCKET, credentials=LITERALS, **to_bucket),
        export_to("refused", "s3", bucket="no-such-bucket", credentials=LITERALS, **to_bucket),
    ]
    with running_lab(folder, exports, CANARIES) as running:
        yield running


def window_of(run: Run) -> dict[str, str]:
    """The window that a run has planned."""
    window: dict[str, str] = run.xcom("plan", "plan")["window"]
    return window


def test_the_scheduler_takes_the_latest_settled_window(lab: Lab, tmp_path: Path) -> None:
    """Its run is green, and writes the bytes that the command line writes."""
    run = lab.scheduled("nightly")
    assert run.wait() == "success", run.states()
    assert window_of(run) == lab.last.to_json()
    by_airflow = lab.published("nightly", lab.last)
    assert len(by_airflow) > 2
    assert by_airflow == lab.by_command_line("nightly", lab.last, tmp_path / "out")


def test_transformations_run_in_airflow_as_on_the_command_line(lab: Lab, tmp_path: Path) -> None:
    """Masked in the slices, aggregated over all of them; each task's log says what it has done."""
    run = lab.scheduled("aggregated")
    assert run.wait() == "success", run.states()
    by_airflow = lab.published("aggregated", lab.last)
    out = tmp_path / "out"
    assert by_airflow == lab.by_command_line("aggregated", lab.last, out, transformations=TRANSFORMATIONS)
    [entry] = [each for key, each in by_airflow.items() if "_manifests/" in key]
    steps = [each["step"] for each in entry["datasets"]["request_logs"]["transformations"]]
    assert steps == ["1-anonymize", "2-aggregate"]


def test_a_run_leaves_no_staging(lab: Lab) -> None:
    """The last task removes what the others left there."""
    assert lab.scheduled("nightly").wait() == "success"
    staging = lab.folder / "staging" / "nightly"
    assert [path for path in staging.rglob("*") if lab.last.name in path.name] == []


def test_a_published_window_is_told_as_an_asset_event(lab: Lab) -> None:
    """It carries window, manifest, revision, rows and bytes."""
    run = lab.scheduled("nightly")
    assert run.wait() == "success"
    events = lab.server.request("assets/events?source_dag_id=bifrost_export__nightly")["asset_events"]
    (event,) = [each for each in events if each["source_run_id"] == run.run_id]
    extra = event["extra"]
    manifest = json.loads(Path(extra["manifest"]).read_text())
    parts = manifest["datasets"]["request_logs"]["parts"]
    assert extra["window"] == lab.last.to_json()
    assert (extra["revision"], extra["unchanged"]) == (1, False)
    assert extra["datasets"]["request_logs"]["rows"] == sum(part["rows"] for part in parts)
    assert extra["datasets"]["request_logs"]["bytes"] == sum(part["bytes"] for part in parts)


def test_slices_and_parts_are_shown_by_their_names(lab: Lab) -> None:
    """The grid shows a time or a part in place of a number."""
    run = lab.scheduled("nightly")
    assert run.wait() == "success"
    shown = {(task["task_id"], task["map_index"]): task["rendered_map_index"] for task in run.tasks()}
    assert shown["extract", 0].startswith(str(lab.last.start.date()))
    assert shown["load", 0].startswith("request_logs part 1 of ")


def test_a_run_without_a_logical_date_takes_the_last_settled_window(lab: Lab) -> None:
    """The window is published already, and stays as it is."""
    before = lab.published("nightly", lab.last)
    run = lab.trigger("nightly")
    assert run.wait() == "success", run.states()
    assert window_of(run) == lab.last.to_json()
    assert run.xcom("publish")["unchanged"] is True
    assert lab.published("nightly", lab.last) == before


def source_of(lab: Lab, name: str, window: Window) -> int:
    """The log rows that a published window counts."""
    manifest = lab.out(name) / "logs" / "_manifests" / name / f"{window.name}.json"
    rows: int = json.loads(manifest.read_text())["datasets"]["request_logs"]["source"]
    return rows


def test_a_run_with_a_logical_date_takes_the_window_that_had_settled_then(lab: Lab) -> None:
    """It is the one before that date, whatever the day is today."""
    run = lab.export_day("nightly", 2)
    assert run.wait() == "success", run.states()
    assert window_of(run) == lab.day(2).to_json()
    assert lab.published("nightly", lab.day(2))


def test_a_run_takes_the_window_of_the_trigger_form(lab: Lab) -> None:
    """Times without a zone are taken in the export's."""
    day = lab.day(4).start
    start, end = (f"{day.date()}T{hour}" for hour in ("06:00", "18:00"))
    run = lab.trigger("nightly", window_start=start, window_end=end)
    assert run.wait() == "success", run.states()
    assert window_of(run) == {"start": f"{start}:00Z", "end": f"{end}:00Z"}


def test_a_dry_run_writes_nothing(lab: Lab) -> None:
    """It balances the books, then skips what would write, and tells no asset event."""
    day = lab.day(5)
    run = lab.trigger("nightly", window_start=rfc3339(day.start), window_end=rfc3339(day.end), dry_run=True)
    assert run.wait() == "success", run.states()
    assert run.states()["load"] == run.states()["publish"] == {"skipped"}
    assert run.states()["clean_up"] == {"success"}
    assert "The books balance" in run.log("reconcile")
    assert "This run would write:" in run.log("reconcile")
    assert "The first rows of request_logs:" in run.log("reconcile")
    assert lab.published("nightly", day) == {}
    events = lab.server.request("assets/events?source_dag_id=bifrost_export__nightly")["asset_events"]
    assert run.run_id not in {each["source_run_id"] for each in events}


def test_an_unknown_key_of_the_trigger_form_fails_the_plan_at_once(lab: Lab) -> None:
    """A misspelt `window_start` must not export another window."""
    run = lab.trigger("nightly", window_strat="2026-03-01")
    assert run.wait() == "failed"
    assert run.states()["plan"] == {"failed"}
    assert run.tries("plan") == 1
    assert "Did you mean 'window_start'?" in run.log("plan")


def test_half_a_window_fails_the_plan_at_once(lab: Lab) -> None:
    """One end without the other is an error."""
    run = lab.trigger("nightly", window_start="2026-03-01")
    assert run.wait() == "failed"
    assert run.tries("plan") == 1
    assert "Give both or neither" in run.log("plan")


def test_a_window_that_has_not_settled_is_refused(lab: Lab) -> None:
    """Rows of its last requests may still arrive."""
    start = lab.last.end
    end = start + dt.timedelta(days=2)
    run = lab.trigger("nightly", window_start=rfc3339(start), window_end=rfc3339(end))
    assert run.wait() == "failed"
    assert "settles at" in run.log("plan")


def test_a_pool_that_is_missing_is_told_at_once(lab: Lab) -> None:
    """Its first run fails, and says what to do; with the pool it is cleared and ends well."""
    run = lab.scheduled("pooled")
    assert run.wait() == "failed"
    told = lab.server.request(run.path)["note"]
    assert told.startswith("There is no pool 'nobody-made-it', which airflow.pool of the export names")
    assert "airflow pools set nobody-made-it" in told
    lab.server.request("pools", "POST", {"name": "nobody-made-it", "slots": 4})
    run.clear("plan")
    assert run.wait() == "success", run.states()


def test_after_an_outage_no_window_is_left_out_and_none_is_twice(lab: Lab) -> None:
    """The scheduler goes on where it stopped, one window after the other."""
    lab.pause("down", True)
    lab.set_back("down", 2)
    lab.pause("down", False)
    assert lab.windows_run("down", 3) == [lab.day(back) for back in (2, 1, 0)]


def test_a_task_that_is_killed_is_tried_again(lab: Lab, tmp_path: Path) -> None:
    """Its work was done and its answer was lost: the run ends with what an undisturbed one would have written."""
    fault = lab.fault("killed", "load", "after")
    run = lab.export_day("killed", 1)
    assert run.wait() == "success", run.states()
    assert not fault.exists()
    assert run.tries("load") == 2
    assert lab.published("killed", lab.day(1)) == lab.by_command_line("killed", lab.day(1), tmp_path / "out")


def test_a_failed_load_is_cleared_when_the_fault_is_mended(lab: Lab, tmp_path: Path) -> None:
    """A file stands where the destination's folder should be; nothing is read again after it is taken away."""
    day = lab.day(1)
    folder = lab.out("blocked") / "logs" / f"{day.start:%d}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.touch()
    run = lab.export_day("blocked", 1)
    assert run.wait() == "failed"
    assert (run.states()["load"], run.tries("load")) == ({"failed"}, 1)
    folder.unlink()

    run.clear("load")

    assert run.wait() == "success", run.states()
    assert run.tries("extract") == 1
    assert lab.published("blocked", day) == lab.by_command_line("blocked", day, tmp_path / "out")


def test_a_worker_that_lacks_the_document_says_so_in_the_tasks_log(lab: Lab) -> None:
    """In place of "Dag not found during start up"; when the document is there, the run goes on by itself."""
    fault = lab.folder / "faults" / "no-document"
    fault.touch()
    run = lab.export_day("nightly", 3)
    deadline = time.monotonic() + 120
    while "there is no document" not in (told := run.log("plan")) and time.monotonic() < deadline:
        time.sleep(0.5)
    fault.unlink()

    assert "can't run 'plan' of bifrost_export__nightly: " in told
    assert "unmounted does not exist on this worker" in told
    assert run.wait() == "success", run.states()
    assert "Dag not found" not in run.log("plan")


def test_a_task_that_was_marked_as_success_by_hand_is_named_by_those_after_it(lab: Lab) -> None:
    """`publish` before `plan` has run: `clean_up` runs first of all, and says what is missing."""
    lab.pause("killed", True)
    lab.fault("killed", "plan", "fail")
    run = lab.export_day("killed", 4)
    lab.server.request(f"{run.path}/taskInstances/publish", "PATCH", {"new_state": "success"})
    lab.pause("killed", False)

    assert run.wait() == "failed"
    assert run.tries("clean_up") == 1
    assert "the task 'plan' of this run has left no result" in run.log("clean_up")
    assert "the package was changed" not in run.log("clean_up")


def test_credentials_are_found_nowhere(lab: Lab, s3_of_lab: S3Server) -> None:
    """Not in logs, XComs, rendered fields, serialized DAGs, staging, manifests or parts; of green and failed runs."""
    fault = lab.fault("referenced", "load", "fail")
    run = lab.export_day("referenced", 1)
    assert run.wait() == "failed"
    assert not fault.exists()
    assert lab.scheduled("literal").wait() == "success"
    assert lab.scheduled("refused").wait() == "failed"
    assert list((lab.folder / "staging" / "referenced").rglob("*.arrow"))

    assert_no_canary(contents_of(lab))

    run.clear("load")
    assert run.wait() == "success", run.states()
    assert_no_canary({**contents_of(lab), **objects_of(s3_of_lab)})
    for each in (run, lab.scheduled("literal"), lab.scheduled("refused")):
        assert_no_canary({f"XComs of {each.run_id}": json.dumps(xcoms_of(each)).encode()})


def test_published_objects_are_whole(lab: Lab, s3_of_lab: S3Server) -> None:
    """The bucket holds what the manifests name, and nothing else."""
    for name in ("referenced", "literal"):
        assert lab.scheduled(name).wait() == "success"
        contents = {key: data for key, data in objects_of(s3_of_lab).items() if name in key}
        done = {key: data for key, data in contents.items() if lab.last.name in key}
        assert len(done) > 1
        assert stale(done) == []


def contents_of(lab: Lab) -> dict[str, bytes]:
    """Everything that Airflow, its tasks and their exports have written: its database too."""
    folders = [lab.folder / name for name in ("airflow", "output", "staging", "out")]
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def objects_of(server: S3Server) -> dict[str, bytes]:
    """Every object of the bucket."""
    client = server.client()
    keys = [each["Key"] for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    return {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def xcoms_of(run: Run) -> list[Any]:
    """Every XCom of a run, as Airflow's API shows them."""
    entries = run.lab.server.request(f"{run.path}/taskInstances/~/xcomEntries?limit=200")["xcom_entries"]
    path = "{}/taskInstances/{}/xcomEntries/{}?map_index={}"
    return [
        run.lab.server.request(path.format(run.path, each["task_id"], each["key"], each["map_index"]))["value"]
        for each in entries
    ]


def assert_no_canary(contents: dict[str, bytes]) -> None:
    """Fail when a credential stands in any of them, as it is or in base64."""
    canaries = [each.encode() for each in (*CANARIES.values(), *LITERALS.values())]
    canaries += [base64.b64encode(each) for each in canaries]
    found = {(name, canary) for name, data in contents.items() for canary in canaries if canary in data}
    assert not found


def test_a_window_that_has_lost_log_rows_is_refused_until_the_form_allows_it(lab: Lab) -> None:
    """The task's log says so at once, with both counts, and the archive stays."""
    day = lab.day(5).start
    times = {"window_start": rfc3339(day), "window_end": rfc3339(day + dt.timedelta(hours=6))}
    window = Window.parse(times["window_start"], times["window_end"])
    assert lab.trigger("shrinking", **times).wait() == "success"
    before = lab.published("shrinking", window)
    rows = source_of(lab, "shrinking", window)
    with closing(sqlite3.connect(lab.folder / "logs.db")) as store, store:
        store.execute(
            "DELETE FROM logs WHERE timestamp >= ? AND timestamp < ?", (str(day.date()), f"{day.date()} 06:00")
        )

    run = lab.trigger("shrinking", **times)
    assert run.wait() == "failed"
    assert (run.tries("plan"), run.states()["plan"]) == (1, {"failed"})
    assert "now holds 0 log rows" in run.log("plan")
    assert f"there were {rows:,} when it was published" in run.log("plan")
    assert "set allow_shrink" in run.log("plan")
    assert lab.published("shrinking", window) == before

    allowed = lab.trigger("shrinking", **times, allow_shrink=True)
    assert allowed.wait() == "success", allowed.states()
    assert "allow_shrink is set" in allowed.log("plan")
    assert source_of(lab, "shrinking", window) == 0
