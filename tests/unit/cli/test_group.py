"""The command `bifrost-export` itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bifrost_export import __version__
from bifrost_export.cli.group import COMMANDS, execute
from tests import independent


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with what it does."""
    assert execute(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, (_, about) in COMMANDS.items():
        assert name in shown
        assert about in shown


def test_nothing_typed_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """It counts as wrong input, so that a script notices."""
    assert execute([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints it."""
    assert execute(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is imported where the table says, under its own name."""
    assert execute([name, "--help"]) == 0
    assert f"bifrost-export {name}" in capsys.readouterr().out


def test_sample_logs_makes_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON tells what was made, and the rows are there."""
    path = tmp_path / "new" / "logs.db"
    arguments = ["sample-logs", str(path), "--backend", "sqlite", "--rows", "50", "--seed", "9", "--days", "2"]
    assert execute([*arguments, "--end", "2026-03-03", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "path": str(path),
        "backend": "sqlite",
        "rows": 50,
        "tool_calls": told["tool_calls"],
        "offloaded": 0,
        "bytes": path.stat().st_size,
        "seed": 9,
        "window": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-03T00:00:00Z"},
    }
    assert len(independent.log_rows(path)) == 50


def test_sample_logs_tells_people_how_to_use_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The variable that names it as a log store is ready to paste."""
    assert execute(["sample-logs", str(tmp_path / "logs.db"), "--rows", "1"]) == 0
    assert f"BIFROST_LOG_STORE=sqlite:///{tmp_path}/logs.db" in capsys.readouterr().out


def test_sample_logs_leaves_an_existing_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is wrong input, told in words."""
    path = tmp_path / "logs.db"
    path.write_text("mine")
    assert execute(["sample-logs", str(path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "mine"
