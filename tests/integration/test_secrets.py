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
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli import group
from bifrost_export.cli.group import execute
from bifrost_export.destinations import streaming
from bifrost_export.registry import DESTINATIONS
from bifrost_export.testing.object_store_runs import DAY, target_of
from tests.integration.secrets_planted import ROLE_KEYS, Planted, planted, told
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

    def refuse(method: str, path: str, headers: Message) -> tuple[int, bytes]:
        known = "; ".join(planted.secrets)
        sent = f"{method} {path} {dict(headers.items())!r} {known}"
        if planted.type == "gcs":
            return status, error_body(status, "forbidden", sent)
        code = {400: "ExpiredToken", 401: "AuthenticationFailed", 404: "NoSuchBucket"}.get(status, "AccessDenied")
        text = sent.replace("&", "&amp;").replace("<", "&lt;")
        return status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()

    return refuse


def garbage(planted: Planted) -> Callable[[str, str, Message], tuple[int, bytes]]:
    """A server that answers what no client can read, with all that it was sent."""
    return lambda method, path, headers: (200, f"<<{path} {headers} {planted.secrets}".encode())


def break_it(planted: Planted, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the destination fail."""
    proxy = planted.proxy
    if how.startswith("refuses"):
        planted.answer(echo(planted, int(how.split()[1])))
    elif how == "talks nonsense":
        planted.answer(garbage(planted))
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
    """

    planted: Planted
    path: Path
    logged: list[str]
    errors: list[BaseException]
    capfd: pytest.CaptureFixture[str]

    def write(self, **data: Any) -> None:
        """Write the document, whose export has this `data`."""
        export = {"name": "nightly", "schedule": {"frequency": "daily"}, "destination": self.planted.destination}
        folder = self.path.parent
        source = {"type": "sqlite", "config": {"path": str(folder / "logs.db")}}
        content = {"source": source, "staging": {"url": (folder / "staging").as_uri()}}
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


@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_tells_no_secret(watch: Watch, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the terminal, in the traceback, in what the clients log at their most talkative, in staging."""
    break_it(watch.planted, how, monkeypatch)
    watch.write()

    code, found = watch.run()

    assert code != 0
    assert found["error"]["message"]
    assert len(watch.errors) == 1
    if how != "has no address":
        assert any(line for line in watch.logged), "the clients said nothing"
    assert execute(["check", str(watch.path)]) != 0
    watch.look()


@pytest.mark.parametrize("planted", ["s3 role"], indirect=True)
def test_a_role_that_is_refused_tells_no_secret(watch: Watch) -> None:
    """The token service itself repeats what it was asked with."""
    watch.planted.canaries = [each for each in watch.planted.canaries if each not in ROLE_KEYS.values()]
    watch.planted.proxy.gate = echo(watch.planted, 403)
    watch.write()

    assert watch.run()[0] != 0

    assert "AssumeRole" in "\n".join(watch.logged)


def test_what_a_refused_deletion_leaves_to_tell_is_no_secret(watch: Watch) -> None:
    """The run warns, and its manifest still names what it could not take away."""
    planted = watch.planted
    watch.write()
    code, first = watch.run()
    assert code == 0
    proceed, refuse = planted.proxy.gate, echo(planted, 403)
    planted.proxy.gate = lambda *request: (refuse if request[0] == "DELETE" else proceed)(*request)
    watch.write(max_rows_per_file=400)

    code, second = watch.run()

    assert (code, second["revision"]) == (0, 2)
    planted.proxy.gate = proceed
    manifest = read(str(watch.path), second["manifest"])
    assert json.loads(manifest)["replaces"] == [part["key"] for part in first["datasets"]["request_logs"]["parts"]]
    assert told(planted.secrets, manifest) == []


@pytest.mark.parametrize("planted", ["gcs"], indirect=True)
def test_the_address_of_an_upload_is_a_secret_too(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever knows it may go on with it."""
    monkeypatch.setattr(streaming, "BLOCK", 64 * 1024)
    watch.write(format="json", compression="none")

    assert watch.run()[0] == 0

    assert set(re.findall(r"upload_id=([^&\s\"']+)", "\n".join(watch.logged))) == {"***"}


def test_a_run_that_ends_well_tells_no_secret_either(watch: Watch) -> None:
    """Neither does its manifest."""
    watch.write()

    code, published = watch.run()

    assert code == 0
    path, manifest = str(watch.path), published["manifest"]
    assert execute(["verify", manifest, "--config", path, "--export", "nightly"]) == 0
    assert execute(["status", path]) == 0
    watch.look()
    assert told(watch.planted.secrets, read(path, manifest)) == []
    assert any("http" in line for line in watch.logged), "the clients said nothing"


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
