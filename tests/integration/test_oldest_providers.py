"""The contract suites with each provider at the oldest version that pyproject.toml allows, and at its newest.

Each provider gets environments of its own, made from the registry and taken away again. It stands in them with the
extra that brings it and without the others, and only the suites of its own destinations run there.

Five providers are under what this package does. An extra names four of them. The fifth is common.sql, whose hook those
of Redshift and Snowflake are made from: it comes with Airflow, so that its oldest is the one beside the oldest Airflow.

The versions and the counts are printed; `pytest -rP` shows them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from tests.integration.deployment import ROOT, uv

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

STORES, WAREHOUSES = "tests/contract/test_object_stores.py", "tests/contract/test_warehouses.py"
CLOUDS, SIGN_IN = "tests/integration/test_clouds.py", "tests/integration/test_warehouse_sign_in.py"
REDSHIFT = (f"{WAREHOUSES}::TestRedshift", f"{WAREHOUSES}::TestRedshiftWithoutStaging")
SNOWFLAKE = f"{WAREHOUSES}::TestSnowflake"
PREFIX = "apache-airflow-providers-"
SQL = f"{PREFIX}common-sql"
AIRFLOW = "apache-airflow"
SECONDS = 3000
_BOUND = re.compile(r"(?P<name>[a-z-]+)>=(?P<version>[\d.]+)(,<\d+)?")
_VERSIONS = (
    "import importlib.metadata, json; "
    "print(json.dumps({each.name: each.version for each in importlib.metadata.distributions()}))"
)
OUR_WARNINGS = "filterwarnings=default\nerror:::bifrost_export\\."
"""What old providers use of newer packages may be deprecated; what this package does may not."""


@dataclass(frozen=True)
class Provider:
    """A provider, and what shows that it serves.

    Args:
        extras: Those that bring it.
        suites: The contract suites of its destinations, and how its hooks sign in.
        lowest: Others that are at their oldest beside it.
        beside: What these need besides, to be installed as they were in their time.
    """

    extras: tuple[str, ...]
    suites: tuple[str, ...]
    lowest: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def cloud(kind: str) -> tuple[str, ...]:
    """From end to end, by the document's credentials and by an Airflow connection."""
    window = f"{CLOUDS}::test_a_window_is_checked_run_verified_and_told[{kind}]"
    return (window, f"{CLOUDS}::test_rows_may_wait_in_the_cloud_too[{kind}]")


PROVIDERS = {
    "amazon": Provider(
        ("amazon",),
        (
            f"{STORES}::TestS3",
            "tests/contract/test_seaweed.py",
            "tests/integration/test_object_staging.py",
            "tests/integration/test_s3_checksums.py::test_a_connection_keeps_its_settings",
            *REDSHIFT,
            f"{SIGN_IN}::TestRedshift",
        ),
    ),
    "google": Provider(("google",), (f"{STORES}::TestGCS", f"{WAREHOUSES}::TestBigQuery", *cloud("gcs"))),
    "microsoft-azure": Provider(("azure",), (f"{STORES}::TestAzureBlob", *cloud("azure"))),
    "snowflake": Provider(("snowflake",), (SNOWFLAKE, f"{SIGN_IN}::TestSnowflake")),
    "common-sql": Provider(
        ("amazon", "snowflake"),
        (*REDSHIFT, SNOWFLAKE),
        (AIRFLOW, f"{PREFIX}amazon", f"{PREFIX}snowflake"),
        # Airflow 3.1.0 imports what structlog has had until 25.5, and sets it no bound; its constraints do.
        ("structlog<25.5",),
    ),
}


def project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def bounds() -> dict[str, str]:
    """The lowest version that it allows of Airflow and of each provider."""
    extras = project()["project"]["optional-dependencies"]
    every = [*project()["project"]["dependencies"], *(each for found in extras.values() for each in found)]
    found = [_BOUND.fullmatch(each) for each in every]
    return {each["name"]: each["version"] for each in found if each and each["name"].startswith(AIRFLOW)}


