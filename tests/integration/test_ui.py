"""`make ui`: an Airflow to look at, ended by a Ctrl-C."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.servers.processes import Process, free_port, running, wait_until
from tools.airflow_pages import BROWSERS, backfill_form, browser, run_backfill

DAG = "bifrost_export__daily_s3_export"
PATIENCE = 900
"""Seconds: on a quiet machine Airflow takes 20 to get ready, and a run 4."""


@pytest.fixture
def port() -> int:
    """Of the pages."""
    return free_port()


@pytest.fixture
def ui(tmp_path: Path, port: int) -> Iterator[Process]:
    """The command that `make ui` runs."""
    command = [str(Path(sys.executable).with_name("bifrost-export")), "demo", "--ui", "--rows", "2000"]
    command += ["--port", str(port), "--folder", str(tmp_path / "ui")]
    with running("ui", command, tmp_path / "ui.log", os.environ) as process:
        yield process


def ask(port: int, path: str, body: Any = None) -> Any:
    """Airflow's REST API, without a login."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 (loopback)
        return json.loads(answer.read())


def children(folder: Path) -> list[str]:
    """Processes whose Airflow keeps its things in the folder."""
    listed = subprocess.run(["ps", "axeww", "-o", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"AIRFLOW_HOME={folder}" in line]


@pytest.mark.airflow
@pytest.mark.long
@pytest.mark.timeout(2400)
def test_it_runs_the_export_and_leaves_no_process_after_a_ctrl_c(ui: Process, port: int, tmp_path: Path) -> None:
    """Triggered through REST, as the button does."""
    wait_until(lambda: "Airflow is ready" in ui.output(), [ui], PATIENCE, "Airflow")
    assert f"http://127.0.0.1:{port}" in ui.output()
    assert [dag["dag_id"] for dag in ask(port, "dags")["dags"]] == [DAG]
    run = ask(port, f"dags/{DAG}/dagRuns", {"logical_date": None, "dag_run_id": "by_hand"})

    def over() -> bool:
        time.sleep(1)  # an API server that is asked without a pause slows the run down
        run.update(ask(port, f"dags/{DAG}/dagRuns/by_hand"))
        return run["state"] in {"success", "failed"}

    wait_until(over, [ui], PATIENCE, "the run")
    assert run["state"] == "success"
    home = tmp_path / "ui" / "airflow"
    assert children(home)

    ui.handle.send_signal(signal.SIGINT)

    assert ui.handle.wait(60) == 0, ui.output()
    for _ in range(50):
        if not children(home):
            break
        time.sleep(0.1)
    assert children(home) == []
    assert "Done" in ui.output()


@pytest.mark.airflow
@pytest.mark.long
@pytest.mark.timeout(2400)
def test_a_backfill_from_the_form_publishes_each_of_its_windows_once(ui: Process, port: int) -> None:
    """The scheduler's own run stands beside it."""
    wait_until(lambda: "Airflow is ready" in ui.output(), [ui], PATIENCE, "Airflow")
    latest = window_that_settled_last(dt.datetime.now(dt.UTC))
    first, last = (latest - dt.timedelta(days=back) for back in (3, 2))
    start_backfill(port, first, last)

    def over() -> bool:
        time.sleep(1)
        states = [run["state"] for run in runs(port)]
        return len(states) == 3 and not {"queued", "running"} & set(states)

    wait_until(over, [ui], PATIENCE, "the backfill")

    made = {run["data_interval_start"]: (run["run_type"], run["state"]) for run in runs(port)}
    assert {dt.datetime.fromisoformat(start): how for start, how in made.items()} == {
        first: ("backfill", "success"),
        last: ("backfill", "success"),
        latest: ("scheduled", "success"),
    }
    events = [event["extra"] for event in ask(port, f"assets/events?source_dag_id={DAG}")["asset_events"]]
    published = sorted(dt.datetime.fromisoformat(event["window"]["start"]) for event in events)
    assert published == [first, last, latest]
    assert {event["revision"] for event in events} == {1}


def start_backfill(port: int, first: dt.datetime, last: dt.datetime) -> None:
    """Fill the form in and start it in a browser; on a machine without one, send what the form sends."""
    if any(map(shutil.which, BROWSERS)):
        with browser() as page:
            dialog = backfill_form(page, f"http://127.0.0.1:{port}", DAG, first, last)
            dialog.get_by_text("2 runs will be triggered").wait_for()
            run_backfill(dialog)
        return
    form = {"from_date": first.replace(hour=0).isoformat(), "to_date": last.replace(hour=23).isoformat()}
    form |= {
        "dag_id": DAG,
        "run_backwards": False,
        "reprocess_behavior": "none",
        "max_active_runs": 1,
        "dag_run_conf": {},
    }
    ask(port, "backfills", form)


def window_that_settled_last(now: dt.datetime) -> dt.datetime:
    """The start of the latest window of the demo's export, daily at 02:00 UTC, that ended half an hour ago or more."""
    end = (now - dt.timedelta(minutes=30)).replace(hour=2, minute=0, second=0, microsecond=0)
    end = end if end <= now - dt.timedelta(minutes=30) else end - dt.timedelta(days=1)
    return end - dt.timedelta(days=1)


def runs(port: int) -> list[dict[str, Any]]:
    """Of the export's DAG."""
    found: list[dict[str, Any]] = ask(port, f"dags/{DAG}/dagRuns")["dag_runs"]
    return found
