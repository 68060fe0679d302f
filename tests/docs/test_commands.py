"""The commands that the documentation shows run, one after the other, and do what it says."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifrost_export.airflow.dag_factory import build_dags
from bifrost_export.airflow.document_search import find_document
from bifrost_export.cli.group import execute
from tests.docs.pages import Block, blocks, blocks_of, code_in, table_rows


def commands(block: Block) -> list[str]:
    """Return the command lines of `bifrost-export` in a block."""
    return [line for line in block.text.splitlines() if line.startswith("bifrost-export ")]


def run_all(lines: list[str]) -> str:
    """Run command lines in this folder, and return what they print.

    Raises:
        AssertionError: One of them fails.
    """
    printed = io.StringIO()
    for line in lines:
        with contextlib.redirect_stdout(printed):
            code = execute(shlex.split(line)[1:])
        assert code == 0, (line, printed.getvalue()[-2000:])
    return printed.getvalue()


def prepare(folder: Path, page: str) -> list[str]:
    """Write the document of a page into a folder, and return its command lines."""
    document = next(each.text for each in blocks_of(page) if each.language == "json" and '"try_it"' in each.text)
    (folder / "log_exports.json").write_text(document, "utf-8")
    return [line for block in blocks_of(page) if block.language == "sh" for line in commands(block)]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder in which somebody has followed the quickstart, and what was printed."""
    folder = tmp_path_factory.mktemp("quickstart")
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder, run_all(prepare(folder, "docs/quickstart.md"))
    finally:
        os.chdir(before)


def test_the_commands_of_the_quickstart_run(quickstart: tuple[Path, str]) -> None:
    """They export what the page says they do."""
    folder, printed = quickstart
    assert "agrees 2 files" in printed
    assert {path.parent.name for path in (folder / "exports").rglob("*.parquet")} == {"request_logs", "traces"}
    assert len(list((folder / "exports" / "_manifests" / "try_it").glob("*.json"))) == 2


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder with the document of the README."""
    monkeypatch.chdir(tmp_path)
    printed = run_all(prepare(tmp_path, "README.md"))
    assert "agrees 2 files" in printed


def others() -> list[str]:
    """Return the command lines of all other pages."""
    shown = [block for block in blocks("sh") if block.page not in ("README.md", "docs/quickstart.md")]
    return sorted({line for block in shown for line in commands(block)})


@pytest.mark.parametrize("line", others())
def test_every_other_command_runs_after_the_quickstart(line: str, quickstart: tuple[Path, str]) -> None:
    """In its folder."""
    assert quickstart[0] == Path.cwd()
    run_all([line])


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("plan", "--from 2026-03-01 --count 1 --iam"),
        ("status", ""),
        ("run", "--export try_it --window-start 2026-03-01 --window-end 2026-03-02"),
    ],
)
def test_every_json_field_in_the_tables_is_printed(command: str, arguments: str, quickstart: tuple[Path, str]) -> None:
    """Warnings are there only when there is something to know."""
    assert quickstart[0] == Path.cwd()
    told = json.loads(run_all([f"bifrost-export {command} log_exports.json {arguments} --format json"]))
    printed = told if command == "run" else told["exports"][0]
    shown = {
        name for row in table_rows("docs/command_line.md", f"JSON field of `{command}`") for name in code_in(row[0])
    }
    assert shown - {"warnings"} <= set(printed)
    assert len(shown) >= 5


def test_the_python_of_the_page_on_reading_runs(quickstart: tuple[Path, str]) -> None:
    """It finds each part once, and all rows."""
    shown = [block for block in blocks_of("docs/reading.md") if block.mark.startswith("run: ")]
    assert [block.mark for block in shown] == ["run: parts", "run: pandas"]
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for block in shown:
            exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 (the page's own code)

    manifests = [json.loads(each.read_text()) for each in Path("exports/_manifests/try_it").glob("*.json")]
    rows = sum(each["datasets"]["request_logs"]["exported"] for each in manifests)
    assert len(names["logs"]) == rows > 10_000  # type: ignore[arg-type]
    assert "openai" in printed.getvalue()


def test_a_window_that_was_deleted_by_hand_is_a_gap_and_is_exported_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page on operating explains."""
    monkeypatch.chdir(tmp_path)
    run_all(prepare(tmp_path, "docs/quickstart.md"))
    folder = tmp_path / "exports"
    first = folder / "_manifests" / "try_it" / "20260301T000000Z_20260302T000000Z.json"
    manifest = json.loads(first.read_text("utf-8"))
    first.unlink()
    for dataset in manifest["datasets"].values():
        for part in dataset["parts"]:
            (folder / part["key"]).unlink()

    (before,) = json.loads(run_all(["bifrost-export status log_exports.json --format json"]))["exports"]
    run_all(["bifrost-export run log_exports.json --export try_it --from 2026-03-01 --to 2026-03-03"])
    (after,) = json.loads(run_all(["bifrost-export status log_exports.json --format json"]))["exports"]

    assert [each["windows"] for each in (before, after)] == [1, 2]
    assert json.loads(first.read_text("utf-8"))["revision"] == 1


def test_the_layout_with_a_subfolder_finds_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For platforms that synchronize the DAGs folder alone."""
    monkeypatch.delenv("BIFROST_EXPORT_CONFIG", raising=False)
    dag_file = tmp_path / "dags" / "bifrost" / "dags" / "bifrost_exports.py"
    document = tmp_path / "dags" / "bifrost" / "include" / "log_exports.json"
    document.parent.mkdir(parents=True)
    prepare(document.parent, "docs/quickstart.md")

    assert find_document(str(dag_file)) == document
    assert set(build_dags(dag_file=str(dag_file))) == {"bifrost_export__try_it"}


def test_the_dag_that_waits_for_an_export_is_valid() -> None:
    """With the asset that the export's own DAG names."""
    (shown,) = [block for block in blocks_of("docs/airflow.md") if block.language == "python"]
    names: dict[str, object] = {}
    exec(compile(shown.text, str(shown), "exec"), names)  # noqa: S102 (the page's own code)
    assert "DAG" in names
