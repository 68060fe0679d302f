"""Staging as the steps of a run and the command line use it: compared, private, and gone when nobody needs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.errors import StagingChangedError
from bifrost_export.pipeline import run as steps
from bifrost_export.pipeline.aggregate import aggregate
from bifrost_export.pipeline.extract import extract
from bifrost_export.pipeline.filter import filter_slice
from bifrost_export.pipeline.load import load
from bifrost_export.pipeline.plan import PlanRequest, plan
from bifrost_export.pipeline.plan_document import Plan
from bifrost_export.pipeline.reconcile import reconcile
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.pipeline.transform import transform
from bifrost_export.window import Window
from tests.integration.commands import Desk
from tests.integration.exports import AFTERWARDS, Export
from tests.servers.buckets import Buckets
from tests.support.odd_rows import plant

DAY = Window.parse("2026-03-01", "2026-03-02")
WINDOW = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")
OLD = "20260101T000000Z_20260102T000000Z__22222222"
DATA = {
    "include": ["request_logs", "metrics", "traces"],
    "filters": {"has_errors": False},
    "transformations": [{"type": "enrich", "add_fields": {"team": "core"}, "datasets": ["request_logs"]}],
}


@dataclass
class Bench:
    """The steps of one run, and whoever can write to its staging between two of them.

    Args:
        export: What is run.
        staged: Gives the names of all staged files.
        replace: Puts other bytes in the place of one.
    """

    export: Export
    staged: Callable[[], list[str]]
    replace: Callable[[str, Callable[[bytes], bytes]], None]

    def __post_init__(self) -> None:
        """Plan the run."""
        self.runtime = Runtime(now=lambda: AFTERWARDS)
        request = PlanRequest(str(self.export.document()), "nightly", DAY, "test")
        self.plan: Plan = plan(self.runtime, request)

    def step_by_step(self, upto: str) -> Any:
        """What the last step before `upto` hands on; then a function that runs that step."""
        item = extract(self.runtime, self.plan, self.plan.items()[0])
        if upto == "filter":
            return lambda: filter_slice(self.runtime, self.plan, item)
        filtered = filter_slice(self.runtime, self.plan, item)
        if upto == "transform":
            return lambda: transform(self.runtime, self.plan, filtered)
        transformed = transform(self.runtime, self.plan, filtered)
        if upto == "aggregate":
            return lambda: aggregate(self.runtime, self.plan, [transformed])
        reconciled = reconcile(self.runtime, self.plan, aggregate(self.runtime, self.plan, [transformed]))
        return lambda: [load(self.runtime, self.plan, group) for group in reconciled["groups"]]


@pytest.fixture(params=["on a disk", "in a bucket"])
def bench(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    log_store: Path,
    buckets: Buckets,
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    """A run over rows of which some are rejected."""
    plant(log_store, DAY)
    if request.param == "on a disk":
        root = tmp_path / "export" / "staging"

        def replace(name: str, change: Callable[[bytes], bytes]) -> None:
            (root / name).write_bytes(change((root / name).read_bytes()))

        def listed() -> list[str]:
            return [path.relative_to(root).as_posix() for path in root.rglob("*.*") if path.is_file()]

        return Bench(Export(tmp_path / "export", log_store, DATA), listed, replace)
    bucket = buckets.make_bucket()
    connection = {
        "conn_type": "aws",
        "login": buckets.server.access_key_id,
        "password": buckets.server.secret_access_key,
        "extra": {"endpoint_url": buckets.url, "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_STAGING_BUCKET", json.dumps(connection))

    def replace_object(name: str, change: Callable[[bytes], bytes]) -> None:
        buckets.client.put_object(Bucket=bucket, Key=name, Body=change(buckets.contents(bucket)[name]))

    staging = {"url": f"s3://{bucket}", "conn_id": "staging_bucket"}
    export = Export(tmp_path / "export", log_store, DATA, staging=staging)
    return Bench(export, lambda: list(buckets.contents(bucket)), replace_object)


def flipped(body: bytes) -> bytes:
    """The same bytes but for one."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


READ_BY = {
    "filter": [".logs.extract.", ".rejected."],
    "transform": [".request_logs.filter."],
    "aggregate": [".metrics.filter."],
    "load": [".request_logs.1-enrich.", "/all.metrics.", ".traces.filter.", ".reported."],
}
"""By step, a part of the name of each kind of staged file that it reads."""


@pytest.mark.parametrize("change", [flipped, lambda body: body[:-1]], ids=["changed", "cut short"])
@pytest.mark.parametrize("step", READ_BY)
def test_no_step_takes_a_staged_file_that_somebody_else_has_written(
    bench: Bench, step: str, change: Callable[[bytes], bytes]
) -> None:
    """Arrow files and rejected rows alike: the step names the file and what to clear, and nothing is published."""
    run = bench.step_by_step(step)
    for kind in READ_BY[step]:
        [name] = [name for name in bench.staged() if kind in name]
        kept: list[bytes] = []

        def tampered(body: bytes, kept: list[bytes] = kept) -> bytes:
            kept.append(body)
            return change(body)

        bench.replace(name, tampered)
        told = f"the staged file .*{name.rpartition('/')[2]} was changed.*clear from plan"
        with pytest.raises(StagingChangedError, match=told):
            run()
        bench.replace(name, lambda _, kept=kept: kept[0])

    run()
    assert not list(bench.export.out.rglob("_manifests/**/*.json"))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's folder of temporary files, below which the command line stages without a URL."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("AIRFLOW_HOME")
    return folder


