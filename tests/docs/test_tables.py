"""The tables of the documentation list what the code has, in its order."""

from __future__ import annotations

import inspect
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bifrost_export import errors
from bifrost_export.airflow.trigger_form import trigger_form
from bifrost_export.cli.group import COMMANDS
from bifrost_export.cli.run import run
from bifrost_export.config.models.airflow_options import AirflowOptions
from bifrost_export.config.models.export import Data
from bifrost_export.config.references.resolver import BUILTINS
from bifrost_export.destinations.bigquery.dialect import BigQueryDialect
from bifrost_export.destinations.redshift import engine as redshift_engine
from bifrost_export.destinations.redshift.dialect import RedshiftDialect
from bifrost_export.destinations.snowflake import connection as snowflake_connection
from bifrost_export.destinations.snowflake.dialect import SnowflakeDialect
from bifrost_export.destinations.warehouse import commit
from bifrost_export.destinations.warehouse.tables import OWN
from bifrost_export.fields.field_walk import fields_of
from bifrost_export.filters.rules import DATE_RANGE, RULES
from bifrost_export.registry import DESTINATIONS, FORMATS, TRANSFORMS
from bifrost_export.schedules.kinds import schedule_models
from bifrost_export.transforms.anonymize import METHODS
from bifrost_export.transforms.metrics import METRICS
from tests.docs.pages import ROOT, blocks_of, code_in, pages, prose_of, table_rows, text_of


def first_words(page: str, first_cell: str) -> list[str]:
    """Return the code in the first cells of a table."""
    return [name for row in table_rows(page, first_cell) for name in code_in(row[0])]


def test_every_command_is_in_the_table() -> None:
    """And no other."""
    assert [name.split()[1] for name in first_words("docs/command_line.md", "command")] == list(COMMANDS)


def test_every_flag_of_run_is_in_the_table() -> None:
    """In the order of its help."""
    flags = [option for each in run.params for option in each.opts if getattr(each, "is_flag", False)]
    assert first_words("docs/command_line.md", "flag of `run`") == flags


def test_every_destination_has_a_page_and_a_row() -> None:
    """The registry's."""
    assert sorted(first_words("docs/destinations/index.md", "destination")) == DESTINATIONS.names()
    assert all((ROOT / "docs" / "destinations" / f"{name}.md").is_file() for name in DESTINATIONS.names())


@pytest.mark.parametrize("name", DESTINATIONS.names())
def test_every_key_of_a_destination_is_on_its_page(name: str) -> None:
    """Keys of objects too, beside the key that holds them."""
    rows = list(table_rows(f"docs/destinations/{name}.md", "key"))
    shown = {word for row in rows for word in code_in(row[0])}
    assert set(fields_of(DESTINATIONS.load(name).Config)) == shown
    mentioned = {word for row in rows for cell in row for word in code_in(cell)}
    for key, (_, models) in fields_of(DESTINATIONS.load(name).Config).items():
        assert all(set(fields_of(model)) <= mentioned for model in models), key


@pytest.mark.parametrize("name", [each for each in DESTINATIONS.names() if each != "local"])
def test_every_page_of_a_cloud_says_what_was_never_tried(name: str) -> None:
    """And which rights it needs."""
    page = text_of(f"docs/destinations/{name}.md")
    assert "## Never tried on a real account\n\nNothing was tried on " in page
    assert "\n## Rights\n" in page


def test_the_columns_that_every_row_of_a_warehouse_has_are_in_the_table() -> None:
    """In their order."""
    assert first_words("docs/destinations/warehouses.md", "on each row") == [each.name for each in OWN]


def test_the_types_of_every_warehouse_are_in_the_table() -> None:
    """BigQuery's by the names of its SQL; its API has others for the same."""
    kinds = (["timestamp"], ["string"], ["int32", "int64"], ["double"], ["bool", "date"], ["json"])
    by_sql = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
    rows = list(table_rows("docs/destinations/warehouses.md", "in the document"))
    assert sorted(itertools.chain(*kinds)) == sorted(SnowflakeDialect.types)
    for row, named in zip(rows, kinds, strict=True):
        bigquery = [BigQueryDialect.types[kind] for kind in named]
        made = (
            [SnowflakeDialect.types[kind] for kind in named],
            [RedshiftDialect.types[kind] for kind in named],
            [by_sql.get(kind, kind) for kind in bigquery],
        )
        assert [code_in(cell) for cell in row[1:]] == [list(dict.fromkeys(each)) for each in made], row[0]


