"""A transformation that somebody else wrote: the package in `examples`, built, installed, and named both ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.config.loader import load
from bifrost_export.registry import TRANSFORMS
from bifrost_export.window import Window
from tests.integration.built_examples import built, installed
from tests.integration.exports import Export
from tests.integration.test_transformations import rows_of

DAY = Window.parse("2026-03-01", "2026-03-02")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as a wheel."""
    return built("custom_transform", tmp_path_factory.mktemp("dist"))


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Iterator[None]:
    """The example, installed."""
    with installed(wheel, tmp_path / "site"):
        yield


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("type_", ["round_latency", "bifrost_round_latency:RoundLatency"])
def test_a_transformation_of_ones_own_runs_by_entry_point_and_by_path(
    type_: str, tmp_path: Path, log_store: Path
) -> None:
    """Its keys are checked as all others, and the books hold it to keeping all rows."""
    entry = {"type": type_, "step_ms": 250}
    plain, rounded = (
        Export(tmp_path / name, log_store, {"transformations": given}) for name, given in (("p", []), ("r", [entry]))
    )
    plain.run(DAY)
    rounded.run(DAY)

    found = rows_of(rounded)
    assert found == [each | {"latency_ms": each["latency_ms"] // 250 * 250} for each in rows_of(plain)]
    [told] = rounded.manifest(DAY)["datasets"]["request_logs"]["transformations"]
    assert told["rows_in"] == told["rows_out"] == len(found)

    wrong = Export(tmp_path / "w", log_store, {"transformations": [entry | {"stepms": 1}]})
    [problem] = load(wrong.document()).errors
    assert (problem.pointer[-7:], problem.message) == ("/stepms", "unknown key 'stepms'")
    assert problem.hint == "Did you mean 'step_ms'?"


@pytest.mark.usefixtures("site")
def test_the_schema_knows_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    """An editor completes its keys, too."""
    assert "round_latency" in TRANSFORMS.names()
    assert execute(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert "step_ms" in schema["$defs"]["RoundLatencyConfig"]["properties"]


def test_without_its_package_the_document_says_so(tmp_path: Path, log_store: Path) -> None:
    """With the names that there are."""
    export = Export(tmp_path, log_store, {"transformations": [{"type": "round_latency"}]})
    [problem] = load(export.document()).errors
    assert problem.message == "there is no transform 'round_latency'"
    assert "anonymize" in str(problem.allowed)
