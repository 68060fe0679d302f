"""Buckets that refuse what isn't encrypted as they demand: every request that makes an object says how."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.destinations.object_store.port import PutOptions
from bifrost_export.destinations.object_store.upload_stream import Writing
from bifrost_export.destinations.s3.config import S3Config, S3Credentials
from bifrost_export.destinations.s3.store import S3Store
from tests.integration.commands import Desk, bucket_of
from tests.integration.exports import Export
from tests.integration.test_check import failed
from tests.integration.test_s3_checksums import DAY, WINDOW, xml
from tests.integration.test_warehouse_rights import DAY as WINDOW_OF_DAY
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import Gate, fault_proxy
from tests.servers.redshift.server import ROLE, Redshift

KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ENCRYPTION = "x-amz-server-side-encryption"
DENIED = "User is not authorized to perform: s3:PutObject with an explicit deny in a resource-based policy"


def demanding(algorithm: str, key: str | None = None) -> Gate:
    """A bucket's policy that denies every object which is not encrypted so."""

    def gate(method: str, path: str, headers: Message) -> tuple[int, bytes] | None:
        makes = (method == "PUT" and "partNumber" not in path) or (method == "POST" and "uploads" in path)
        said = (headers.get(ENCRYPTION), headers.get(f"{ENCRYPTION}-aws-kms-key-id"))
        return (403, xml("AccessDenied", DENIED)) if makes and said != (algorithm, key) else None

    return gate


WAYS: list[tuple[dict[str, Any], Gate]] = [
    ({"sse": "AES256"}, demanding("AES256")),
    ({"sse": "aws:kms"}, demanding("aws:kms")),
    ({"sse": "aws:kms", "kms_key_id": KEY}, demanding("aws:kms", KEY)),
    ({"kms_key_id": KEY}, demanding("aws:kms", KEY)),
]
NAMES = ["AES256", "the account's key", "a key", "a key alone"]


@pytest.mark.parametrize(("keys", "gate"), WAYS, ids=NAMES)
def test_everything_is_encrypted_as_the_bucket_demands(
    desk: Desk, buckets: Buckets, tmp_path: Path, keys: dict[str, Any], gate: Gate
) -> None:
    """Probes, parts, rejected rows and manifests."""
    desk.log_store = Path(shutil.copy(desk.log_store, tmp_path / "own.db"))
    with closing(sqlite3.connect(desk.log_store)) as connection, connection:
        rows = "SELECT id FROM logs WHERE timestamp < '2026-03-02' AND status = 'success' LIMIT 3"
        connection.execute(f"UPDATE logs SET timestamp = 'soon' WHERE id IN ({rows})")
    with fault_proxy(buckets.url) as proxy:
        proxy.gate = gate
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url, **keys)

        code, found = desk.told("check")
        assert (code, failed(found)) == (0, [])
        assert desk.run(*DAY)["datasets"]["request_logs"]["rejected"] == 3
        desk.data = {"max_rows_per_file": 300}
        assert desk.run(*DAY)["revision"] == 2
    assert any("_rejected/" in key for key in buckets.contents(desk.destination["config"]["bucket"]))


@pytest.mark.parametrize(("keys", "gate"), WAYS, ids=NAMES)
def test_an_upload_is_encrypted_as_the_bucket_demands(buckets: Buckets, keys: dict[str, Any], gate: Gate) -> None:
    """When it begins; its parts say nothing of it."""
    with fault_proxy(buckets.url) as proxy:
        proxy.gate = gate
        credentials = S3Credentials(access_key_id="some-id", secret_access_key="some-secret")
        where = {"bucket": buckets.make_bucket(), "region": "us-west-2", "endpoint_url": proxy.url}
        writing = Writing(S3Store(S3Config(**where, credentials=credentials, **keys)), "key", PutOptions("text/plain"))
        writing.write(bytes(6 * 1024 * 1024))

        assert writing.finish().bytes == 6 * 1024 * 1024


@pytest.mark.parametrize(("keys", "gate"), WAYS, ids=NAMES)
def test_staged_files_are_encrypted_as_the_bucket_demands(
    desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch, keys: dict[str, Any], gate: Gate
) -> None:
    """The key may be a reference."""
    monkeypatch.setenv("STAGE_LABEL", KEY)
    with fault_proxy(buckets.url) as proxy:
        proxy.gate = gate
        extra = {"endpoint_url": proxy.url, "region_name": "us-west-2"}
        connection = {"conn_type": "aws", "login": "some-id", "password": "some-secret", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_STAGE", json.dumps(connection))
        bucket = buckets.make_bucket()
        said = {**keys, **({"kms_key_id": "${STAGE_LABEL}"} if "kms_key_id" in keys else {})}
        desk.staging = {"url": f"s3://{bucket}/staged", "conn_id": "stage", **said}

        code, found = desk.told("check")
        assert (code, failed(found)) == (0, [])
        assert desk.run(*DAY)["datasets"]["request_logs"]["exported"] > 0
    assert buckets.contents(bucket) == {}


@pytest.mark.parametrize(("keys", "gate"), WAYS, ids=NAMES)
def test_files_for_copy_are_encrypted_as_the_bucket_demands(
    redshift: Redshift,
    tmp_path: Path,
    log_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    keys: dict[str, Any],
    gate: Gate,
) -> None:
    """Redshift's staging bucket: the files and the list of them."""
    with fault_proxy(redshift.buckets.url) as proxy:
        proxy.gate = gate
        name = f"AIRFLOW_CONN_{redshift.aws_conn_id.upper()}"
        connection = json.loads(redshift.connections()[name])
        connection["extra"]["endpoint_url"] = proxy.url
        monkeypatch.setenv(name, json.dumps(connection))
        staging = {"bucket": redshift.bucket, "prefix": "warehouse", "iam_role": ROLE, **keys}
        destination = {"type": "redshift", "config": redshift.config(staging=staging)}

        assert Export(tmp_path, log_store, destination=destination).run(WINDOW_OF_DAY)["revision"] == 1
    assert redshift.staged() == []


def test_a_bucket_that_demands_more_is_told_in_its_own_words(desk: Desk, buckets: Buckets) -> None:
    """The denial names the policy, and it is no fault that passes."""
    with fault_proxy(buckets.url) as proxy:
        proxy.gate = demanding("AES256")
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url)
        code, found = desk.told("run", "--export", "nightly", *WINDOW)

    assert (code, found["error"]["type"]) == (1, "DestinationError")
    assert "explicit deny in a resource-based policy" in found["error"]["message"]
    assert "destination.config.sse" in found["error"]["hint"]


@pytest.mark.parametrize(
    ("staging", "words"),
    [
        ({"url": "s3://b/p", "sse": "AES256", "kms_key_id": KEY}, "exclude each other"),
        ({"url": "file:///tmp/x", "kms_key_id": KEY}, "kms_key_id does not go with staging on file://"),
        ({"url": "gs://b/p", "sse": "AES256"}, "sse does not go with staging on gs://"),
        ({"url": "az://c/p", "conn_id": "c", "sse": "AES256"}, "sse does not go with staging on az://"),
    ],
)
def test_an_encryption_that_staging_does_not_know_is_refused(desk: Desk, staging: dict[str, Any], words: str) -> None:
    """By validate."""
    desk.staging = staging

    code, found = desk.told("validate")

    assert code == 2
    assert any(words in each["message"] and "/staging" in each["pointer"] for each in found["problems"])
