"""The contract suites of object stores and warehouses with the oldest providers that pyproject.toml allows.

The newest ones are those of the project's own environment, in which the suites run anyway.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.integration.deployment import ROOT, uv

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

SUITES = ("tests/contract/test_object_stores.py", "tests/contract/test_seaweed.py", "tests/contract/test_warehouses.py")
_BOUND = re.compile(r"([a-z-]+?)>=([\d.]+)")


def oldest() -> dict[str, str]:
    """The lowest version of each package of the extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    bounds = [_BOUND.fullmatch(each) for name in ("amazon", "google", "azure", "snowflake") for each in extras[name]]
    return {found[1]: found[2] for found in bounds if found}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with them, and all else at its newest."""
    folder = tmp_path_factory.mktemp("oldest_providers") / "venv"
    uv("venv", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    pins = [f"{name}=={version}" for name, version in oldest().items()]
    uv(
        "pip",
        "install",
        "--python",
        python,
        "-e",
        ROOT,
        "--group",
        f"{ROOT / 'pyproject.toml'}:test",
        "sqlalchemy<2.1",
        *pins,
    )
    uv("pip", "check", "--python", python)
    return python


def test_every_extra_says_how_old_its_provider_may_be() -> None:
    """One package each; else nothing here would be tried."""
    assert {name.removeprefix("apache-airflow-providers-") for name in oldest()} >= {
        "amazon",
        "google",
        "microsoft-azure",
        "snowflake",
    }


@pytest.mark.parametrize("suite", SUITES, ids=[Path(each).stem for each in SUITES])
def test_a_contract_suite_passes_with_the_oldest_providers(python: Path, suite: str) -> None:
    """In a process of its own; that old providers use what newer packages deprecate is no failure."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AIRFLOW"))}
    done = subprocess.run(
        [python, "-m", "pytest", suite, "-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default"],
        cwd=ROOT,
        env=inherited,
        capture_output=True,
        text=True,
        timeout=3000,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout
