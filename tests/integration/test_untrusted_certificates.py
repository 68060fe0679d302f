"""A store whose certificate nobody vouches for: what is wrong, and the variable for one's own authority, at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.commands import Desk, bucket_of
from tests.integration.test_check import failed
from tests.integration.test_s3_checksums import WINDOW
from tests.servers.azure import ACCOUNT, BlobStorage
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import fault_proxy
from tests.servers.payload_gcs import OpenCloudStorage
from tests.servers.tls_proxy import certificate

SECONDS = 15
"""A check and a run together; the clients themselves would try again for longer."""


@contextmanager
def behind_tls(upstream: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Give the https address of a server, and the file of its certificate."""
    files = certificate(folder)
    with fault_proxy(upstream, certificate=files) as proxy:
        yield proxy.url, files[0]


@pytest.fixture(params=["s3", "gcs", "azure"])
def untrusted(
    request: pytest.FixtureRequest, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Path]]:
    """The variable by which a cloud's client is given authorities, and the certificate's file."""
    if request.param == "s3":
        buckets: Buckets = request.getfixturevalue("buckets")
        with behind_tls(buckets.url, tmp_path) as (url, pem):
            desk.destination = bucket_of(buckets, endpoint_url=url)
            yield "AWS_CA_BUNDLE", pem
    elif request.param == "gcs":
        storage: OpenCloudStorage = request.getfixturevalue("open_gcs")
        storage.client().create_bucket("behind-tls")
        with behind_tls(storage.url, tmp_path) as (url, pem):
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
            desk.destination = {"type": "gcs", "config": {"bucket": "behind-tls", "conn_id": "anonymous"}}
            yield "REQUESTS_CA_BUNDLE", pem
    else:
        azure: BlobStorage = request.getfixturevalue("azure")
        with behind_tls(azure.url, tmp_path) as (url, pem):
            monkeypatch.setenv("TEST_KEY", azure.key)
            config = {"container": azure.make_container(), "account_name": ACCOUNT, "account_key": "${TEST_KEY}"}
            desk.destination = {"type": "azure_blob", "config": {**config, "endpoint_url": _under(url, azure.url)}}
            yield "REQUESTS_CA_BUNDLE", pem


def _under(url: str, other: str) -> str:
    """An address with the path of another."""
    path = other.partition("://")[2].partition("/")[2]
    return f"{url}/{path}" if path else url


def test_it_is_told_at_once_with_the_variable_that_makes_it_good(
    desk: Desk, untrusted: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a fault for good, by check and run; with the variable, check passes."""
    variable, pem = untrusted
    begun = time.monotonic()

    code, found = desk.told("check")
    wrong = next(each for each in found["checks"] if each["what"] in failed(found))
    ran, told = desk.told("run", "--export", "nightly", *WINDOW)

    assert time.monotonic() - begun < SECONDS
    assert (code, ran, told["error"]["type"]) == (1, 1, "DestinationError")
    for each in (wrong, told["error"]):
        assert "certificate is not trusted (self-signed certificate)" in each["message"]
        assert variable in each["hint"]

    monkeypatch.setenv(variable, str(pem))
    code, found = desk.told("check")
    assert (code, failed(found)) == (0, [])
