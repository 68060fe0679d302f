"""The house's rules, read from the source: which way imports point, and what a file may look like."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "bifrost_export"
SOURCES = sorted((ROOT / PACKAGE).rglob("*.py"))

BASE = {"errors", "problem", "window", "trust", "registry", "user_code"}
SHARED = {"fields", "redaction", "thresholds", "columns", "hidden_columns", "schedules", "filters"}
PORTS = {"logstore", "datasets", "transforms", "formats", "destinations"}
BELOW_PORTS = {*BASE, *SHARED, "connections", "services"}
MAY_IMPORT = {
    "errors": {"problem"},
    "problem": set(),
    "window": {"errors"},
    "trust": {"errors"},
    "registry": {"errors", "trust", "user_code"},
    "user_code": {"errors", "trust"},
    "thresholds": set(),
    "columns": set(),
    "hidden_columns": {"columns"},
    "fields": {"errors"},
    "redaction": {"errors"},
    "schedules": {*BASE, "fields"},
    "filters": {*BASE, "fields", "thresholds", "schedules"},
    "connections": {*BASE, "fields", "redaction"},
    "services": {*BASE, "fields", "redaction"},
    "dag_bundles": set(),
    **dict.fromkeys(PORTS, BELOW_PORTS),
    "transforms": {*BELOW_PORTS, "datasets"},  # the built-in grouping makes the dataset metrics
    "config": {*BELOW_PORTS, *PORTS},
    "sample": {*BASE},
    "testing": {*BASE, "columns", "filters", "datasets", "logstore", "destinations"},
    "pipeline": {*BELOW_PORTS, *PORTS, "config"},
    "airflow": {*BELOW_PORTS, *PORTS, "config", "pipeline", "dag_bundles"},
    "cli": {*BELOW_PORTS, *PORTS, "config", "pipeline", "sample", "dag_bundles"},
    "plugin": {*BELOW_PORTS, *PORTS, "config", "pipeline", "airflow"},
}
"""What each part of the package may import beside itself and the package's version, in functions and for types too."""

MAY_IMPORT_BY_NAME = {"bifrost_export.registry", "bifrost_export.cli.group"}
"""The modules that may import what a string names: entry points and commands, each loaded when it is used."""

HEAVY = {"pyarrow", "numpy", "pandas", "duckdb", "adbc_driver_manager", "adbc_driver_sqlite", "adbc_driver_postgresql"}
HEAVY |= {"boto3", "botocore", "s3fs", "fsspec", "moto", "rich", "isal"}
LOADED_BY_DAG_FILES = (
    *sorted(BASE | SHARED | {"config", "connections", "airflow", "plugin", "destinations", "formats", "datasets"}),
)


@dataclass(frozen=True)
class Import:
    """One import statement: what it names, and where it stands."""

    module: str
    line: int
    in_function: bool
    for_types: bool


def name_of(path: Path) -> str:
    """The module that a file is, as `package.module`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in SOURCES}


def part_of(module: str) -> str:
    """The part of the package that a module belongs to: the word after the package's name."""
    return module.split(".")[1] if "." in module else ""


def imports_under(node: ast.AST, in_function: bool = False, for_types: bool = False) -> Iterator[Import]:
    """Every import below a node of the syntax tree."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            named = child.value.partition(":")[0]
            if named in FILES and "." in named:  # a module named by a string is imported by it
                yield Import(named, child.lineno, True, False)
        elif isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, in_function, for_types) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (Import(name, child.lineno, in_function, for_types) for name in imported_names(child))
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from imports_under(child, in_function or function, for_types or types)


def imported_names(statement: ast.ImportFrom) -> Iterator[str]:
    """The modules that `from a import b` names: `a.b` where that is a module of ours, else `a`."""
    for alias in statement.names:
        inner = f"{statement.module}.{alias.name}"
        yield inner if inner in FILES else str(statement.module)


@cache
def imports_of(module: str) -> tuple[Import, ...]:
    """Every import of a module of ours."""
    return tuple(imports_under(ast.parse(FILES[module].read_text("utf-8"))))


def at_import(module: str) -> set[str]:
    """What importing a module of ours imports, directly or through other modules of ours."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        if current in FILES:
            waiting += [each.module for each in imports_of(current) if not (each.in_function or each.for_types)]
            waiting += [current.rpartition(".")[0]] if "." in current else []
    return seen


