"""An export under a new name is told that the old one has published its windows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from tests.integration.commands import Desk, bucket_of
from tests.servers.buckets import Buckets

WINDOW = ("--window-start", "2026-03-01", "--window-end", "2026-03-02")
TOLD = "the export 'nightly', which no document names, has published [2026-03-01T00:00:00Z, 2026-03-02T00:00:00Z)"
START = "set schedule.start_date of 'renamed' to 2026-03-03T00:00:00Z, where 'nightly' ended"


def rename(desk: Desk, name: str = "renamed") -> str:
    """The document, with the export under another name."""
    path = Path(desk.document)
    path.write_text(path.read_text().replace('"name": "nightly"', f'"name": "{name}"'))
    return str(path)


def ask(desk: Desk, command: str, *arguments: str) -> tuple[int, Any, str]:
    """Exit code, JSON and standard error of a command on a document that is written already."""
    code = execute([command, *arguments, "--format", "json"])
    printed = desk.capsys.readouterr()
    return code, json.loads(printed.out), printed.err


def warnings_of(found: Any) -> list[str]:
    """What `plan` warns of."""
    return [each for export in found["exports"] for each in export.get("warnings", [])]


@pytest.fixture
def published(desk: Desk) -> Desk:
    """A desk with two published days."""
    desk.run("2026-03-01", "2026-03-02")
    desk.run("2026-03-02", "2026-03-03")
    return desk


def test_a_run_under_another_name_is_warned(published: Desk) -> None:
    """And told where to start; it is a warning, and the second time there is none."""
    path = rename(published)
    code, _, err = ask(published, "run", path, "--export", "renamed", *WINDOW)
    assert (code, TOLD in err, START in err) == (0, True, True)
    code, _, err = ask(published, "run", path, "--export", "renamed", *WINDOW)
    assert (code, "warning" in err) == (0, False)


def test_plan_and_validate_look_at_local_files(published: Desk) -> None:
    """`validate` at the windows that the export's first runs would take."""
    path = rename(published)
    code, found, _ = ask(published, "plan", path, "--from", "2026-03-01", "--count", "2")
    assert (code, [TOLD in each for each in warnings_of(found)]) == (0, [True])
    assert warnings_of(ask(published, "plan", path, "--from", "2026-03-03", "--count", "2")[1]) == []
    assert ask(published, "validate", path)[1]["problems"] == []

    published.schedule = {"frequency": "daily", "start_date": "2026-03-01", "catchup": True}
    path = rename(published)
    code, found, _ = ask(published, "validate", path)
    (problem,) = found["problems"]
    assert (code, problem["severity"], problem["pointer"]) == (0, "warning", "/log_exports/exports/0/name")
    assert (TOLD in problem["message"], START in problem["hint"]) == (True, True)

    published.schedule = {"frequency": "daily", "start_date": "2026-03-03", "catchup": True}
    assert ask(published, "validate", rename(published))[1]["problems"] == []


def test_check_looks_at_every_destination(desk: Desk, buckets: Buckets) -> None:
    """A step of its own, which passes, with what to know."""
    desk.destination = bucket_of(buckets)
    desk.run("2026-03-01", "2026-03-02")
    desk.schedule = {"frequency": "daily", "start_date": "2026-03-01", "catchup": True}
    assert all("other exports" not in each["what"] for each in ask(desk, "check", desk.document)[1]["checks"])
    path = rename(desk)

    code, found, _ = ask(desk, "check", path)

    (step,) = [each for each in found["checks"] if each["what"] == "destination: other exports"]
    assert (code, step["ok"], TOLD in step["message"], "start_date" in step["hint"]) == (0, True, True, True)
    code, _, err = ask(desk, "run", path, "--export", "renamed", *WINDOW)
    assert (code, TOLD in err) == (0, True)


def test_an_export_of_the_document_or_of_one_beside_it_is_none(published: Desk, tmp_path: Path) -> None:
    """Whichever file of the folder names it, be it disabled or broken."""
    published.others = [{"name": "other", "schedule": {"frequency": "daily"}, "destination": published.destination}]
    local = {"type": "local", "config": {"path": "out", "prefix": "logs/{day}/"}}
    published.others[0]["destination"] = local
    assert TOLD not in ask(published, "run", published.document, "--export", "other", *WINDOW)[2]
    published.others = []

    folder = tmp_path / "documents"
    folder.mkdir()
    text = json.loads(Path(rename(published)).read_text())
    text["log_exports"]["exports"][0]["destination"]["config"]["path"] = str(published.out)
    (folder / "a.json").write_text(json.dumps(text))
    text["log_exports"]["exports"] = [{"name": "nightly", "enabled": False, "schedule": {}}]
    (folder / "b.json").write_text(json.dumps(text))
    assert TOLD not in ask(published, "run", str(folder), "--export", "renamed", *WINDOW)[2]


def test_in_airflow_the_other_documents_of_the_folder_count_too(
    published: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DAG is given its own file alone; BIFROST_EXPORT_CONFIG names the folder."""
    folder = tmp_path / "documents"
    folder.mkdir()
    text = json.loads(Path(rename(published)).read_text())
    text["log_exports"]["exports"][0]["destination"]["config"]["path"] = str(published.out)
    (folder / "a.json").write_text(json.dumps(text))
    text["log_exports"]["exports"][0]["name"] = "nightly"
    (folder / "b.json").write_text(json.dumps(text))
    monkeypatch.setenv("BIFROST_EXPORT_CONFIG", str(folder))
    own = str(folder / "a.json")
    assert "warning" not in ask(published, "run", own, "--export", "renamed", *WINDOW, "--dry-run")[2]
    (folder / "b.json").unlink()
    assert TOLD in ask(published, "run", own, "--export", "renamed", *WINDOW, "--dry-run")[2]


def test_another_log_store_another_time_and_a_withdrawn_window_are_none(published: Desk, tmp_path: Path) -> None:
    """Nothing is exported twice."""
    manifest = published.out / "logs/_manifests/nightly/20260301T000000Z_20260302T000000Z.json"
    path = rename(published)
    later = ("--window-start", "2026-03-03", "--window-end", "2026-03-04")
    assert "warning" not in ask(published, "run", path, "--export", "renamed", *later)[2]
    manifest.write_text(manifest.read_text().replace('"withdrawn": false', '"withdrawn": true', 1))
    assert "warning" not in ask(published, "run", path, "--export", "renamed", *WINDOW, "--dry-run")[2]
    published.log_store = Path(shutil.copy(published.log_store, tmp_path / "other.db"))
    next_day = ("--window-start", "2026-03-02", "--window-end", "2026-03-03")
    assert "warning" not in ask(published, "run", rename(published), "--export", "renamed", *next_day)[2]


@pytest.mark.parametrize("data", [b"{}", b"not json", b"[" * 5_000, b""], ids=["empty", "text", "nested", "nothing"])
def test_what_is_no_manifest_is_passed_over(published: Desk, data: bytes) -> None:
    """It never fails a run."""
    folder = published.out / "logs/_manifests"
    (folder / "nightly" / "20260301T000000Z_20260302T000000Z.json").write_bytes(data)
    (folder / "nightly" / "x.json").write_bytes(data)
    (folder / "stray.json").write_bytes(data)
    code, _, err = ask(published, "run", rename(published), "--export", "renamed", *WINDOW)
    assert (code, "warning" in err) == (0, False)
