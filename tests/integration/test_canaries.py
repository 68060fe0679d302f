"""A document that points each destination, staging and source at a server of its author's own: no secret gets there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from tests.servers.recorder import Recorder, recorder

__all__ = ["recorder"]

CANARY = "canary7f3a91"
WINDOW = ("--export", "nightly", "--window-start", "2026-03-01", "--window-end", "2026-03-02")
VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "SNOWFLAKE_PASSWORD"),
    *("STRIPE_KEY", "AIRFLOW_VAR_STRIPE", "BIFROST_ANONYMIZE_KEY", "ASKED_FOR", "AZURE_CLIENT_SECRET", "DB_PASSWORD"),
)
CONNECTIONS: dict[str, dict[str, Any]] = {
    "mysql": {"conn_type": "mysql", "host": "db.internal", "port": 3306},
    "postgres": {"conn_type": "postgres", "host": "db.internal", "port": 5432},
    "http": {"conn_type": "http", "host": "api.internal"},
    "aws": {"conn_type": "aws", "extra": {"aws_session_token": CANARY, "region_name": "us-west-2"}},
    "wasb": {"conn_type": "wasb", "host": "mine.blob.core.windows.net", "extra": {"sas_token": f"sv=1&sig={CANARY}"}},
    "wasb_string": {
        "conn_type": "wasb",
        "extra": {"connection_string": f"BlobEndpoint=https://x.blob.core.windows.net;SharedAccessSignature={CANARY}"},
    },
    "snowflake": {"conn_type": "snowflake", "extra": {"account": "org-mine"}},
    "redshift": {"conn_type": "redshift", "host": "c.x.us-west-2.redshift.amazonaws.com", "port": 5439},
    "google": {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": {"private_key": CANARY}}},
}
TABLE = {"database": "d", "table": "t"}
USER = {"username": "me", "password": "${ASKED_FOR}"}
LITERAL = {"username": "me", "password": f"{CANARY}-literal"}
KEYS = {"access_key_id": "AKIAOWN", "secret_access_key": "${ASKED_FOR}"}

Make = Callable[[Recorder, Path], dict[str, Any]]


def to(type_: str, **config: Any) -> Make:
    """A destination; `{host}` and `{url}` stand for the author's server, `{file}` for a file of the worker's."""

    def make(recorder: Recorder, file: Path) -> dict[str, Any]:
        text = json.dumps({"type": type_, "config": config})
        for name, value in {"{host}": f"127.0.0.1:{recorder.port}", "{url}": recorder.url, "{file}": str(file)}.items():
            text = text.replace(name, value)
        made: dict[str, Any] = json.loads(text)
        if made["config"].get("port") == "{port}":
            made["config"]["port"] = recorder.port
        return made

    return make


def at_host(type_: str, **config: Any) -> Make:
    """A destination with the author's server as host and port."""
    return to(type_, host="127.0.0.1", port="{port}", **TABLE, **config)


STAGING = {"bucket": "staging"}
HOSTILE = {
    "s3, this machine": to("s3", bucket="b", region="us-west-2", endpoint_url="{url}"),
    "s3, a role": to("s3", bucket="b", endpoint_url="{url}", credentials={"role_arn": "arn:aws:iam::1:role/r"}),
    "s3, a session token": to(
        "s3", bucket="b", endpoint_url="{url}", credentials={**KEYS, "session_token": "${ASKED_FOR}"}
    ),
    "s3, a connection": to("s3", bucket="b", endpoint_url="{url}", conn_id="aws"),
    "s3, MySQL's connection": to("s3", bucket="b", endpoint_url="{url}", conn_id="mysql"),
    "azure, this machine": to("azure_blob", container="c", endpoint_url="{url}"),
    "azure, a token": to("azure_blob", container="c", endpoint_url="{url}", sas_token="${ASKED_FOR}"),
    "azure, a connection": to("azure_blob", container="c", endpoint_url="{url}", conn_id="wasb"),
    "azure, a connection's string": to("azure_blob", container="c", endpoint_url="{url}", conn_id="wasb_string"),
    "azure, an HTTP connection": to("azure_blob", container="c", endpoint_url="{url}", conn_id="http"),
    "snowflake, a password": to("snowflake", account="{host}", credentials=USER, **TABLE),
    "snowflake, a password that is written out": to("snowflake", account="{host}", credentials=LITERAL, **TABLE),
    "snowflake, a connection": to("snowflake", account="{host}", conn_id="snowflake", **TABLE),
    "snowflake, MySQL's connection": to("snowflake", account="{host}", conn_id="mysql", **TABLE),
    "redshift, a password": at_host("redshift", credentials=USER),
    "redshift, keys in COPY": at_host("redshift", credentials=USER, staging=STAGING),
    "redshift, keys in COPY of a connection": at_host("redshift", credentials=USER, staging=STAGING, aws_conn_id="aws"),
    "redshift, a password of IAM's": at_host("redshift", iam=True, db_user="me", region="us-west-2"),
    "redshift, a connection": at_host("redshift", conn_id="redshift"),
    "redshift, MySQL's connection": at_host("redshift", conn_id="mysql"),
    "redshift, the log store's connection": at_host("redshift", conn_id="postgres"),
    "redshift, staging by MySQL's connection": to(
        "redshift", conn_id="redshift", aws_conn_id="mysql", cluster="c", staging=STAGING, **TABLE
    ),
    "gcs, an HTTP connection": to("gcs", bucket="b", conn_id="http"),
    "bigquery, Amazon's connection": to("bigquery", project_id="my-project", dataset="d", table="t", conn_id="aws"),
}


