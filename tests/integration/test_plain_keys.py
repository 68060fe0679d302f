"""A newline or a blank behind a key: the key's name is told, the key is not, and nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from tests.integration.commands import Desk
from tests.integration.test_s3_checksums import WINDOW
from tests.servers.azure import ACCOUNT
from tests.servers.fault_proxy import Proxy, fault_proxy

SECRET = "c4nary-Secret/of+none"
ENDS = {"newline": "\n", "carriage return": "\r\n", "blank": " ", "tab": "\t", "zero-width": "\u200b"}


@pytest.fixture
def nobody() -> Iterator[Proxy]:
    """A server that is never to be asked."""
    with fault_proxy("http://127.0.0.1:9") as proxy:
        yield proxy
        assert proxy.requests == []


def s3(url: str, **changes: Any) -> dict[str, Any]:
    """A destination whose keys are references."""
    keys = {"access_key_id": "${A}", "secret_access_key": "${B}", "session_token": "${C}"}
    config = {"bucket": "lake", "region": "us-west-2", "endpoint_url": url, "credentials": keys, **changes}
    return {"type": "s3", "config": {name: value for name, value in config.items() if value is not None}}


def refused(desk: Desk, name: str) -> None:
    """Check and run end with 2 and name the key."""
    for command in (("check",), ("run", "--export", "nightly", *WINDOW)):
        code, found = desk.told(*command)
        assert code == 2, found
        said = json.dumps(found)
        assert name in said
        assert SECRET not in said
        assert "printf" in said or "referenced variable" in said


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize(
    ("variable", "key"), [("A", "access_key_id"), ("B", "secret_access_key"), ("C", "session_token")]
)
def test_a_key_of_s3_is_named(
    desk: Desk, nobody: Proxy, monkeypatch: pytest.MonkeyPatch, variable: str, key: str, end: str
) -> None:
    """Whatever stands behind it."""
    for each in ("A", "B", "C"):
        monkeypatch.setenv(each, SECRET)
    monkeypatch.setenv(variable, SECRET + end)
    desk.destination = s3(nobody.url)

    refused(desk, key)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_a_key_of_the_machine_is_named(desk: Desk, nobody: Proxy, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """By its variable."""
    for each in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(each, SECRET)
    monkeypatch.setenv(name, f"{SECRET}\n")
    desk.destination = s3(nobody.url, credentials=None)

    refused(desk, f"the variable {name} ends with a newline")


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ({"login": f"{SECRET}\n"}, "the login of the Airflow connection 'lake'"),
        ({"password": f"{SECRET}\n"}, "the password of the Airflow connection 'lake'"),
        ({"extra": {"aws_session_token": f"{SECRET}\n"}}, "the setting aws_session_token of"),
    ],
)
def test_a_key_of_a_connection_is_named(
    desk: Desk, nobody: Proxy, monkeypatch: pytest.MonkeyPatch, field: dict[str, Any], name: str
) -> None:
    """As the connection names it."""
    connection = {"conn_type": "aws", "login": "id", "password": SECRET, **field}
    connection["extra"] = {"endpoint_url": nobody.url, **connection.get("extra", {})}
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps(connection))
    desk.destination = s3(nobody.url, credentials=None, endpoint_url=None, conn_id="lake")

    refused(desk, name)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("key", ["account_key", "sas_token"])
def test_a_key_of_azure_is_named(
    desk: Desk, nobody: Proxy, monkeypatch: pytest.MonkeyPatch, key: str, end: str
) -> None:
    """An account's key, and a SAS token."""
    monkeypatch.setenv("KEY", SECRET + end)
    config = {"container": "lake", "account_name": ACCOUNT, "endpoint_url": f"{nobody.url}/{ACCOUNT}", key: "${KEY}"}
    desk.destination = {"type": "azure_blob", "config": config}

    refused(desk, key)


@pytest.mark.parametrize(
    ("type_", "config"),
    [
        ("snowflake", {"account": "org-acct", "database": "d", "table": "t"}),
        ("redshift", {"host": "127.0.0.1", "port": 9, "database": "d", "table": "t"}),
    ],
)
@pytest.mark.parametrize("key", ["username", "password"])
def test_a_password_of_a_warehouse_is_named(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, type_: str, config: dict[str, Any], key: str
) -> None:
    """No warehouse takes a newline in one."""
    monkeypatch.setenv("KEY", f"{SECRET}\n")
    credentials = {"username": "u", "password": "p-w0rd", key: "${KEY}"}
    desk.destination = {"type": type_, "config": {**config, "credentials": credentials}}

    refused(desk, key)


@pytest.mark.parametrize("key", ["access_key_id", "secret_access_key", "session_token"])
def test_a_key_of_the_object_storage_is_named(
    desk: Desk, nobody: Proxy, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Of payloads that Bifrost has offloaded."""
    monkeypatch.setenv("KEY", f"{SECRET}\n")
    keys = {"access_key_id": SECRET, "secret_access_key": SECRET, key: "${KEY}"}
    storage = {"type": "s3", "bucket": "b", "region": "us-west-2", "endpoint": nobody.url, **keys}
    path = Path(desk.document)
    document = json.loads(path.read_text())
    document["log_exports"]["source"]["config"]["object_storage"] = storage
    path.write_text(json.dumps(document))

    code = execute(["run", str(path), "--export", "nightly", *WINDOW, "--format", "json"])

    printed = desk.capsys.readouterr().out
    assert code == 2
    assert key in printed
    assert SECRET not in printed


def test_a_literal_is_found_by_validate(desk: Desk) -> None:
    """At its place."""
    desk.destination = s3("https://store.example")
    desk.destination["config"]["credentials"]["access_key_id"] = f"{SECRET}\n"

    code, found = desk.told("validate")

    problem = next(each for each in found["problems"] if each["severity"] == "error")
    assert code == 2
    assert problem["pointer"].endswith("/credentials/access_key_id")
    assert problem["message"] == "access_key_id ends with a newline"
    assert SECRET not in json.dumps(found)
