"""`enrich`: columns that are the same in every row, typed as the document's JSON is."""

from __future__ import annotations

import pytest

from bifrost_export.errors import ConfigError
from tests.unit.transforms.requests import RECORD, applied, row, transformation


def test_constants_are_typed_by_their_json_and_appended_in_order() -> None:
    """Text, whole number, number and truth value."""
    fields = {"team": "core", "shard": 3, "rate": 1.0, "live": True, "big": 2**63 - 1}
    [found] = applied([row()], type="enrich", add_fields=fields)
    assert found == row() | fields
    assert list(found)[-5:] == list(fields)
    made = transformation(type="enrich", add_fields=fields).columns(RECORD)[-5:]
    assert [each.type for each in made] == ["string", "int64", "double", "bool", "int64"]
    assert all(each.required for each in made)


def test_a_name_that_exists_is_an_error_unless_it_is_overwritten() -> None:
    """One that is overwritten keeps its place, and takes the new type."""
    with pytest.raises(ConfigError, match="'model' is there already"):
        transformation(type="enrich", add_fields={"model": "x"}).columns(RECORD)
    [found] = applied([row()], type="enrich", add_fields={"model": 7, "new": "x"}, overwrite=True)
    assert list(found) == [*row(), "new"]
    assert found["model"] == 7


def test_a_name_that_differs_in_case_alone_is_an_error() -> None:
    """Warehouses would take both for one column."""
    with pytest.raises(ConfigError, match="'model' is there already"):
        transformation(type="enrich", add_fields={"Model": "x"}, overwrite=True).columns(RECORD)


@pytest.mark.parametrize("name", ["", "1st", "a b", "a-b", "ä", "_Export_Name", "x" * 64])
def test_a_name_that_not_every_warehouse_takes_is_an_error(name: str) -> None:
    """Also those that a warehouse's table has anyway."""
    with pytest.raises(ConfigError, match=r"no name of a column|in a warehouse"):
        transformation(type="enrich", add_fields={name: "x"})
