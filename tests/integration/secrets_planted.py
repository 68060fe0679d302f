"""Destinations whose every secret is a canary, in front of servers that break as they are told."""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus
from xml.sax.saxutils import escape

import pytest

from tests.servers.azure import ACCOUNT, BlobStorage
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import Gate, Proxy, fault_proxy
from tests.servers.gcs import CloudStorage

KINDS = [
    *("s3", "s3 connection", "s3 role"),
    *("gcs", "gcs file", "gcs connection"),
    *("azure key", "azure sas", "azure connection"),
    *(pytest.param(f"azure connection {how}", marks=pytest.mark.long) for how in ("key", "string")),
]
S3_KEYS = {
    "access_key_id": f"AKIACANARY{secrets.token_hex(5).upper()}",
    "secret_access_key": f"canary+secret/of=s3&{secrets.token_hex(8)}",
    "session_token": f"canary/session+token==?{secrets.token_hex(8)}",
}
ROLE = "arn:aws:iam::123456789012:role/exporter"
ROLE_KEYS = {
    "AccessKeyId": f"ASIACANARY{secrets.token_hex(5).upper()}",
    "SecretAccessKey": f"canary+role/secret=of&{secrets.token_hex(8)}",
    "SessionToken": f"canary/role+token==?{secrets.token_hex(8)}",
}
"""What the role's session is given, each time anew in other clouds."""


def nobody(method: str, path: str, headers: Message) -> None:
    """Answer nothing: every request passes to the server."""


@dataclass
class Planted:
    """A destination, reached through a proxy.

    Args:
        kind: Of `KINDS`.
        type: The destination's type.
        config: Its config; each secret is a reference or lies in a connection.
        environ: What the references and connections are.
        canaries: The secrets, and the parts that are secrets by themselves.
        proxy: In front of its server.
        issued: The secrets that the cloud has given out meanwhile.
        signing_in: Answers requests that sign in, whatever else is refused.
    """

    kind: str
    type: str
    config: dict[str, Any]
    environ: dict[str, str]
    canaries: list[str]
    proxy: Proxy
    issued: Callable[[], list[str]] = list
    signing_in: Gate = nobody

    @property
    def secrets(self) -> list[str]:
        """All that nobody may be told."""
        return [*self.canaries, *self.issued()]

    def answer(self, gate: Gate) -> None:
        """Let the server answer so, but for requests that sign in."""
        self.proxy.gate = lambda *request: self.signing_in(*request) or gate(*request)

    @property
    def destination(self) -> dict[str, Any]:
        """As the document says it."""
        return {"type": self.type, "config": self.config}


def written(canary: str) -> set[str]:
    """The forms in which a canary might be told: as it is, quoted for URLs, JSON and Python, and in base64."""
    data = canary.encode()
    # In the base64 of a longer text it may begin at each of three places.
    shifted = [
        base64.b64encode(b" " * shift + data).decode()[4 if shift else 0 :].rstrip("=")[:-2] for shift in range(3)
    ]
    plain = {canary, quote(canary, safe=""), quote(canary), quote_plus(canary), json.dumps(canary)[1:-1]}
    return {*plain, repr(canary)[1:-1], *shifted, base64.urlsafe_b64encode(data).decode().rstrip("=")}


def told(canaries: list[str], text: str) -> list[str]:
    """The canaries that a text tells, in any form."""
    return [canary for canary in canaries if any(form in text for form in written(canary))]


def _s3(kind: str, bucket: str, proxy: Proxy) -> Planted:
    config: dict[str, Any] = {"bucket": bucket, "region": "us-west-2", "endpoint_url": proxy.url}
    signing_in = nobody
    canaries = [S3_KEYS["secret_access_key"], S3_KEYS["session_token"]]
    if kind == "s3 role":
        signing_in = assuming
        canaries += ROLE_KEYS.values()
    if kind in ("s3", "s3 role"):
        environ = {f"CANARY_{name.upper()}": value for name, value in S3_KEYS.items()}
        config["credentials"] = {name: f"${{CANARY_{name.upper()}}}" for name in S3_KEYS}
        config["credentials"] |= {"role_arn": ROLE} if kind == "s3 role" else {}
    else:
        connection = {
            "conn_type": "aws",
            "login": S3_KEYS["access_key_id"],
            "password": S3_KEYS["secret_access_key"],
            "extra": {"aws_session_token": S3_KEYS["session_token"]},
        }
        environ = {"AIRFLOW_CONN_CANARY": json.dumps(connection)}
        config["conn_id"] = "canary"
    found = Planted(kind, "s3", config, environ, canaries, proxy, signing_in=signing_in)
    found.answer(nobody)
    return found


