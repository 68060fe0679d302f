"""Each block of code that the documentation shows is valid, whatever its language."""

from __future__ import annotations

import json
import pydoc
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pytest
import sqlglot
import yaml

from bifrost_export.cli.group import COMMANDS, bifrost_export
from bifrost_export.config.loader import load
from bifrost_export.registry import DESTINATIONS, FORMATS, LOG_STORES, TRANSFORMS
from tests.docs.pages import ROOT, Block, as_document, blocks, blocks_of, code_in, name_of, pages, prose_of

LANGUAGES = {"", "text", "json", "yaml", "toml", "sh", "sql", "python", "dockerfile"}
_DIALECTS = {"docs/reading.md": "duckdb", "docs/log_stores.md": "postgres", "docs/destinations/redshift.md": "redshift"}
HISTORY = "docs/changelog.md"
"""It may name commands that are gone."""
_SHOWN_ONLY = {"my_company.logs": "transformations"}


@pytest.fixture(autouse=True)
def _extensions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the packages importable that the pages name."""
    examples = {"custom_format": FORMATS, "custom_transform": TRANSFORMS, "custom_log_store": LOG_STORES}
    for example, registry in examples.items():
        monkeypatch.syspath_prepend(str(ROOT / "examples" / example))
        project = tomllib.loads((ROOT / "examples" / example / "pyproject.toml").read_text("utf-8"))
        (points,) = project["project"]["entry-points"].values()
        for name, path in points.items():
            monkeypatch.setitem(registry.built_in, name, path)
    for module, page in _SHOWN_ONLY.items():
        package = tmp_path / "lib" / module.partition(".")[0]
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / f"{module.partition('.')[2]}.py").write_text(
            next(each.text for each in blocks_of(f"docs/{page}.md") if each.language == "python"), "utf-8"
        )
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))


def test_every_block_names_a_language_that_is_checked() -> None:
    """A block of another language would be checked by nobody."""
    for page in pages():
        for block in blocks_of(name_of(page)):
            assert block.language in LANGUAGES, block


@pytest.mark.parametrize("block", blocks("json", "yaml"), ids=str)
def test_every_document_shown_is_valid(block: Block, tmp_path: Path) -> None:
    """Without an error; a part of a document is completed first."""
    value = json.loads(block.text) if block.language == "json" else yaml.safe_load(block.text)
    document = as_document(value)
    if document is not None:
        path = tmp_path / f"log_exports.{block.language}"
        # The text itself where it is a whole document, since its form matters.
        path.write_text(block.text if document == value else json.dumps(document), "utf-8")
        assert [str(problem) for problem in load(path).errors] == []


def test_enough_documents_are_shown() -> None:
    """The check of documents would pass over all of them if it recognized none."""
    found = [as_document(json.loads(block.text)) for block in blocks("json")]
    assert sum(each is not None for each in found) >= 25


def test_the_example_is_the_published_one() -> None:
    """Readers copy it from either file."""
    shown = next(each for each in blocks_of("docs/document.md") if each.language == "json")
    assert json.loads(shown.text) == json.loads((ROOT / "include" / "log_exports.json").read_text("utf-8"))


def code_shown() -> list[str]:
    """Return every line of shell blocks, and every span of code in prose."""
    lines = [line for block in blocks("sh") for line in block.text.splitlines()]
    named = [name_of(page) for page in pages()]
    return lines + [each for name in named if name != HISTORY for each in code_in(prose_of(name))]


def commands_shown() -> list[str]:
    """Return every command line of `bifrost-export`, without those that only name it."""
    lines = code_shown()
    return sorted({line for line in lines if re.match(r"bifrost-export [a-z-]", line)})


@pytest.mark.parametrize("line", commands_shown())
def test_every_command_shown_is_known_with_its_options(line: str) -> None:
    """To click."""
    _, name, *arguments = shlex.split(line.replace(r"\|", "|").replace("[", "").replace("]", ""))
    assert name in COMMANDS
    context = click.Context(bifrost_export, info_name="bifrost-export", obj=None)
    command = bifrost_export.get_command(context, name)
    assert command is not None
    if arguments not in (["OPTIONS", "CONFIG"], ["OPTIONS", "MANIFEST"], ["OPTIONS", "OUT"], ["OPTIONS"]):
        command.make_parser(click.Context(command, info_name=name)).parse_args(arguments)


def test_every_make_target_shown_exists() -> None:
    """As the Makefile has them."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {found[1] for line in code_shown() if (found := re.match(r"make ([a-z-]+)", line))}
    assert {"demo", "ui", "docs"} <= shown <= targets


