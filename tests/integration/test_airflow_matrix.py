"""Every task of a run in Airflow: killed before and after its work, its supervisor killed, failed and cleared.

Each case exports a window of its own, and must publish what the command line publishes for it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifrost_export.window import Window, rfc3339
from tests.integration.airflow_lab import Lab, Run, local_export, running_lab

pytestmark = [pytest.mark.airflow, pytest.mark.long]

TASKS = ("plan", "extract", "filter", "transform", "aggregate", "reconcile", "load", "publish", "clean_up")
_PIECES = itertools.count()
_PIECE = dt.timedelta(hours=3)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An Airflow that notices quickly when a supervisor has died."""
    folder = tmp_path_factory.mktemp("matrix")
    variables = {
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    }
    with running_lab(folder, [local_export("matrix", folder / "out" / "matrix")], variables) as running:
        yield running


def start(lab: Lab) -> tuple[Run, Window]:
    """Start a run of a window that no other case exports."""
    begin = lab.day(5).start + next(_PIECES) * _PIECE
    window = Window(begin, begin + _PIECE)
    return lab.trigger("matrix", window_start=rfc3339(window.start), window_end=rfc3339(window.end)), window


def assert_as_undisturbed(lab: Lab, run: Run, window: Window, out: Path) -> None:
    """The run is green, and the destination holds what an undisturbed run writes; staging is empty."""
    assert run.wait() == "success", run.states()
    published = lab.published("matrix", window)
    assert published
    assert published == lab.by_command_line("matrix", window, out)
    assert [each for each in (lab.folder / "staging" / "matrix").rglob("*") if window.name in each.name] == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("task_id", TASKS)
def test_a_killed_task_is_tried_again_and_the_run_ends_well(
    lab: Lab, tmp_path: Path, task_id: str, moment: str
) -> None:
    """Before its step has worked, and after it, when its answer is lost."""
    fault = lab.fault("matrix", task_id, moment)
    run, window = start(lab)

    assert_as_undisturbed(lab, run, window, tmp_path / "out")

    assert not fault.exists()
    assert run.tries(task_id) == 2


@pytest.mark.parametrize("task_id", TASKS)
def test_a_failed_task_is_cleared_and_the_run_ends_well(lab: Lab, tmp_path: Path, task_id: str) -> None:
    """It and what follows it; the log store isn't read again behind `extract`."""
    lab.fault("matrix", task_id, "fail")
    run, window = start(lab)
    assert run.wait() == "failed"
    assert run.states()[task_id] == {"failed"}

    run.clear(task_id)

    assert_as_undisturbed(lab, run, window, tmp_path / "out")
    if TASKS.index(task_id) > TASKS.index("extract"):
        assert run.tries("extract") == 1


@pytest.mark.parametrize("task_id", ["extract", "load", "publish"])
def test_a_task_whose_supervisor_is_killed_writes_on_beside_its_retry_and_does_no_harm(
    lab: Lab, tmp_path: Path, task_id: str
) -> None:
    """The orphan works at the same time as the second try, or before it, under the same plan."""
    fault = lab.fault("matrix", task_id, "orphan")
    run, window = start(lab)

    assert_as_undisturbed(lab, run, window, tmp_path / "out")

    assert not fault.exists()
    assert run.tries(task_id) == 2


@pytest.mark.parametrize("task_id", TASKS)
def test_a_task_that_is_cleared_after_success_changes_nothing(lab: Lab, tmp_path: Path, task_id: str) -> None:
    """From `plan` on the window is read anew and found unchanged; `publish` finds its own commit.

    What needs the staging that `clean_up` has removed says so and what to clear.
    """
    run, window = start(lab)
    assert run.wait() == "success", run.states()
    before = lab.published("matrix", window)

    run.clear(task_id)

    needs_staging = TASKS.index("extract") <= TASKS.index(task_id) <= TASKS.index("load")
    assert run.wait() == ("failed" if needs_staging else "success"), run.states()
    assert lab.published("matrix", window) == before
    if needs_staging:
        assert "Clear from plan" in run.log(task_id if task_id in ("extract", "filter") else "load")
        run.clear("plan")
    assert_as_undisturbed(lab, run, window, tmp_path / "out")