def test_the_time_that_publish_waits_for_a_table_is_right() -> None:
    """A minute, twelve times."""
    page = text_of("docs/destinations/warehouses.md")
    assert "waits for a minute at a time" in page
    assert f"`publish` tries that {commit.TRIES} times" in page
    assert snowflake_connection.LOCK_SECONDS == redshift_engine.LOCK_SECONDS == 60


def test_every_filter_is_in_the_table() -> None:
    """`date_range`, and those that look at the record."""
    assert set(first_words("docs/filters.md", "filter")) == {DATE_RANGE, *(rule.name for rule in RULES)}


@pytest.mark.parametrize("page", ["docs/filters.md", "docs/contract.md", "docs/protocol.md"])
def test_the_filters_are_told_in_the_order_in_which_rows_are_counted(page: str) -> None:
    """A row that several remove counts under the first."""
    [told] = [line for line in text_of(page).splitlines() if f"order `{DATE_RANGE}`" in line]
    listed = told.partition("in the order ")[2].partition(".")[0].partition(", then")[0]
    assert code_in(listed) == [DATE_RANGE, *(rule.name for rule in RULES)]


def test_every_transformation_is_in_the_table_with_all_its_keys() -> None:
    """The registry's, and the keys of each one's config."""
    shown = {
        code_in(row[0])[0]: set(code_in(row[1])) for row in table_rows("docs/transformations.md", "transformation")
    }
    assert set(shown) == set(TRANSFORMS.names())
    for name, keys in shown.items():
        assert set(TRANSFORMS.load(name).Config.model_fields) == keys | {"type", "datasets"}, name


def test_every_metric_is_in_the_table_with_its_type() -> None:
    """And so is every method of `anonymize`."""
    shown = {name: row[1] for row in table_rows("docs/transformations.md", "metric") for name in code_in(row[0])}
    assert shown == {name: metric.type for name, metric in METRICS.items()}
    methods = "method | result; an empty text stays empty"
    assert [code_in(row[0])[0] for row in table_rows("docs/transformations.md", methods)] == list(METHODS)


def test_every_format_is_in_the_table_with_compressions_and_endings() -> None:
    """The default compression first."""
    rows = list(table_rows("docs/formats.md", "format"))
    assert {code_in(row[0])[0] for row in rows} == set(FORMATS.built_in)
    for row in rows:
        kind = FORMATS.load(code_in(row[0])[0])
        compressions = sorted(kind.compressions, key=lambda each: each != kind.default_compression)
        assert code_in(row[1]) == compressions
        assert code_in(row[2]) == list(dict.fromkeys(kind().extension(each) for each in compressions))


def test_every_frequency_is_in_the_table_with_its_own_keys() -> None:
    """Those that not every schedule has."""
    models = schedule_models()
    shared = set.intersection(*(set(model.model_fields) for model in models.values()))
    for row in table_rows("docs/schedules.md", "frequency"):
        own = set(models[code_in(row[0])[0]].model_fields) - shared
        assert own <= set(code_in(row[1]))
    assert first_words("docs/schedules.md", "frequency") == list(models)


def test_every_key_of_an_export_is_explained_in_the_guide() -> None:
    """Beside its row in the generated reference."""
    guide = [page for page in pages() if page.parent.name != "reference"]
    words = {word.rpartition(".")[2] for page in guide for word in code_in(page.read_text("utf-8"))}
    text = "".join(page.read_text("utf-8") for page in guide)
    for name in (*Data.model_fields, *AirflowOptions.model_fields):
        assert name in words or f'"{name}"' in text, name


