"""No failure of a cloud destination tells a secret: not its message, its causes, the logs, the manifest, staging."""

from __future__ import annotations

import importlib
import json
import logging
import os
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli import group
from bifrost_export.cli.group import execute
from bifrost_export.registry import DESTINATIONS
from bifrost_export.testing.object_store_runs import DAY, target_of
from tests.integration.secrets_planted import Planted, planted, told
from tests.servers.google_gate import error_body

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


def echo(planted: Planted, status: int) -> Callable[[str, str, Message], tuple[int, bytes]]:
    """A server that tells in its error all that it was sent, and what it was signed with."""
    known = "; ".join(planted.canaries)

    def refuse(method: str, path: str, headers: Message) -> tuple[int, bytes]:
        sent = f"{method} {path} {dict(headers.items())!r} {known}"
        if planted.type == "gcs":
            return status, error_body(status, "forbidden", sent)
        code = {400: "ExpiredToken", 401: "AuthenticationFailed", 404: "NoSuchBucket"}.get(status, "AccessDenied")
        text = sent.replace("&", "&amp;").replace("<", "&lt;")
        return status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()

    return refuse


def garbage(planted: Planted) -> Callable[[str, str, Message], tuple[int, bytes]]:
    """A server that answers what no client can read, with all that it was sent."""
    return lambda method, path, headers: (200, f"<<{path} {headers} {planted.canaries}".encode())


def break_it(planted: Planted, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the destination fail."""
    proxy = planted.proxy
    if how.startswith("refuses"):
        proxy.gate = echo(planted, int(how.split()[1]))
    elif how == "talks nonsense":
        proxy.gate = garbage(planted)
    elif how == "is busy":
        proxy.fault = lambda number, request: "503"
    elif how == "cuts":
        proxy.fault = lambda number, request: "cut"
    elif how == "loses the bucket":
        planted.config.update({name: "no-such-bucket" for name in ("bucket", "container") if name in planted.config})
    elif how == "is not there":
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
        if planted.type != "gcs":
            planted.config["endpoint_url"] = "http://127.0.0.1:9/bifrosttest"
    elif how == "has no address":
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", "ftp://no address")
        if planted.type != "gcs":
            planted.config["endpoint_url"] = "no address"


FAILURES = [
    "refuses 403",
    *(
        pytest.param(how, marks=pytest.mark.long)
        for how in (
            "refuses 400",
            "refuses 401",
            "refuses 404",
            "refuses 409",
            "talks nonsense",
            "loses the bucket",
            "has no address",
            "is not there",
            "is busy",
            "cuts",
        )
    ),
]


def document(planted: Planted, folder: Path, log_store: Path) -> Path:
    """The export."""
    export = {"name": "nightly", "schedule": {"frequency": "daily"}, "destination": planted.destination}
    source = {"type": "sqlite", "config": {"path": str(log_store)}}
    content = {"source": source, "staging": {"url": (folder / "staging").as_uri()}, "exports": [export]}
    path = folder / "log_exports.json"
    path.write_text(json.dumps({"log_exports": content}))
    return path


def chain_of(error: BaseException) -> str:
    """All that Python shows of an error and its causes, and what Airflow would send of it."""
    return "".join([*traceback.format_exception(error), str(error), repr(error), str(pickle.dumps(error))])


def staged(folder: Path) -> str:
    """What is left in staging, its names too."""
    found = sorted((folder / "staging").rglob("*"))
    return "".join(f"{path} {path.read_bytes()!r}" if path.is_file() else str(path) for path in found)


@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_tells_no_secret(
    planted: Planted,
    how: str,
    logged: list[str],
    log_store: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the terminal, in the traceback, in what the clients log at their most talkative, in staging."""
    monkeypatch.setenv("BIFROST_EXPORT_DEBUG", "1")
    errors: list[BaseException] = []
    tell = group.tell
    monkeypatch.setattr(
        group, "tell", lambda error, *rest, **named: errors.append(error) or tell(error, *rest, **named)
    )
    break_it(planted, how, monkeypatch)
    path = str(document(planted, tmp_path, log_store))

    assert execute(["run", path, *WINDOW, "--format", "json"]) != 0

    shown = capfd.readouterr()
    assert json.loads(shown.out)["error"]["message"]
    assert told(planted.canaries, shown.out + shown.err) == []
    [error] = errors
    assert told(planted.canaries, chain_of(error)) == []
    assert told(planted.canaries, staged(tmp_path)) == []
    assert told(planted.canaries, "\n".join(logged)) == []
    if how != "has no address":
        assert any(line for line in logged), "the clients said nothing"
    logged.clear()
    assert execute(["check", path]) != 0
    shown = capfd.readouterr()
    assert told(planted.canaries, shown.out + shown.err + "\n".join(logged)) == []


def test_a_run_that_ends_well_tells_no_secret_either(
    planted: Planted, logged: list[str], log_store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither does its manifest."""
    path = str(document(planted, tmp_path, log_store))

    assert execute(["run", path, *WINDOW, "--format", "json"]) == 0

    shown = capfd.readouterr()
    manifest = json.loads(shown.out)["manifest"]
    assert execute(["verify", manifest, "--config", path, "--export", "nightly"]) == 0
    assert execute(["status", path]) == 0
    later = capfd.readouterr()
    said = shown.out + shown.err + later.out + later.err + "\n".join(logged)
    assert told(planted.canaries, said + read(path, manifest) + staged(tmp_path)) == []
    assert any("http" in line for line in logged), "the clients said nothing"


def read(path: str, manifest: str) -> str:
    """The bytes of the manifest as they lie at the destination."""
    config: Any = json.loads(Path(path).read_text())["log_exports"]["exports"][0]["destination"]
    kind = DESTINATIONS.load(config["type"])
    resolved = json.loads(_filled(json.dumps(config["config"])))
    destination = kind(kind.Config.model_validate(resolved, strict=False), target_of(DAY, "0" * 8))
    found = destination.store.get(destination.key_of(manifest))
    assert found is not None
    return found[0].decode()


def _filled(text: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: json.dumps(os.environ[match[1]])[1:-1], text)
