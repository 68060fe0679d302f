"""What README.md shows is true, and runs."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifrost_export import datasets
from bifrost_export.airflow.trigger_form import trigger_form
from bifrost_export.cli.group import COMMANDS, execute
from bifrost_export.cli.run import run
from bifrost_export.config.loader import load
from bifrost_export.config.models import Data
from bifrost_export.config.texts import fields_of
from bifrost_export.destinations.bigquery.dialect import BigQueryDialect
from bifrost_export.destinations.redshift import engine as redshift_engine
from bifrost_export.destinations.redshift.dialect import RedshiftDialect
from bifrost_export.destinations.snowflake import connection as snowflake_connection
from bifrost_export.destinations.snowflake.dialect import SnowflakeDialect
from bifrost_export.destinations.warehouse import commit
from bifrost_export.destinations.warehouse.tables import OWN
from bifrost_export.filters import RULES
from bifrost_export.registry import DESTINATIONS, TRANSFORMS
from bifrost_export.transforms.anonymize import METHODS
from bifrost_export.transforms.metrics import METRICS
from docs.data_dictionary import rendered

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, as they stand."""
    fenced: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for name, text in fenced if name == language]


def table_rows(first_cell: str) -> Iterator[list[str]]:
    """The rows, cell by cell, of the table whose header begins with this cell."""
    _, _, rest = README.partition(f"| {first_cell} |")
    for line in rest.splitlines()[2:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def names_in(cell: str) -> list[str]:
    """The words of a cell that stand in code."""
    return re.findall(r"`([^`]+)`", cell)


def test_the_example_is_the_published_one() -> None:
    """Readers copy it from either place."""
    assert json.loads(blocks("json")[0]) == json.loads((ROOT / "include" / "log_exports.json").read_text("utf-8"))


@pytest.mark.parametrize("number", range(len(blocks("json"))))
def test_every_document_shown_is_good(number: int, tmp_path: Path) -> None:
    """Without an error."""
    path = tmp_path / "log_exports.json"
    path.write_text(blocks("json")[number])
    assert load(path).errors == []


def test_the_commands_shown_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other, in a folder with the document shown beneath them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIFROST_LOG_STORE", raising=False)
    shown = [block for block in blocks("") if block.startswith("bifrost-export ")]
    document = next(block for block in blocks("json") if '"try_it"' in block)
    (tmp_path / "log_exports.json").write_text(document)
    commands = [line for block in shown for line in block.splitlines()]
    tried = {shlex.split(command)[1] for command in commands}
    assert tried == {"sample-logs", "check", "plan", "preview", "run", "status", "verify"}

    for command in commands:
        assert execute(shlex.split(command)[1:]) == 0, (command, capsys.readouterr().err)

    assert "agrees 1 file" in capsys.readouterr().out

    assert list((tmp_path / "exports").rglob("*.parquet"))
    assert list((tmp_path / "exports" / "_manifests" / "try_it").glob("*.json"))


def test_the_oldest_versions_are_those_of_the_package() -> None:
    """Of Airflow and of each provider."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    bounds = re.findall(r'"apache-airflow(?:-providers-([a-z-]+))?>=([\d.]+)', project)
    (told,) = re.findall(r"It needs at least .*?\. ", README)
    assert re.findall(r"(\S+) (\d+(?:\.\d+)*)", told) == [(name or "Airflow", version) for name, version in bounds]


def test_every_command_stands_in_the_table() -> None:
    """And no other."""
    shown = {names_in(row[0])[0].split()[1] for row in table_rows("command")}
    assert shown == set(COMMANDS)


def test_every_destination_stands_in_the_table_with_all_its_keys() -> None:
    """The registry's, and the keys of each one's config."""
    shown = {names_in(row[0])[0]: set(names_in(row[1])) for row in table_rows("destination")}
    assert set(shown) == set(DESTINATIONS.names())
    for name, keys in shown.items():
        assert set(fields_of(DESTINATIONS.load(name).Config)) <= keys, name


def test_the_data_dictionary_is_that_of_the_datasets() -> None:
    """`python -m docs.data_dictionary` writes it anew."""
    assert "<!-- data dictionary -->" in README
    assert rendered(README) == README


@pytest.mark.parametrize("name", datasets.names())
def test_every_column_of_a_dataset_stands_in_the_dictionary_in_order(name: str) -> None:
    """With what it says."""
    _, _, rest = README.partition(f"**`{name}`**, schema version ")
    shown = re.findall(r"^\| `(\w+)` \| (required|optional) .* \| (.+) \|$", rest.partition("\n**`")[0], re.MULTILINE)
    columns = [*datasets.named(name).columns, *datasets.named(name).contents]
    assert [row[:2] for row in shown[: len(columns)]] == [
        (column.name, "required" if column.required else "optional") for column in columns
    ]
    assert all(column.description in row[2] for row, column in zip(shown, columns, strict=False))


def test_what_every_row_of_a_warehouse_carries_stands_in_the_table() -> None:
    """In its order."""
    assert [name for row in table_rows("on each row") for name in names_in(row[0])] == [each.name for each in OWN]


def test_the_types_of_every_warehouse_stand_in_the_table() -> None:
    """BigQuery's by the names of its SQL; its API has others for the same."""
    kinds = (["timestamp"], ["string"], ["int32", "int64"], ["double"], ["bool", "date"], ["json"])
    by_sql = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
    rows = list(table_rows("in the document"))
    assert sorted(itertools.chain(*kinds)) == sorted(SnowflakeDialect.types)
    for row, named in zip(rows, kinds, strict=True):
        bigquery = [BigQueryDialect.types[kind] for kind in named]
        made = (
            [SnowflakeDialect.types[kind] for kind in named],
            [RedshiftDialect.types[kind] for kind in named],
            [by_sql.get(kind, kind) for kind in bigquery],
        )
        assert [names_in(cell) for cell in row[1:]] == [list(dict.fromkeys(each)) for each in made], row[0]


def test_how_long_a_held_table_is_waited_for_is_as_told() -> None:
    """A minute, twelve times."""
    assert "waited for a minute at a time" in README
    assert f"`publish` tries that {commit.TRIES} times" in README
    assert snowflake_connection.LOCK_SECONDS == redshift_engine.LOCK_SECONDS == 60


def test_every_filter_stands_in_the_table() -> None:
    """`date_range`, and those that look at the record."""
    shown = {name for row in table_rows("filter") for name in names_in(row[0])}
    assert shown == {"date_range", *RULES}


def test_every_transformation_stands_in_the_table_with_all_its_keys() -> None:
    """The registry's, and the keys of each one's config."""
    shown = {names_in(row[0])[0]: set(names_in(row[1])) for row in table_rows("transformation")}
    assert set(shown) == set(TRANSFORMS.names())
    for name, keys in shown.items():
        assert set(TRANSFORMS.load(name).Config.model_fields) == keys | {"type", "datasets"}, name


def test_every_metric_stands_in_the_table_with_its_type() -> None:
    """And so does every method of `anonymize`."""
    shown = {name: row[1] for row in table_rows("metric") for name in names_in(row[0])}
    assert shown == {name: metric.type for name, metric in METRICS.items()}
    assert [names_in(row[0])[0] for row in table_rows("method")] == list(METHODS)


@pytest.mark.parametrize("example", sorted(each.name for each in (ROOT / "examples").iterdir()))
def test_the_packages_of_ones_own_shown_are_the_examples(example: str) -> None:
    """Which are built, installed and run by tests of their own."""
    [code] = (ROOT / "examples" / example).glob("*/__init__.py")
    assert code.read_text("utf-8") in blocks("python")
    project = (ROOT / "examples" / example / "pyproject.toml").read_text("utf-8")
    assert [block in project for block in blocks("toml")].count(True) == 1


def test_every_key_of_data_stands_in_the_table() -> None:
    """The filters have a table of their own."""
    shown = {name.partition(".")[2] for row in table_rows("key") for name in names_in(row[0]) if name[:5] == "data."}
    assert shown | {"filters"} == set(Data.model_fields)


def test_every_field_of_the_trigger_form_stands_in_the_table() -> None:
    """In its order."""
    shown = [name for row in table_rows("in the trigger form") for name in names_in(row[0])]
    assert shown == list(trigger_form("UTC"))


def test_every_flag_of_run_stands_in_the_table() -> None:
    """Beside those that name export and window."""
    shown = {
        name for row in table_rows("command") for name in names_in(row[1]) if row[0][:20] == "`bifrost-export run "
    }
    flags = {option for each in run.params for option in each.opts if getattr(each, "is_flag", False)}
    assert shown == flags


def test_the_make_targets_shown_exist() -> None:
    """As the Makefile has them."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", "\n".join(blocks("")), re.MULTILINE)) <= targets


def test_the_contract_of_object_stores_is_used_as_shown(tmp_path: Path) -> None:
    """By a destination that somebody brings: here the local one under another name."""
    (shown,) = [block for block in blocks("python") if "ObjectStoreContract" in block]
    lines = ["import pytest", "from bifrost_export.destinations.local import LocalConfig as MyConfig"]
    lines += ["from bifrost_export.destinations.local import LocalDestination as MyDestination"]
    (tmp_path / "test_my_store.py").write_text("\n".join([*lines, shown]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-k", "empty_window or odd or character"]

    done = subprocess.run([*command, str(tmp_path)], check=False, capture_output=True, text=True, cwd=tmp_path)

    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout
