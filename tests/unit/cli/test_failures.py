"""What a command that fails prints: one clear message, the right exit code, no traceback and no secret."""

from __future__ import annotations

import json
import sys

import click
import pytest

from bifrost_export.cli import group
from bifrost_export.cli.masking import Masker
from bifrost_export.errors import BooksError, ConfigError, DestinationUnavailableError

CANARY = 'canary/5ecret+value"with\\quotes'


@click.command()
@click.argument("what")
@click.option("--format", "output_format", default="text")
@click.pass_obj
def failing(masker: Masker, what: str, output_format: str) -> None:
    """Fail in the way that is asked for, after a library has printed something."""
    masker.learn(CANARY)
    click.echo("a library's chatter")
    errors = {
        "config": ConfigError(f"it is wrong: {CANARY}", allowed=f"not {CANARY}", hint="Mend it."),
        "permanent": BooksError("the books differ"),
        "passing": DestinationUnavailableError("it is away", hint="Try again."),
        "unexpected": KeyError(f"what\n{CANARY}"),
        "file": FileNotFoundError(2, "No such file or directory", "some.json"),
        "interrupt": KeyboardInterrupt(),
    }
    raise errors[what]


@pytest.fixture(autouse=True)
def command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failing command, reachable as `bifrost-export failing`."""
    monkeypatch.setitem(group.COMMANDS, "failing", (f"{__name__}:failing", "Fails."))
    monkeypatch.setattr(group, "import_module", lambda name: sys.modules[name])


@pytest.mark.parametrize(
    ("what", "code", "message"),
    [
        ("config", 2, "error: it is wrong: ***. Allowed: not ***. Mend it."),
        ("permanent", 1, "error: the books differ."),
        ("passing", 1, "error: it is away. Try again."),
        ("file", 1, "error: some.json: No such file or directory."),
        ("interrupt", 1, "error: interrupted."),
    ],
)
def test_an_error_is_one_message(what: str, code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What happened, what is allowed and what to do stand in one line on standard error."""
    assert group.execute(["failing", what]) == code
    assert capsys.readouterr().err.strip() == message


def test_an_unexpected_error_tells_how_to_get_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Type and first line are told, and the variable that shows more."""
    assert group.execute(["failing", "unexpected"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: KeyError: 'what")
    assert "BIFROST_EXPORT_DEBUG=1" in message
    assert "Traceback" not in message


def test_the_traceback_is_masked_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for the traceback still gets no secret."""
    monkeypatch.setenv("BIFROST_EXPORT_DEBUG", "1")
    assert group.execute(["failing", "unexpected"]) == 1
    message = capsys.readouterr().err
    assert "Traceback" in message
    assert "5ecret" not in message


@pytest.mark.parametrize("option", [["--format", "json"], ["--format=json"]], ids=" ".join)
def test_with_json_the_error_is_the_one_object(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output holds the object alone: a library's chatter goes to standard error."""
    assert group.execute(["failing", "config", *option]) == 2
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "error": {"type": "ConfigError", "message": "it is wrong: ***", "allowed": "not ***", "hint": "Mend it."}
    }
    assert "chatter" in printed.err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["failing"], "Missing argument 'WHAT'"),
        (["failing", "config", "--bogus"], "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_command_line_is_wrong_input(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 2, for people and as JSON."""
    assert group.execute(arguments) == 2
    assert word in capsys.readouterr().err
    assert group.execute([*arguments, "--format", "json"]) == 2
    assert word in json.loads(capsys.readouterr().out)["error"]["message"]


def test_secrets_are_masked_in_every_spelling() -> None:
    """As it is, and as it stands in JSON; very short ones would tear holes into words and are left."""
    masker = Masker()
    for secret in (CANARY, "abc", "pässword"):
        masker.learn(secret)
    text = f"{CANARY} {json.dumps(CANARY)} {CANARY!r} {json.dumps('pässword')} abc"
    assert masker.mask(text) == '*** "***" \'***\' "***" abc'
