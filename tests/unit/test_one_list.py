"""What there is one list of stands nowhere else: datasets, filter rules, thresholds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifrost_export import datasets, thresholds
from bifrost_export.destinations.warehouse.tables import MAIN
from bifrost_export.filters.rules import RULES
from bifrost_export.registry import BUILT_IN_GROUPINGS

PACKAGE = Path(thresholds.__file__).parent
# The contract suites are an outsider's view; there a dataset is only a name.
SOURCES = {
    str(path.relative_to(PACKAGE)): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] != "testing"
}


def texts_of(path: Path) -> Iterator[str]:
    """Every text that a file's code holds, each part of one with braces by itself; docstrings are such texts too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def assigned_in(path: Path) -> set[str]:
    """Every name that a module gives a value."""
    targets = [
        target
        for node in ast.parse(path.read_text("utf-8")).body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
    ]
    names = [name for target in targets if target is not None for name in ast.walk(target)]
    return {name.id for name in names if isinstance(name, ast.Name)}


def test_the_names_of_datasets_stand_with_the_datasets() -> None:
    """Elsewhere single ones do, where one dataset has a part of its own, or where a word is another key's as well."""
    single = {
        "registry.py": {"metrics"},
        "transforms/aggregate.py": {"metrics"},
        "transforms/port.py": {"request_logs"},
    }
    single["destinations/warehouse/tables.py"] = {"request_logs"}
    found = {
        name: named
        for name, path in SOURCES.items()
        if not name.startswith("datasets/") and (named := set(datasets.names()) & set(texts_of(path)))
    }
    assert found == single
    assert {MAIN, *BUILT_IN_GROUPINGS} <= set(datasets.names())


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if "_" in rule.name])
def test_the_name_of_a_filter_stands_in_the_list_of_rules(rule: str) -> None:
    """As a text; it is a field of the document's model besides."""
    assert [name for name, path in SOURCES.items() if rule in texts_of(path)] == ["filters/rules.py"]


def test_a_threshold_is_defined_once() -> None:
    """Nobody gives its name another value, with or without an underscore, and its value has no other name."""
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
    """As a number or as a power, wherever in the code."""
    odd = {"2 ** 31", "1e+300", "10 ** 15", "1e-09"}
    found = {
        name
        for name, path in SOURCES.items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.BinOp | ast.Constant) and ast.unparse(node) in odd
    }
    assert found == {"thresholds.py"}
