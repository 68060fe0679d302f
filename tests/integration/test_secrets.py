"""No failure of a cloud destination tells a secret: not its message, its causes, the logs, the manifest, staging."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.destinations.object_store import upload_stream
from bifrost_export.registry import DESTINATIONS
from bifrost_export.sample.sqlite_tables import add_rows, create
from bifrost_export.testing.object_store_runs import DAY, target_of
from tests.integration.secrets_planted import ROLE, ROLE_KEYS, S3_KEYS, Planted, planted, told
from tests.integration.secrets_watched import Watch, logged, watch
from tests.servers.google_gate import error_body
from tests.support.offloading import offloaded
from tests.support.postgres_rows import rows_of

__all__ = ["logged", "planted", "watch"]


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
    monkeypatch.setattr(upload_stream, "BLOCK", 64 * 1024)
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


@pytest.mark.parametrize("planted", ["s3 role", "gcs file", "azure connection"], indirect=True)
def test_staging_tells_no_secret(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows wait in a store whose connection holds the secrets."""
    config = watch.planted.config
    bucket = config.get("bucket") or config["container"]
    if watch.planted.kind == "s3 role":
        extra = {
            "aws_session_token": S3_KEYS["session_token"],
            "role_arn": ROLE,
            "endpoint_url": config["endpoint_url"],
        }
        service = {"service_config": {"sts": {"endpoint_url": config["endpoint_url"]}}}
        login = {"login": S3_KEYS["access_key_id"], "password": S3_KEYS["secret_access_key"]}
        connection = {"conn_type": "aws", **login, "extra": {**extra, **service, "region_name": "us-west-2"}}
        monkeypatch.setenv("AIRFLOW_CONN_CANARY", json.dumps(connection))
    elif watch.planted.kind == "gcs file":
        extra = {"key_path": os.environ["CANARY_KEY"]}
        monkeypatch.setenv("AIRFLOW_CONN_CANARY", json.dumps({"conn_type": "google_cloud_platform", "extra": extra}))
    scheme = {"s3": "s3", "gcs": "gs", "azure_blob": "az"}[watch.planted.type]
    watch.content = {"staging": {"url": f"{scheme}://{bucket}/waiting", "conn_id": "canary"}}
    watch.planted.type, watch.planted.config = "local", {"path": "out"}
    watch.write()

    assert watch.run()[0] == 0

    watch.planted.answer(echo(watch.planted, 403))
    assert watch.run()[0] != 0


@pytest.mark.parametrize("planted", ["s3 role"], indirect=True)
def test_the_source_of_payloads_tells_no_secret(
    watch: Watch, sample_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bifrost's own keys of them, with a role: one that answers, and one that refuses."""
    url = watch.planted.config["endpoint_url"]
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
    rows = [row for row in rows_of(sample_store) if row["status"] == "error" and row.get("error_details")][:3]
    gone = watch.path.parent / "gone.db"
    create(gone)
    add_rows(gone, [left for left, _, _ in offloaded(rows)])
    credentials = {name: f"env.CANARY_{name.upper()}" for name in S3_KEYS}
    where = {"type": "s3", "bucket": watch.planted.config["bucket"], "region": "us-west-2", "endpoint": url}
    config = {"path": str(gone), "object_storage": {**where, **credentials, "role_arn": ROLE}}
    watch.content = {"source": {"type": "sqlite", "config": config}}
    watch.planted.type, watch.planted.config = "local", {"path": "out"}
    watch.write()

    assert watch.run()[0] == 0
    assert "AssumeRole" in "\n".join(watch.logged)

    watch.planted.answer(echo(watch.planted, 403))
    assert watch.run()[0] != 0