def test_every_setting_of_a_dag_is_in_the_table() -> None:
    """In the order of its model."""
    assert first_words("docs/airflow.md", "key") == list(AirflowOptions.model_fields)


def test_every_field_of_the_trigger_form_is_in_the_table() -> None:
    """In its order."""
    assert first_words("docs/airflow.md", "in the trigger form") == list(trigger_form("UTC"))


def test_every_built_in_reference_is_in_the_table() -> None:
    """And the three ways to name a variable."""
    shown = first_words("docs/document.md", "reference")
    assert {f"${{{name}}}" for name in BUILTINS} == set(shown) - {"${NAME}", "${NAME:-default}", "env.NAME"}


def test_every_variable_of_the_package_is_documented() -> None:
    """As the code reads it."""
    code = "".join(path.read_text("utf-8") for path in (ROOT / "bifrost_export").rglob("*.py"))
    names = set(re.findall(r'"(BIFROST_(?:EXPORT_[A-Z]+|LOG_STORE))"', code))
    assert {"BIFROST_EXPORT_CONFIG", "BIFROST_LOG_STORE"} < names
    text = "".join(prose_of(page.relative_to(ROOT).as_posix()) for page in pages())
    assert [name for name in sorted(names) if f"`{name}" not in text] == []


def test_every_error_is_in_the_runbook() -> None:
    """By the name that logs and JSON show."""
    own = [name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)]
    shown = set(code_in(text_of("docs/runbook.md")))
    assert [name for name in own if name not in shown and name != "BifrostExportError"] == []
    named = {each for each in shown if re.fullmatch(r"[A-Z]\w+Error", each)}
    assert [name for name in sorted(named) if name not in own] == []


def test_the_contract_of_object_stores_is_used_as_shown(tmp_path: Path) -> None:
    """By a destination of somebody else: here the local one under another name."""
    (shown,) = [each.text for each in blocks_of("docs/extending.md") if "ObjectStoreContract" in each.text]
    local = inspect.getmodule(DESTINATIONS.load("local"))
    assert local is not None
    lines = [f"from {local.__name__} import LocalConfig as MyConfig, LocalDestination as MyDestination"]
    (tmp_path / "test_my_store.py").write_text("\n".join([*lines, shown]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-k", "empty_window or odd or character"]

    done = subprocess.run([*command, str(tmp_path)], check=False, capture_output=True, text=True, cwd=tmp_path)

    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout


def test_the_contract_of_log_stores_is_used_as_shown(tmp_path: Path) -> None:
    """By the example, in a test suite of its own."""
    (shown,) = [each.text for each in blocks_of("docs/extending.md") if "LogStoreContract" in each.text]
    (tmp_path / "test_my_log_store.py").write_text(shown)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-k", "order or rejected or start"]
    example = {**os.environ, "PYTHONPATH": str(ROOT / "examples" / "custom_log_store")}

    done = subprocess.run(
        [*command, str(tmp_path)], check=False, capture_output=True, text=True, cwd=tmp_path, env=example
    )

    assert (done.returncode, "3 passed" in done.stdout) == (0, True), done.stdout


def test_the_destination_shown_can_be_opened() -> None:
    """It lacks its store alone."""
    (shown,) = [each.text for each in blocks_of("docs/extending.md") if "class MyDestination" in each.text]
    names: dict[str, object] = {}
    exec(compile(shown, "extending.md", "exec"), names)  # noqa: S102 (the page's own code)
    made = names["MyDestination"]
    assert inspect.isclass(made)
    missing = [name for name in ("kind", "Config", "is_table", "is_local", "file_format") if not hasattr(made, name)]
    assert missing == []


def test_the_oldest_versions_are_those_of_the_package() -> None:
    """Of Airflow and of each provider."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    bounds = re.findall(
        r'"apache-airflow(?:-providers-([a-z-]+))?>=([\d.]+)', project.partition("[dependency-groups]")[0]
    )
    (shown,) = re.findall(r"It needs at least .*?\.\n", text_of("docs/deploying.md"))
    assert re.findall(r"(\S+) (\d+(?:\.\d+)*)", shown) == [(name or "Airflow", version) for name, version in bounds]