def test_every_extra_shown_exists() -> None:
    """In pyproject.toml; the table has them all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    shown = {found for page in pages() for found in re.findall(r"bifrost-export\[(\w+)\]", page.read_text("utf-8"))}
    assert shown <= set(project["optional-dependencies"])
    rows = re.findall(r"^\| `(\w+)` \| ", (ROOT / "docs/deploying.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(rows[: len(project["optional-dependencies"])]) == sorted(project["optional-dependencies"])


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_every_python_block_compiles(block: Block) -> None:
    """Tests of their own run those that can be run."""
    compile(block.text, str(block), "exec")


def test_the_function_of_ones_own_that_is_shown_does_what_it_says() -> None:
    """It adds the region and removes the customer, as its `columns` declare."""
    (shown,) = [each for each in blocks_of("docs/transformations.md") if each.language == "python"]
    names: dict[str, Any] = {}
    exec(compile(shown.text, str(shown), "exec"), names)  # noqa: S102 (the page's own code)
    rows = pa.table({"customer_id": ["eu-1", "us-1", ""], "model": ["a", "b", "c"]})
    assert names["add_region"](rows).to_pydict() == {"model": ["a", "b", "c"], "region": ["eu", "other", "other"]}


GROUPS = {each.group for each in (DESTINATIONS, FORMATS, LOG_STORES, TRANSFORMS)}


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_module_class_and_file_of_the_package_that_is_named_exists(page: Path) -> None:
    """The public names of the pages on extending, say."""
    for name in code_in(prose_of(name_of(page))):
        if re.fullmatch(r"bifrost_export(\.\w+)+", name) and name not in GROUPS:
            assert pydoc.locate(name) is not None, name
        if re.fullmatch(r"(bifrost_export|bench|dags|examples|include|tools)/[\w./]+", name) and "*" not in name:
            assert (ROOT / name).exists() or name.startswith("bifrost_export/dag_files"), name


@pytest.mark.parametrize("block", blocks("sql"), ids=str)
def test_every_sql_block_is_valid_in_its_dialect(block: Block) -> None:
    """Which the comment above it, or its page, says."""
    dialect = block.mark.removeprefix("sql: ") if block.mark else _DIALECTS[block.page]
    statements = sqlglot.parse(block.text, dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    assert [each for each in statements if each is not None]


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_every_entry_point_shown_is_one_of_a_group(block: Block) -> None:
    """Of those that the registry reads."""
    shown = tomllib.loads(block.text)["project"]["entry-points"]
    assert set(shown) <= GROUPS


@pytest.mark.parametrize("example", sorted(each.name for each in (ROOT / "examples").glob("custom_*")))
def test_the_entry_point_of_each_example_is_shown(example: str) -> None:
    """As its pyproject.toml has it."""
    project = (ROOT / "examples" / example / "pyproject.toml").read_text("utf-8")
    assert [block.text in project for block in blocks("toml")].count(True) == 1


@pytest.mark.parametrize("block", blocks("dockerfile"), ids=str)
def test_every_file_that_an_image_copies_exists(block: Block) -> None:
    """In the repository."""
    copied = [line.split()[1:-1] for line in block.text.splitlines() if line.startswith("COPY")]
    files = [each for line in copied for each in line if not each.startswith("--")]
    assert files
    assert all((ROOT / each).is_file() for each in files)
