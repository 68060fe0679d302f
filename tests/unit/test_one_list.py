"""What there is one list of stands nowhere else: datasets, filter rules, thresholds."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from bifrost_export import datasets, thresholds
from bifrost_export.destinations.warehouse.tables import MAIN
from bifrost_export.filters.rules import RULES
from bifrost_export.registry import BUILT_IN_GROUPINGS

PACKAGE = Path(thresholds.__file__).parent
# The contract suites are an outsider's view, to whom a dataset is only a name.
SOURCES = {
    str(path.relative_to(PACKAGE)): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] != "testing"
}


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """The syntax tree of a file, flat."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


@cache
def texts_of(path: Path) -> frozenset[str]:
    """Every text that a file's code holds."""
    values = (node.value for node in nodes_of(path) if isinstance(node, ast.Constant))
    return frozenset(value for value in values if isinstance(value, str))


def assigned_in(path: Path) -> set[str]:
    """Every name that a file gives a value."""
    return {node.id for node in nodes_of(path) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def test_the_names_of_datasets_stand_with_the_datasets() -> None:
    """Elsewhere single ones do, where one dataset has a part of its own, or where a word is another key's as well."""
    single = {
        "registry.py": {"metrics"},
        "transforms/aggregate.py": {"metrics"},
        "transforms/port.py": {"request_logs"},
        "destinations/warehouse/tables.py": {"request_logs"},
    }
    found = {
        name: named
        for name, path in SOURCES.items()
        if not name.startswith("datasets/") and (named := set(datasets.names()) & texts_of(path))
    }
    assert found == single
    assert {MAIN, *BUILT_IN_GROUPINGS} <= set(datasets.names())


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if "_" in rule.name])
def test_the_name_of_a_filter_stands_in_the_list_of_rules(rule: str) -> None:
    """As a text; it is a field of the document's model besides, and one is in the schema's example."""
    found = {name for name, path in SOURCES.items() if rule in texts_of(path)}
    assert found - {"config/schema/document.py"} == {"filters/rules.py"}


def test_a_threshold_is_defined_once() -> None:
    """Nobody gives its name another value, with or without an underscore."""
    shared = {name for name in vars(thresholds) if name.isupper()}
    assert "ERRORS_FROM" in shared
    again = {
        (path, name)
        for path, source in SOURCES.items()
        for name in assigned_in(source)
        if name.removeprefix("_") in shared and path != "thresholds.py"
    }
    assert again == set()


def test_the_numbers_that_only_a_threshold_has_stand_in_its_definition() -> None:
    """In any notation. The rows of the sample are drawn at random, from as many places as a power has."""
    odd = {"2 ** 31", "1e+300", "10 ** 15", "1e-09", "2147483647"}
    found = {
        name
        for name, path in SOURCES.items()
        for node in nodes_of(path)
        if not name.startswith("sample/") and isinstance(node, ast.BinOp | ast.Constant) and ast.unparse(node) in odd
    }
    assert found == {"thresholds.py"}