@dataclass(frozen=True)
class Environment:
    """A clean environment with this project in it, editable.

    Args:
        folder: Gets all of it.
        provider: The short name of a provider.
        age: `oldest` or `newest`.
    """

    folder: Path
    provider: str
    age: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def what(self) -> Provider:
        """The provider."""
        return PROVIDERS[self.provider]

    def make(self) -> None:
        """Install all that the suites need."""
        uv("venv", "--python", sys.executable, self.folder / "venv")
        extras = ",".join(self.what.extras)
        tests = ("--group", f"{ROOT / 'pyproject.toml'}:test")
        packages = [*self.pins(), *self.what.beside] if self.age == "oldest" else ["--upgrade", *self.named()]
        uv(
            *("pip", "install", "--python", self.python, "--constraints", self.constraints()),
            *(*packages, "--editable", f"{ROOT}[{extras}]", *tests),
        )
        uv("pip", "check", "--python", self.python)

    def named(self) -> list[str]:
        """The provider and those of the extras by name: what is named is resolved first, and so at its newest."""
        return sorted({f"{PREFIX}{self.provider}", *self.what.lowest})

    def pins(self) -> list[str]:
        """The oldest versions."""
        lowest = bounds()
        pins = [f"{name}=={lowest[name]}" for name in self.named() if name in lowest]
        return pins if f"{PREFIX}{self.provider}" in lowest else [*pins, self.oldest_of_all(pins)]

    def oldest_of_all(self, pins: list[str]) -> str:
        """The oldest common.sql that goes with the oldest of the others."""
        asked, told = self.folder / "asked.in", self.folder / "told.txt"
        ours = f"bifrost-export[{','.join(self.what.extras)}] @ {ROOT.as_uri()}"
        asked.write_text("\n".join([*pins, SQL, ours]))
        how = ("--resolution", "lowest-direct", "--constraints", self.constraints(), "--no-annotate", "--no-header")
        uv("pip", "compile", *how, "--python", self.python, asked, "--output-file", told)
        (found,) = [line for line in told.read_text().splitlines() if line.startswith(f"{SQL}==")]
        return found

    def constraints(self) -> Path:
        """The bound of SQLAlchemy that this project's tests have, as a file."""
        path = self.folder / "constraints.txt"
        (bound,) = (each for each in project()["dependency-groups"]["test"] if str(each).startswith("sqlalchemy"))
        path.write_text(bound)
        return path

    def versions(self) -> dict[str, str]:
        """What is installed, by name."""
        told = subprocess.run([self.python, "-c", _VERSIONS], check=True, capture_output=True, text=True, timeout=60)
        found: dict[str, str] = json.loads(told.stdout)
        return {name.lower().replace("_", "-"): version for name, version in found.items()}

    def test(self) -> str:
        """Run the suites, all of them, in a process of their own.

        Returns:
            The last line: how many passed.

        Raises:
            AssertionError: Something failed; the message holds what was written.
        """
        command: list[str | Path] = [self.python, "-m", "pytest", *self.what.suites, "-q", "-m", "long or not long"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AIRFLOW"))}
        log = self.folder / "log.txt"
        with log.open("w") as output:
            running = subprocess.Popen(
                [*command, "-p", "no:cacheprovider", "-o", OUR_WARNINGS, "--disable-warnings"],
                cwd=ROOT,
                env=inherited,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                code = running.wait(SECONDS)
            finally:
                _stop(running)
        told = log.read_text("utf-8", "replace").strip()
        assert code == 0, told[-8000:]
        return told.splitlines()[-1]


def _stop(running: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does, so that its servers are stopped too."""
    if running.poll() is None:
        running.send_signal(signal.SIGINT)
        try:
            running.wait(60)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@pytest.fixture
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, provider: str
) -> Iterator[Environment]:
    """Made for the test, and removed: it has more than a gigabyte."""
    folder = tmp_path_factory.mktemp(f"{provider}-{request.param}")
    try:
        found = Environment(folder, provider, request.param)
        found.make()
        yield found
    finally:
        shutil.rmtree(folder)


def test_every_provider_of_an_extra_has_a_bound_and_suites() -> None:
    """Else one could be older than any that was tried."""
    named = {each for found in project()["project"]["optional-dependencies"].values() for each in found}
    providers = {re.split(r"[^a-z-]", each)[0] for each in named if each.startswith(PREFIX)}
    lowest = bounds()
    assert providers | {AIRFLOW} == set(lowest)
    assert {f"{PREFIX}{name}" for name in PROVIDERS} == providers | {SQL}


def test_the_oldest_snowflake_gets_a_sqlalchemy_that_it_bears(tmp_path: Path) -> None:
    """By the extra alone: whoever installs it has no constraints of this project's."""
    asked, told = tmp_path / "asked.in", tmp_path / "told.txt"
    name = f"{PREFIX}snowflake"
    asked.write_text(f"{name}=={bounds()[name]}\nbifrost-export[snowflake] @ {ROOT.as_uri()}")
    uv("pip", "compile", "--no-config", "--python", sys.executable, asked, "--output-file", told)
    (found,) = re.findall(r"^sqlalchemy==([\d.]+)", told.read_text(), re.MULTILINE)
    assert Version(found) < Version("2.1")


@pytest.mark.parametrize("environment", ["oldest", "newest"], indirect=True)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_contract_suites_pass(environment: Environment) -> None:
    """Every case, and none is left out."""
    versions = environment.versions()
    name = f"{PREFIX}{environment.provider}"
    if environment.age == "oldest":
        for each in {name, *environment.what.lowest} & set(bounds()):
            assert Version(versions[each]) == Version(bounds()[each])
    else:
        assert Version(versions[name]) >= Version(metadata.version(name)), "older than the locked one"
    shown = [f"{each} {versions[each]}" for each in sorted({AIRFLOW, name, *environment.named()})]

    told = environment.test()

    sys.stdout.write(f"{environment.provider}, {environment.age}: {', '.join(shown)}: {told}\n")
    assert re.fullmatch(r"\d+ passed(, \d+ warnings?)? in .+", told), told
