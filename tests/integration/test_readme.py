"""What the README shows on the command line works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bifrost_export.cli.group import COMMANDS, execute

README = Path(__file__).parents[2] / "README.md"


def test_every_line_of_the_trial_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other, with the document that is shown beside them."""
    text = README.read_text("utf-8").partition("To try it without an Airflow:")[2]
    found = re.search(r"```\n(?P<commands>.*?)```.*?```json\n(?P<document>.*?)```", text, re.DOTALL)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    Path("log_exports.json").write_text(found["document"])
    commands = found["commands"].splitlines()
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "bifrost-export"
        assert execute(arguments) == 0, (command, capsys.readouterr().err)
    tried = {shlex.split(command)[1] for command in commands}
    assert tried == {"sample-logs", "check", "plan", "preview", "run", "status", "verify"}
    assert "agrees 1 file" in capsys.readouterr().out


def test_every_command_stands_in_the_table() -> None:
    """With what it does."""
    text = README.read_text("utf-8")
    for name in COMMANDS:
        assert f"| `bifrost-export {name}" in text, name