def assuming(method: str, path: str, headers: Message) -> tuple[int, bytes] | None:
    """Give the role's keys to who assumes it, as Amazon does; it is the only thing that is posted to the root."""
    if (method, path) != ("POST", "/"):
        return None
    keys = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in ROLE_KEYS.items())
    expiration = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)
    return 200, (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<AssumedRoleUser><Arn>{ROLE}/it</Arn><AssumedRoleId>AROA:it</AssumedRoleId></AssumedRoleUser>"
        f"<Credentials>{keys}<Expiration>{expiration:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>"
    ).encode()


def _gcs(kind: str, server: CloudStorage, bucket: str, tmp_path: Any) -> Planted:
    key = server.auth.make_account().key
    config: dict[str, Any] = {"bucket": bucket}
    environ = {"STORAGE_EMULATOR_HOST": server.url}
    if kind == "gcs connection":
        connection = {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": key}}
        environ["AIRFLOW_CONN_CANARY"] = json.dumps(connection)
        config["conn_id"] = "canary"
    else:
        path = tmp_path / "key.json"
        path.write_text(json.dumps(key))
        environ["CANARY_KEY"] = str(path) if kind == "gcs file" else json.dumps(key)
        config["credentials"] = {"service_account_key": "${CANARY_KEY}"}
    lines = [line for line in key["private_key"].splitlines() if len(line) > 20 and "-----" not in line]
    before = set(server.auth.tokens)
    return Planted(
        kind,
        "gcs",
        config,
        environ,
        [key["private_key"], *lines],
        server.proxy,
        issued=lambda: [token for token in server.auth.tokens if token not in before],
    )


def _azure(kind: str, server: BlobStorage, container: str) -> Planted:
    config: dict[str, Any] = {"container": container, "account_name": ACCOUNT, "endpoint_url": server.url}
    token = server.sas(container, "rcwdl")
    if kind == "azure key":
        environ, canaries = {"CANARY_KEY": server.key}, [server.key]
        config["account_key"] = "${CANARY_KEY}"
    elif kind == "azure sas":
        environ, canaries = {"CANARY_SAS": token}, [token, *parse_qs(token)["sig"]]
        config["sas_token"] = "${CANARY_SAS}"
    else:
        connection: dict[str, Any] = {"conn_type": "wasb", "login": ACCOUNT, "host": server.url}
        canaries = [server.key]
        if kind == "azure connection key":
            connection["password"] = server.key
        elif kind == "azure connection string":
            text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={server.key}"
            connection["extra"] = {"connection_string": f"{text};BlobEndpoint={server.url}"}
        else:
            connection["extra"] = {"sas_token": token}
            canaries = [token, *parse_qs(token)["sig"]]
        environ = {"AIRFLOW_CONN_CANARY": json.dumps(connection)}
        config["conn_id"] = "canary"
    return Planted(kind, "azure_blob", config, environ, canaries, server.proxy)


@pytest.fixture(params=KINDS)
def planted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Planted]:
    """Each destination with each way to sign in; its variables are set."""
    kind: str = request.param
    find: Callable[[str], Any] = request.getfixturevalue
    if kind.startswith("s3"):
        buckets: Buckets = find("buckets")
        with fault_proxy(buckets.url) as proxy:
            yield _set(_s3(kind, buckets.make_bucket(), proxy), monkeypatch)
        return
    if kind.startswith("gcs"):
        gcs: CloudStorage = find("gcs")
        gate = gcs.proxy.gate
        yield _set(_gcs(kind, gcs, gcs.make_bucket(), tmp_path), monkeypatch)
        gcs.proxy.gate = gate
        return
    azure: BlobStorage = find("azure")
    gate = azure.proxy.gate
    yield _set(_azure(kind, azure, azure.make_container()), monkeypatch)
    azure.proxy.gate = gate


def _set(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> Planted:
    for name, value in planted.environ.items():
        monkeypatch.setenv(name, value)
    return planted