@pytest.fixture(autouse=True)
def canaries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in every variable and in every connection, and no host that an administrator allows."""
    monkeypatch.delenv("BIFROST_EXPORT_HOSTS")
    monkeypatch.delenv("BIFROST_EXPORT_CODE")
    for name in VARIABLES:
        monkeypatch.setenv(name, f"{CANARY}-{name}")
    for name, connection in CONNECTIONS.items():
        whole = {"login": f"{CANARY}-login", "password": f"{CANARY}-password", **connection}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(whole))


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """A file that the worker can read."""
    path = tmp_path / "elsewhere" / "token"
    path.parent.mkdir()
    path.write_text(f"{CANARY}-file")
    return path


def write(folder: Path, log_store: Path, destination: dict[str, Any], **content: Any) -> str:
    """Write a document; gives its path."""
    export = {"name": "nightly", "schedule": {"frequency": "daily"}, "destination": destination}
    source = {"type": "sqlite", "config": {"path": str(log_store)}}
    whole = {"source": source, "staging": {"url": (folder / "staging").as_uri()}, "exports": [export], **content}
    path = folder / "log_exports.json"
    path.write_text(json.dumps({"log_exports": whole}))
    return str(path)


def commands(path: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Validate, plan, check and run; gives the exit code of the run, and all that was printed."""
    execute(["validate", path])
    execute(["plan", path])
    execute(["check", path])
    code = execute(["run", path, *WINDOW])
    shown = capfd.readouterr()
    return code, shown.out + shown.err


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_secret_reaches_a_host_that_only_the_document_names(
    make: Make,
    recorder: Recorder,
    secret_file: Path,
    log_store: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The run is refused as a wrong input before any request, and the message says why."""
    code, shown = commands(write(tmp_path, log_store, make(recorder, secret_file)), capfd)
    assert recorder.received == []
    assert "which would receive" in shown or "which is of type" in shown
    assert CANARY not in shown
    assert code == 2


def google_key(**changes: Any) -> str:
    """Credentials for Google that the document's author has written."""
    key = {"type": "service_account", "client_email": "me@p.iam", "private_key": PEM, "token_uri": "{url}/token"}
    return json.dumps({**key, **changes})


PEM = "-----BEGIN PRIVATE KEY-----\\nMIIB\\n-----END PRIVATE KEY-----\\n"
EXTERNAL = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/x",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_uri": "https://oauth2.googleapis.com/token",
    "token_url": "{url}/x",
}
GOOGLES = {
    "a file of the worker's": google_key(**EXTERNAL, credential_source={"file": "{file}"}),
    "an address that the worker reaches": google_key(**EXTERNAL, credential_source={"url": "{url}/metadata"}),
    "a program": google_key(**EXTERNAL, credential_source={"executable": {"command": "/bin/true"}}),
    "another user's": google_key(type="authorized_user", refresh_token="r", client_id="i", client_secret="s"),
    "an impersonation": google_key(
        type="impersonated_service_account", service_account_impersonation_url="{url}", source_credentials={}
    ),
    "another token address": google_key(),
    "another token address, dressed up": google_key(token_uri="https://oauth2.googleapis.com@127.0.0.1/token"),
    "another universe": google_key(token_uri="https://oauth2.googleapis.com/token", universe_domain="127.0.0.1"),
    "no type": google_key(type=""),
}


