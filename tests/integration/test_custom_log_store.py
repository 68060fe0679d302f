"""A log store that somebody else wrote: the package in `examples`, built, installed, and named as any other."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bifrost_export.airflow.dag_page import page
from bifrost_export.cli.group import execute
from bifrost_export.config.freezing import freeze
from bifrost_export.config.loader import load
from bifrost_export.errors import OtherLogStoreError
from bifrost_export.registry import LOG_STORES
from bifrost_export.window import UTC, Window
from tests.integration.built_examples import built, installed
from tests.integration.exports import Export

DAY = Window.parse("2026-03-01", "2026-03-02")
FILTERS = {"providers": ["openai", "anthropic"], "min_latency_ms": 300}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as a wheel."""
    return built("custom_log_store", tmp_path_factory.mktemp("dist"))


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Iterator[Path]:
    """The example, installed."""
    with installed(wheel, tmp_path / "site"):
        yield tmp_path / "site"


@pytest.fixture
def archive(log_store: Path, tmp_path: Path) -> Path:
    """The rows of the sample log store as a folder of Parquet files, one a day."""
    folder = tmp_path / "archive"
    folder.mkdir()
    with closing(sqlite3.connect(log_store)) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM logs ORDER BY rowid")]
    for row in rows:
        row["timestamp"] = dt.datetime.fromisoformat(row["timestamp"]).astimezone(UTC)
    schema = pa.Table.from_pylist(rows).schema
    for day in {row["timestamp"].date() for row in rows}:
        some = [row for row in rows if row["timestamp"].date() == day]
        pq.write_table(pa.Table.from_pylist(some, schema), folder / f"{day}.parquet")
    return folder


def from_archive(folder: Path, archive: Path, **data: Any) -> Export:
    """An export of the archive."""
    return Export(folder, archive, data, source={"type": "parquet_logs", "config": {"path": str(archive)}})


ALL = ["request_logs", "response_logs", "error_logs", "metrics"]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "data",
    [{"include": ALL, "include_content": True}, {"filters": FILTERS}, {"extra_fields": ["virtual_key_id", "stream"]}],
    ids=str,
)
def test_a_run_exports_the_rows_that_sqlite_has(
    data: dict[str, Any], tmp_path: Path, log_store: Path, archive: Path
) -> None:
    """To the byte, with the same books; the manifest names the log store."""
    original, archived = Export(tmp_path / "sqlite", log_store, data), from_archive(tmp_path / "out", archive, **data)
    original.run(DAY)
    archived.run(DAY)

    one, other = archived.manifest(DAY), original.manifest(DAY)
    assert one["source"] == {"type": "parquet_logs", "path": str(archive)}
    assert sorted(archived.parts().values()) == sorted(original.parts().values()) != []
    for name, told in one["datasets"].items():
        assert told["exported"] == other["datasets"][name]["exported"] > 0
        assert told["filtered"] == other["datasets"][name]["filtered"]


@pytest.mark.usefixtures("site")
def test_traces_of_a_log_store_without_tool_calls_have_its_requests(tmp_path: Path, archive: Path) -> None:
    """One span for each request at least; what it lacks counts as nothing."""
    export = from_archive(tmp_path / "traces", archive, include=["traces", "request_logs"])
    export.run(DAY)

    found = export.manifest(DAY)["datasets"]
    assert found["traces"]["exported"] == found["request_logs"]["exported"] > 0


@pytest.mark.usefixtures("site")
def test_a_window_of_another_log_store_is_not_replaced(tmp_path: Path, log_store: Path, archive: Path) -> None:
    """As between two built-in ones."""
    Export(tmp_path, log_store).run(DAY)

    with pytest.raises(OtherLogStoreError):
        from_archive(tmp_path, archive).run(DAY)
    from_archive(tmp_path, archive).run(DAY, replace_source=True)


@pytest.mark.usefixtures("site")
def test_every_command_takes_it(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`validate`, `plan`, `check`, `preview`, `run`, `status` and `verify`; what it doesn't tell is no step."""
    export = from_archive(tmp_path / "one", archive)
    path = str(export.document())

    def told(*words: str) -> Any:
        capsys.readouterr()
        assert execute([words[0], path, *words[1:], "--format", "json"]) == 0, capsys.readouterr()
        return json.loads(capsys.readouterr().out)

    assert told("validate")["ok"]
    assert told("plan")
    steps = {each["what"]: each for each in told("check")["checks"]}
    found = [what.removeprefix("log store: ") for what in steps if what.startswith("log store: ")]
    assert found == ["open", "table logs", "columns", "count"]
    assert steps["log store: open"]["message"] == f"type parquet_logs, path {archive}"
    assert told("preview", "--export", "nightly", "--window-start", "2026-03-01", "--window-end", "2026-03-02")
    window = ("--window-start", "2026-03-01", "--window-end", "2026-03-02")
    assert execute(["run", path, "--export", "nightly", *window]) == 0
    assert told("status")
    manifest = export.out / f"logs/_manifests/nightly/{DAY.name}.json"
    assert execute(["verify", str(manifest)]) == 0
    assert json.loads(manifest.read_text())["datasets"]["request_logs"]["exported"] > 100


@pytest.mark.usefixtures("site")
def test_schema_and_page_know_what_is_installed(tmp_path: Path, archive: Path) -> None:
    """An editor completes its keys, and the page tells where rows come from."""
    assert LOG_STORES.names() == ["parquet_logs", "postgres", "sqlite"]
    [loaded] = load(from_archive(tmp_path, archive).document()).exports
    assert "Read from**: parquet\\_logs, path" in page(loaded.good, freeze(loaded), "0" * 64)

    wrong = Export(tmp_path / "w", archive, source={"type": "parquet_logs", "config": {"pth": str(archive)}})
    problems = {each.pointer: each for each in load(wrong.document()).errors}
    assert problems["/log_exports/source/config/pth"].hint == "Did you mean 'path'?"


def test_without_its_package_the_document_says_so(tmp_path: Path, archive: Path) -> None:
    """With the log stores that there are."""
    [problem] = load(from_archive(tmp_path, archive).document()).errors
    assert (problem.pointer, problem.message) == ("/log_exports/source/type", "there is no log store 'parquet_logs'")
    assert problem.allowed == "postgres, sqlite"


def test_another_process_finds_it_and_parsing_imports_no_pyarrow(site: Path, tmp_path: Path, archive: Path) -> None:
    """By its entry point alone."""
    path = from_archive(tmp_path / "one", archive).document()
    script = "import sys; from bifrost_export.config.loader import load; from pathlib import Path\n"
    script += "print(load(Path(sys.argv[1])).errors, 'pyarrow' in sys.modules, 'bifrost_parquet_logs' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["[]", "False", "True"]


@pytest.mark.usefixtures("site")
def test_a_folder_that_is_gone_or_half_written_fails_with_what_to_do(
    tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` tells it at its step."""
    (archive / "2027.parquet").write_bytes(b"PAR1half")
    path = str(from_archive(tmp_path / "one", archive).document())

    def failed() -> list[str]:
        capsys.readouterr()
        assert execute(["check", path, "--format", "json"]) != 0
        checks = json.loads(capsys.readouterr().out)["checks"]
        return [f"{each['what']}: {each['message']}: {each['hint']}" for each in checks if not each["ok"]]

    assert failed()[0].startswith("log store: count: the Parquet files of")
    assert "no file is half written" in failed()[0]
    shutil.rmtree(archive)
    assert failed()[0].startswith(f"log store: open: {archive} has no file *.parquet: Set source.config.path")