@pytest.mark.parametrize("module", FILES)
def test_imports_point_one_way(module: str) -> None:
    """A module imports only the parts of the package that lie below it, in functions and for types too."""
    part = part_of(module)
    allowed = MAY_IMPORT.get(part, set())
    for each in imports_of(module):
        if each.module.split(".")[0] != PACKAGE or each.module == PACKAGE or module in MAY_IMPORT_BY_NAME:
            continue
        target = part_of(each.module)
        assert target == part or target in allowed, f"{module}:{each.line} imports {each.module}"


@pytest.mark.parametrize("module", FILES)
def test_the_package_imports_nothing_that_its_wheel_lacks(module: str) -> None:
    """The demo, the tools, the benchmarks and the tests use the package, and not the other way round."""
    found = {each.module.split(".")[0] for each in imports_of(module)} & {"bench", "demo", "docs", "tests", "tools"}
    assert not found, f"{module} imports {sorted(found)}"


def test_no_files_import_each_other_in_a_circle() -> None:
    """In functions and for types neither: what both need is in a third. A circle of any length is listed."""
    imported = {
        module: {each.module for each in imports_of(module) if each.module in FILES and each.module != module}
        for module in FILES
        if module not in MAY_IMPORT_BY_NAME
    }
    TopologicalSorter(imported).prepare()  # raises a CycleError that lists the files


@pytest.mark.parametrize("module", FILES)
def test_airflow_is_imported_only_where_it_belongs(module: str) -> None:
    """Airflow stands in `airflow/` and `plugin/`, and inside functions of what uses a hook or a connection."""
    part = part_of(module)
    for each in imports_of(module):
        if each.module.split(".")[0] != "airflow" or part in {"airflow", "plugin"} or each.for_types:
            continue
        assert part in {"connections", "dag_bundles", "logstore", "destinations", "cli"}, (
            f"{module}:{each.line} imports {each.module}"
        )
        assert each.in_function, f"{module}:{each.line} imports {each.module} outside a function"


@pytest.mark.parametrize("module", [name for name in FILES if part_of(name) in LOADED_BY_DAG_FILES])
def test_what_a_dag_file_loads_is_light(module: str) -> None:
    """Loading a DAG file imports no pyarrow, no driver and no provider, by whatever way."""
    heavy = {name for name in at_import(module) if name.split(".")[0] in HEAVY or name.startswith("airflow.providers")}
    assert not heavy, f"importing {module} imports {sorted(heavy)}"


def test_importing_the_light_parts_imports_nothing_heavy() -> None:
    """What the source says holds in a fresh interpreter too."""
    light = [name for name in FILES if part_of(name) in {"", "errors", "trust", "window", "registry", "config"}]
    light += [name for name in FILES if part_of(name) in {"destinations", "formats"}]
    script = f"""
import importlib, sys
for name in {light!r}:
    importlib.import_module(name)
print(sorted({HEAVY!r} & set(sys.modules)), any(name.startswith("airflow") for name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["[]", "False"], done.stdout


def test_asking_for_help_imports_no_command() -> None:
    """`bifrost-export --help` answers without importing pydantic, pyarrow or Airflow."""
    script = f"""
import sys
from bifrost_export.cli.group import execute
code = execute(["--help"])
print(code, sorted(({HEAVY!r} | {{"airflow", "pydantic"}}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.split() == ["0", "[]"], done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_named_after_its_job(path: Path) -> None:
    """A module has at most 300 lines, and its name says what it does."""
    lines = path.read_text("utf-8").count("\n")
    assert lines <= 300, f"{path} has {lines} lines"
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}


OURS = sorted(
    [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "dags").glob("*.py"), *(ROOT / "plugins").glob("*.py")]
)


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_undone(path: Path) -> None:
    """No file postpones work or switches a test off."""
    left = re.findall(
        r"NotImplemented" + r"Error|\bTO" + r"DO\b|\bFIX" + r"ME\b|mark\.(?:skip|xfail)", path.read_text("utf-8")
    )
    assert not left, f"{path}: {left}"
