"""An Airflow that was down, paused or misconfigured for days: every window is exported once, and status says so."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.schedules.schedule import DailySchedule
from bifrost_export.window import UTC, Window
from tests.integration.airflow_lab import Lab, local_export, running_lab

pytestmark = [pytest.mark.airflow, pytest.mark.long]

NAMES = ("down", "broken", "moved", "filled")
CHANGED = DailySchedule(frequency="daily", time="01:00")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An Airflow whose first scheduled runs are over."""
    folder = tmp_path_factory.mktemp("missed")
    with running_lab(folder, [local_export(name, folder / "out" / name) for name in NAMES]) as running:
        yield running


def status(lab: Lab, name: str) -> dict[str, Any]:
    """What the command line tells of an export."""
    program = Path(sys.executable).with_name("bifrost-export")
    command = [program, "status", lab.folder / "include" / "log_exports.json", "--export", name, "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    told: dict[str, Any] = json.loads(done.stdout)["exports"][0]
    return told


def check_status(lab: Lab, name: str, windows: int) -> None:
    """It tells so many windows up to the last one, without gap; and the destination holds them."""
    told = status(lab, name)
    assert (told["windows"], told["gaps"], told["lag_seconds"]) == (windows, [], 0)
    assert told["exported_through"] == lab.last.to_json()["end"]
    assert len(list(lab.out(name).glob("**/_manifests/*/*.json"))) == windows


def test_after_an_outage_of_three_days_no_window_is_left_out_and_none_is_twice(lab: Lab) -> None:
    """The scheduler goes on where it stopped, one window after the other."""
    lab.pause("down", True)
    lab.set_back("down", 3)
    lab.pause("down", False)
    assert lab.windows_run("down", 4) == [lab.day(back) for back in (3, 2, 1, 0)]
    check_status(lab, "down", 3)


def test_after_a_quarantine_no_window_is_left_out_and_none_is_twice(lab: Lab) -> None:
    """A document that was broken for two days and is mended goes on where the good one stopped."""
    path = lab.folder / "include" / "log_exports.json"
    good = path.read_text()
    content = json.loads(good)
    next(each for each in content["log_exports"]["exports"] if each["name"] == "broken")["schedule"]["time"] = "25:00"
    path.write_text(json.dumps(content))

    def tags() -> set[str]:
        return {tag["name"] for tag in lab.server.request("dags/bifrost_export__broken")["tags"]}

    deadline = time.monotonic() + 120
    while "invalid-config" not in tags():
        assert time.monotonic() < deadline
        time.sleep(1)
    lab.set_back("broken", 2)
    path.write_text(good)
    assert lab.windows_run("broken", 3) == [lab.day(back) for back in (2, 1, 0)]
    check_status(lab, "broken", 2)


def test_after_a_changed_time_of_day_the_next_window_starts_where_the_last_one_ended(lab: Lab) -> None:
    """A short window leads over to the new time; none is left out and none is twice."""
    lab.pause("moved", True)
    lab.set_back("moved", 3)
    shutil.rmtree(lab.out("moved"))
    path = lab.folder / "include" / "log_exports.json"
    content = json.loads(path.read_text())
    next(each for each in content["log_exports"]["exports"] if each["name"] == "moved")["schedule"]["time"] = "01:00"
    path.write_text(json.dumps(content))
    deadline = time.monotonic() + 120
    while "01:00" not in lab.server.request("dags/bifrost_export__moved")["timetable_summary"]:
        assert time.monotonic() < deadline
        time.sleep(1)
    lab.pause("moved", False)
    windows = [Window(lab.day(3).end, lab.day(3).end + dt.timedelta(hours=1))]
    while windows[-1].end < CHANGED.latest_settled(dt.datetime.now(UTC)).end:
        windows.append(CHANGED.window_from(windows[-1].end))
    assert lab.windows_run("moved", 1 + len(windows)) == [lab.day(3), *windows]
    told = status(lab, "moved")
    assert (told["windows"], told["gaps"], told["lag_seconds"]) == (len(windows), [], 0)
    assert len(list(lab.out("moved").glob("**/_manifests/*/*.json"))) == len(windows)


def test_backfills_from_the_command_line_and_the_api_give_the_scheduled_windows(lab: Lab) -> None:
    """And join those that the scheduler has exported."""
    dag_id = "bifrost_export__filled"
    first, last = lab.day(4), lab.day(3)
    ends = ["--from-date", first.start.isoformat(), "--to-date", last.start.isoformat()]
    subprocess.run(
        [sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", dag_id, *ends],
        env=dict(lab.server.environment),
        check=True,
        capture_output=True,
        timeout=180,
    )
    lab.windows_run("filled", 3)
    body = {"dag_id": dag_id, "from_date": lab.day(2).start.isoformat(), "to_date": lab.day(1).start.isoformat()}
    deadline = time.monotonic() + 120
    while True:
        try:
            lab.server.request("backfills", "POST", {**body, "max_active_runs": 2, "dag_run_conf": {}})
        except OSError:  # the former one is not closed yet, or SQLite is busy
            assert time.monotonic() < deadline
            time.sleep(2)
        else:
            break
    assert lab.windows_run("filled", 5) == [lab.day(back) for back in (4, 3, 2, 1, 0)]
    check_status(lab, "filled", 5)


def test_manual_runs_of_every_kind_take_the_window_that_is_meant(lab: Lab) -> None:
    """Without a date, with one, with a window's start, and with a window in the form."""
    day = lab.day(5)
    form = {"window_start": day.to_json()["start"], "window_end": day.to_json()["end"]}
    for run, expected in (
        (lab.trigger("filled"), lab.last),
        (lab.trigger("filled", lab.day(1).end + dt.timedelta(hours=12)), lab.day(1)),
        (lab.trigger("filled", day.start), day),
        (lab.trigger("filled", **form), day),
    ):
        assert run.wait() == "success", run.states()
        assert run.xcom("plan", "plan")["window"] == expected.to_json()
