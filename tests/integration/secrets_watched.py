"""What a command prints, raises, logs and stages, looked through for the secrets that are planted in its document."""

from __future__ import annotations

import importlib
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli import group
from bifrost_export.cli.group import execute
from tests.integration.secrets_planted import Planted, planted, told

__all__ = ["planted"]

WINDOW = ("--export", "nightly", "--window-start", "2026-03-01", "--window-end", "2026-03-02")
LOGGERS = ("botocore", "boto3", "s3transfer", "google", "azure", "urllib3", "requests", "airflow", "asyncio", "")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What anything logs at the level DEBUG, as a handler writes it."""
    # Airflow sets logging up anew when it is first imported.
    importlib.import_module("airflow.providers.amazon.aws.hooks.s3")
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    kept, before = Kept(), {name: logging.getLogger(name).level for name in LOGGERS}
    logging.getLogger().addHandler(kept)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield lines
    logging.getLogger().removeHandler(kept)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def chain_of(error: BaseException) -> str:
    """All that Python shows of an error and its causes, and what Airflow would send of it."""
    return "".join([*traceback.format_exception(error), str(error), repr(error), str(pickle.dumps(error))])


def staged(folder: Path) -> str:
    """What is left in staging, its names too."""
    found = sorted((folder / "staging").rglob("*"))
    return "".join(f"{path} {path.read_bytes()!r}" if path.is_file() else str(path) for path in found)


@dataclass
class Watch:
    """Sees all that a command shows, raises, logs and leaves in staging.

    Args:
        planted: The destination.
        path: The document.
        logged: What anything has logged.
        errors: What was raised.
        capfd: Catches what is printed.
        content: What `log_exports` holds beside the export, in place of the log store and folder beside it.
    """

    planted: Planted
    path: Path
    logged: list[str]
    errors: list[BaseException]
    capfd: pytest.CaptureFixture[str]
    content: dict[str, Any] = field(default_factory=dict)

    def write(self, **data: Any) -> None:
        """Write the document, whose export has this `data`."""
        export = {"name": "nightly", "schedule": {"frequency": "daily"}, "destination": self.planted.destination}
        folder = self.path.parent
        source = {"type": "sqlite", "config": {"path": str(folder / "logs.db")}}
        content = {"source": source, "staging": {"url": (folder / "staging").as_uri()}, **self.content}
        self.path.write_text(json.dumps({"log_exports": {**content, "exports": [{**export, "data": data}]}}))

    def run(self) -> tuple[int, dict[str, Any]]:
        """Run the window; gives the exit code and what is told, once no secret was seen in any of it."""
        code = execute(["run", str(self.path), *WINDOW, "--format", "json"])
        return code, json.loads(self.look())

    def look(self) -> str:
        """What was printed since the last look, once no secret was seen anywhere."""
        shown = self.capfd.readouterr()
        said = {
            "printed": shown.out + shown.err,
            "raised": "".join(chain_of(error) for error in self.errors),
            "logged": "\n".join(self.logged),
            "staged": staged(self.path.parent),
        }
        assert [where for where, text in said.items() if told(self.planted.secrets, text)] == []
        return shown.out


@pytest.fixture
def watch(
    planted: Planted,
    logged: list[str],
    log_store: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Watch:
    """Over a document whose log store lies beside it."""
    assert log_store == tmp_path / "logs.db"
    monkeypatch.setenv("BIFROST_EXPORT_DEBUG", "1")
    errors: list[BaseException] = []
    tell = group.tell
    monkeypatch.setattr(
        group, "tell", lambda error, *rest, **named: errors.append(error) or tell(error, *rest, **named)
    )
    return Watch(planted, tmp_path / "log_exports.json", logged, errors, capfd)
