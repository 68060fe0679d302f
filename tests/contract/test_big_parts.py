"""A part of 2 GiB goes to each store in bounded memory."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.big_part import ROWS, WIDTH
from tests.servers.azure import ACCOUNT, BlobStorage
from tests.servers.gcs import CloudStorage
from tests.servers.seaweed import Seaweed, keys_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
LOG = logging.getLogger(__name__)
MOST = 300
"""MiB of memory that the process which loads it may take."""


def load(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Load the part in a process of its own."""
    command = [sys.executable, "-m", "tests.contract.big_part", kind]
    environment = {**os.environ, "BIG_PART": json.dumps(config)}
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    LOG.info("%s: %s in %.0f s", kind, told, time.monotonic() - began)  # shown with --log-cli-level=INFO
    return told


def check(told: dict[str, Any], size: int) -> None:
    """Hold that all of it is there, and how much memory it took."""
    assert told["rows"] == ROWS
    assert told["bytes"] == size > ROWS * WIDTH
    assert told["peak_mib"] < MOST


def test_local(tmp_path: Path) -> None:
    """As a file."""
    told = load("local", {"path": str(tmp_path)})

    path = tmp_path / told["key"]
    check(told, path.stat().st_size)
    path.unlink()


def test_s3(seaweed_server: Seaweed) -> None:
    """As a multipart upload to SeaweedFS."""
    key_id, secret = keys_of("writer")
    bucket, client = seaweed_server.make_bucket(), seaweed_server.client()
    credentials = {"access_key_id": key_id, "secret_access_key": secret}
    where = {"bucket": bucket, "region": "us-east-1", "endpoint_url": seaweed_server.url}

    told = load("s3", {**where, "credentials": credentials})

    check(told, client.head_object(Bucket=bucket, Key=told["key"])["ContentLength"])
    client.delete_object(Bucket=bucket, Key=told["key"])


def test_gcs(gcs: CloudStorage) -> None:
    """As a resumable upload."""
    bucket = gcs.make_bucket()

    told = load("gcs", {"bucket": bucket, "credentials": {"service_account_key": gcs.account.key_json}})

    check(told, int(gcs.describe(bucket)[told["key"]]["size"]))


def test_azure(azure: BlobStorage) -> None:
    """As blocks."""
    container = azure.make_container()
    account = {"account_name": ACCOUNT, "account_key": azure.key, "endpoint_url": azure.url}

    told = load("azure_blob", {"container": container, **account})

    with azure.client() as client, client.get_blob_client(container, told["key"]) as blob:
        check(told, blob.get_blob_properties().size)
        blob.delete_blob()
