"""Shared by all tests: surroundings of their own, and a log store with plausible rows."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Airflow reads its settings when it is first imported: they have to stand before any test is.
_HOME = Path(tempfile.mkdtemp(prefix="bifrost-export-tests-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
(_HOME / "dags").mkdir()
for _name in [name for name in os.environ if name.startswith(("AIRFLOW", "AWS_", "BIFROST_"))]:
    if not _name.startswith("BIFROST_TEST_"):  # says how much is tried
        del os.environ[_name]
os.environ |= {
    "AIRFLOW_HOME": str(_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(_HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # The tests' servers are hosts that an administrator allows, and so is the code that tests name.
    "BIFROST_EXPORT_CODE": "tests.*,my_company.*,bifrost_export.formats.*,bifrost_pg_copy,bifrost_round_latency,"
    "a,a.b,decimal,nowhere.*,no_such_module_at_all",
    "BIFROST_EXPORT_HOSTS": "127.0.0.1:*,localhost:*",
}

import pytest  # noqa: E402

pytest.register_assert_rewrite("bifrost_export.testing")

from hypothesis import settings  # noqa: E402

from bifrost_export.sample.logs import write  # noqa: E402
from bifrost_export.window import Window  # noqa: E402

pytest_plugins = [
    "tests.servers.s3",
    "tests.servers.buckets",
    "tests.servers.postgres",
    "tests.servers.payload_gcs",
    "tests.servers.gcs",
    "tests.servers.azure",
    "tests.servers.seaweed",
    "tests.servers.redshift.server",
    "tests.servers.bigquery.server",
    "tests.servers.snowflake.server",
    "tests.integration.commands",
]

# How long an example takes says nothing on a machine that two cores share.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

SAMPLE_WINDOW = Window.parse("2026-03-01", "2026-03-03")
"""Two days: the time that the sample log store covers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage in property tests: their many examples reach the same lines, at twice the time."""
    for item in items:
        if isinstance(item, pytest.Function) and getattr(item.obj, "is_hypothesis_test", False):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(autouse=True)
def _airflow_comes_first(request: pytest.FixtureRequest) -> None:
    """Airflow's import gives the root logger the standard output of that moment: it must not be one test's own."""
    if "capsys" in request.fixturenames:
        import airflow.sdk  # noqa: F401


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite log store with 2,000 plausible rows in `SAMPLE_WINDOW`; nobody writes to it."""
    path = tmp_path_factory.mktemp("sample") / "logs.db"
    write(path, rows=2_000, seed=7, days=2, end=SAMPLE_WINDOW.end)
    return path


@pytest.fixture
def log_store(sample_store: Path, tmp_path: Path) -> Path:
    """A copy of the sample log store that a test may change."""
    return Path(shutil.copy(sample_store, tmp_path / "logs.db"))


@pytest.fixture
def sample_window() -> Window:
    """The two days that the sample log store covers."""
    return SAMPLE_WINDOW
