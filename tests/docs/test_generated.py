"""The generated pages equal what the code generates: `make reference` writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bifrost_export import datasets
from bifrost_export.cli.group import COMMANDS
from bifrost_export.fields.field_walk import fields_of
from bifrost_export.registry import DESTINATIONS, TRANSFORMS
from tests.docs.pages import code_in, name_of, text_of
from tools import reference
from tools.markdown import cell, replaced


@pytest.mark.parametrize("path", [*reference.generated()], ids=name_of)
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    """Run `make reference` and commit what it writes."""
    assert path.read_text("utf-8") == reference.generated()[path]


@pytest.mark.parametrize("name", datasets.names())
def test_every_column_of_a_dataset_is_in_the_dictionary_in_order(name: str) -> None:
    """With its meaning."""
    _, _, rest = text_of("docs/reference/data_dictionary.md").partition(f"\n## {name}\n")
    shown = re.findall(r"^\| `(\w+)` \| (required|optional) .* \| (.+) \|$", rest.partition("\n## ")[0], re.MULTILINE)
    columns = [*datasets.named(name).columns, *datasets.named(name).contents]
    assert [row[:2] for row in shown] == [
        (column.name, "required" if column.required else "optional") for column in columns
    ]
    assert all(column.description in row[2] for row, column in zip(shown, columns, strict=True))


@pytest.mark.parametrize("name", DESTINATIONS.names())
def test_every_key_of_a_destination_is_in_the_reference(name: str) -> None:
    """Those of objects inside of it too."""
    _, _, rest = text_of("docs/reference/configuration.md").partition(f"\n### `{name}`\n\nKeys of `destination.config`")
    shown = set(code_in(rest.partition("\n##")[0]))
    for key, (_, models) in fields_of(DESTINATIONS.load(name).Config).items():
        assert key in shown
        for model in models:
            assert {f"{key}.{inner}" for inner in fields_of(model)} <= shown


@pytest.mark.parametrize("name", TRANSFORMS.names())
def test_every_key_of_a_transformation_is_in_the_reference(name: str) -> None:
    """The registry's."""
    _, _, rest = text_of("docs/reference/configuration.md").partition(f"\n### Transformation `{name}`\n")
    assert set(TRANSFORMS.load(name).Config.model_fields) <= set(code_in(rest.partition("\n##")[0]))


def test_secrets_addresses_and_plain_values_are_told_apart_in_the_reference() -> None:
    """As `trust` treats them."""
    page = text_of("docs/reference/configuration.md")
    rows = dict(re.findall(r"^\| `([\w.]+)` \| .* \| (\w+) \|$", page, re.MULTILINE))
    assert rows["credentials.secret_access_key"] == "secret"
    assert rows["bucket"] == "address"
    assert rows["storage_class"] == "value"
    assert rows["time"] == rows["data.max_rows_per_file"] == "none"


def test_every_command_has_a_section_in_the_reference() -> None:
    """And no other."""
    headings = re.findall(r"^## (.+)$", text_of("docs/reference/command_line.md"), re.MULTILINE)
    assert headings == list(COMMANDS)


def test_a_cell_keeps_its_row_on_one_line() -> None:
    """A bar would end the cell, a line break the row."""
    assert cell("a | b\n c") == r"a \| b c"


def test_a_page_without_the_region_is_refused() -> None:
    """Otherwise the text of an example would vanish in silence."""
    assert replaced("<!-- x -->\nold\n<!-- /x -->", "x", "new\n") == "<!-- x -->\nnew\n<!-- /x -->"
    with pytest.raises(ValueError, match="no region 'y'"):
        replaced("<!-- x -->\n<!-- /x -->", "y", "new\n")