def broken(*_: Any, **__: Any) -> None:
    """Stand in for a step that fails."""
    raise OSError("the disk went away")


def interrupted(*_: Any, **__: Any) -> None:
    """Stand in for a step during which somebody types Ctrl-C."""
    raise KeyboardInterrupt


def run(desk: Desk, *arguments: str) -> tuple[int, str]:
    """Exit code and messages of a run."""
    window = ("--window-start", WINDOW[0], "--window-end", WINDOW[1])
    code, _, messages = desk.shown("run", "--export", "nightly", *window, *arguments)
    return code, messages


@pytest.mark.parametrize("step", ["extract", "transform", "reconcile", "load", "publish"])
@pytest.mark.parametrize("failing", [broken, interrupted])
def test_a_command_that_fails_removes_what_it_staged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, failing: Callable[..., None]
) -> None:
    """By an error or by Ctrl-C: no later task goes on from it."""
    monkeypatch.setattr(steps, step, failing)

    code, _ = run(desk)

    assert code == 1
    assert list((desk.folder / "staging").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_asked_to_end_removes_what_it_staged(desk: Desk, number: signal.Signals) -> None:
    """As systemd and Kubernetes end a process, or a terminal that is closed."""
    script = """
import sys, time
from bifrost_export.cli import group
from bifrost_export.pipeline import run

def slow(*_):
    print("loading", file=sys.stderr, flush=True)
    time.sleep(60)

run.load = slow
group.main()
"""
    arguments = ["run", desk.document, "--export", "nightly", "--window-start", WINDOW[0], "--window-end", WINDOW[1]]
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("loading" in line for line in process.stderr)
        assert list((desk.folder / "staging").rglob("*.arrow"))
        process.send_signal(number)
        _, messages = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "error: interrupted." in messages
    assert list((desk.folder / "staging").iterdir()) == []


def test_runs_that_always_fail_do_not_fill_the_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`plan` removes what killed runs have left after `keep_days`: folders of runs with their marker, nothing else."""
    monkeypatch.setattr(steps, "extract", broken)
    root = desk.folder / "staging"
    marker = json.dumps({"planned_at": "2026-01-02T00:00:00Z", "run_id": "killed"})
    kept = [f"nightly/{OLD}-mine/a.arrow", "notes.txt", f"nightly/{OLD.replace('2222', '3333')}/a.arrow"]
    for name in (f"nightly/{OLD}/plan.json", f"nightly/{OLD}/a.arrow", f"other/{OLD}/plan.json", *kept):
        path = root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(marker if path.name == "plan.json" else "rows")
    for folder in (root, root / "nightly", root / "other"):
        folder.chmod(0o700)

    code, messages = run(desk)

    assert code == 1
    assert "removed what 2 former runs left in staging" in messages
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()) == sorted(kept)


def test_staging_that_can_not_be_swept_stops_no_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a warning."""
    from bifrost_export.errors import DestinationError
    from bifrost_export.pipeline.staging import Staging

    def refused(*_: Any, **__: Any) -> list[str]:
        raise DestinationError("the bucket can't be listed")

    sweep = Staging.sweep
    monkeypatch.setattr(Staging, "sweep", lambda self, keep, now, run_id=None: refused() if run_id is None else [])

    code, messages = run(desk)

    assert sweep is not Staging.sweep
    assert code == 0
    assert "warning: staging of former runs could not be swept: the bucket can't be listed" in messages


@pytest.mark.parametrize("kind", ["open", "link"])
def test_a_default_folder_that_somebody_else_made_is_refused(desk: Desk, temporary: Path, kind: str) -> None:
    """Its name can be guessed, and everyone can write to the machine's folder of temporary files."""
    desk.staging = {"keep_days": 7}
    folder = temporary / f"bifrost-export-{os.getuid()}"
    theirs = temporary / "theirs"
    theirs.mkdir()
    folder.symlink_to(theirs) if kind == "link" else folder.mkdir()

    code, messages = run(desk)

    assert code == 1
    assert f"the staging folder {folder} is" in messages
    assert "log_exports.staging.url" in messages
    assert list(theirs.iterdir()) == []
    assert list(folder.iterdir()) == []


def test_without_a_folder_for_temporary_files_the_key_is_named(
    desk: Desk, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container with a read-only root, and no staging.url."""
    desk.staging = {"keep_days": 7}
    told = f"No usable temporary directory found in ['{temporary}']"

    def none() -> str:
        raise FileNotFoundError(2, told)

    monkeypatch.setattr(tempfile, "gettempdir", none)

    code, messages = run(desk)

    assert code == 1
    assert f"there is no folder to stage rows in: {told}" in messages
    assert "Set log_exports.staging.url." in messages
    assert "not an error that we expected" not in messages


def test_a_folder_that_can_not_be_made_names_the_key(desk: Desk) -> None:
    """Below a file, say, or on a read-only disk."""
    (desk.folder / "file").write_text("")
    desk.staging = {"url": (desk.folder / "file" / "staging").as_uri()}

    code, messages = run(desk)

    assert code == 1
    assert "staging in" in messages
    assert "or set log_exports.staging.url to another folder or an object store" in messages


def test_validate_finds_a_staging_url_that_can_not_work(desk: Desk) -> None:
    """With the place and what is allowed, before anything runs."""
    desk.staging = {"url": "staging/rows"}

    code, found = desk.told("validate")

    assert code == 2
    [problem] = found["problems"]
    assert problem["pointer"] == "/log_exports/staging/url"
    assert "absolute path" in problem["hint"]