@pytest.mark.parametrize("where", ["gcs", "bigquery", "object_storage"])
@pytest.mark.parametrize("how", ["written out", "from a variable", "in a file"])
@pytest.mark.parametrize("text", GOOGLES.values(), ids=GOOGLES.keys())
def test_googles_credentials_of_other_types_are_refused(
    text: str,
    how: str,
    where: str,
    recorder: Recorder,
    secret_file: Path,
    log_store: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No file is read for them, no program is run, and no address of theirs is asked."""
    key = text.replace("{url}", recorder.url).replace("{file}", str(secret_file))
    monkeypatch.setenv("ASKED_FOR", key)
    path = tmp_path / "key.json"
    path.write_text(key)
    given = {"written out": key, "from a variable": "${ASKED_FOR}", "in a file": str(path)}[how]
    destination: dict[str, Any] = {"type": "local", "config": {"path": str(tmp_path / "out")}}
    content: dict[str, Any] = {}
    if where == "object_storage":
        storage = {"type": "gcs", "bucket": "b", "credentials_json": given}
        content["source"] = {"type": "sqlite", "config": {"path": str(log_store), "object_storage": storage}}
    else:
        config = {"bucket": "b"} if where == "gcs" else {"project_id": "my-project", "dataset": "d", "table": "t"}
        destination = {"type": where, "config": {**config, "credentials": {"service_account_key": given}}}
    code, shown = commands(write(tmp_path, log_store, destination, **content), capfd)
    assert recorder.received == []
    assert CANARY not in shown
    assert "service account's key" in shown or "service_account" in shown or "credentials_json" in shown
    if where != "object_storage" or how == "written out":  # the sample has no offloaded payload to read
        assert code == 2


def postgres_at(**config: Any) -> Callable[[Recorder], dict[str, Any]]:
    """A log store whose host is the author's server."""
    return lambda recorder: {
        "type": "postgres",
        "config": {"host": "127.0.0.1", "port": recorder.port, "user": "me", "db_name": "d", **config},
    }


@pytest.mark.parametrize(
    "source",
    [postgres_at(), postgres_at(password="${ASKED_FOR}"), postgres_at(password="pre${ASKED_FOR}")],
    ids=["PGPASSWORD", "a password from a variable", "a part of a password"],
)
def test_no_password_reaches_a_log_store_that_only_the_document_names_in_clear(
    source: Callable[[Recorder], dict[str, Any]],
    recorder: Recorder,
    log_store: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The server asks for it in clear, as any server may, and is left."""
    destination = {"type": "local", "config": {"path": str(tmp_path / "out")}}
    code, shown = commands(write(tmp_path, log_store, destination, source=source(recorder)), capfd)
    assert recorder.received
    assert CANARY not in recorder.everything
    assert CANARY not in shown
    assert code == 1
    assert "no password supplied" in shown or "BIFROST_EXPORT_HOSTS" in shown


def test_a_password_that_stands_in_the_document_is_its_authors_own(
    recorder: Recorder, log_store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It goes where the document says."""
    destination = {"type": "local", "config": {"path": str(tmp_path / "out")}}
    source = postgres_at(password="written-out")(recorder)
    commands(write(tmp_path, log_store, destination, source=source), capfd)
    assert "written-out" in recorder.everything
    assert CANARY not in recorder.everything


@pytest.mark.parametrize(
    "storage",
    [
        {"access_key_id": "AKIAOWN", "secret_access_key": "${ASKED_FOR}", "session_token": "${ASKED_FOR}"},
        {"access_key_id": "AKIAOWN", "secret_access_key": "s", "role_arn": "arn:aws:iam::1:role/r"},
        {},
        {"conn_id": "aws"},
        {"conn_id": "mysql"},
    ],
    ids=str,
)
def test_no_secret_reaches_an_object_storage_that_only_the_document_names(
    storage: dict[str, Any], recorder: Recorder, log_store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """`check` opens it, whether payloads are offloaded or not."""
    destination = {"type": "local", "config": {"path": str(tmp_path / "out")}}
    config = {"type": "s3", "bucket": "b", "region": "us-west-2", "endpoint": recorder.url, **storage}
    source = {"type": "sqlite", "config": {"path": str(log_store), "object_storage": config}}
    _, shown = commands(write(tmp_path, log_store, destination, source=source), capfd)
    assert recorder.received == []
    assert "object_storage.endpoint names the host" in shown or "which is of type" in shown
    assert CANARY not in shown


@pytest.mark.parametrize(
    "staging",
    [
        {"url": "https://a.blob.evil.example/c"},
        {"url": "abfss://c@127.0.0.1:{port}/x"},
        {"url": "abfss://c@evil.example/x"},
        {"url": "s3://b/x", "conn_id": "mysql"},
        {"url": "gs://b/x", "conn_id": "aws"},
        {"url": "az://c/x", "conn_id": "aws"},
    ],
    ids=str,
)
def test_no_secret_reaches_staging_that_only_the_document_names(
    staging: dict[str, str], recorder: Recorder, log_store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No machine's token goes to an account of nobody's, and a connection's type fits the store."""
    destination = {"type": "local", "config": {"path": str(tmp_path / "out")}}
    given = {key: value.replace("{port}", str(recorder.port)) for key, value in staging.items()}
    code, shown = commands(write(tmp_path, log_store, destination, staging=given), capfd)
    assert recorder.received == []
    assert "which would receive" in shown or "which is of type" in shown
    assert CANARY not in shown
    assert code == 2


def test_an_administrator_allows_a_host(
    recorder: Recorder,
    log_store: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then what the document refers to goes there."""
    monkeypatch.setenv("BIFROST_EXPORT_HOSTS", f"*.corp.example,127.0.0.1:{recorder.port}")
    make = HOSTILE["s3, a session token"]
    execute(["check", write(tmp_path, log_store, make(recorder, tmp_path))])
    assert f"{CANARY}-ASKED_FOR" in recorder.everything
    assert CANARY not in capfd.readouterr().out
