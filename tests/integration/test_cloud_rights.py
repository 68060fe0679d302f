"""Rights that are lacking, and tokens that run out in the middle of a run: the old window stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any

import pytest

from tests.integration.commands import Desk, bucket_of
from tests.integration.published import stale
from tests.servers.azure import ACCOUNT, BlobStorage
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import Proxy, fault_proxy
from tests.servers.gcs import CloudStorage
from tests.servers.identities import identity

DAY = ("2026-03-01", "2026-03-02")
READS = frozenset({"storage.objects.get", "storage.objects.list"})


@dataclass
class Cloud:
    """A bucket or container, signed in to by a variable.

    Args:
        proxy: In front of its server.
        contents: Every object with its bytes.
        read_only: While it lasts, the key may only read.
        run_out: Lets the key run out at once.
        renew: Makes it hold again.
        right: The right that a key which may only read lacks, as the cloud names it.
        hint: What is told of one that has run out.
    """

    proxy: Proxy
    contents: Callable[[], dict[str, bytes]]
    read_only: Callable[[], Any]
    run_out: Callable[[], None]
    renew: Callable[[], None]
    right: str
    hint: str


def refusing(code: str, status: int) -> Callable[[str, str, Message], tuple[int, bytes]]:
    """What a store answers to a token that has run out."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>It has run out.</Message></Error>"
    return lambda method, path, headers: (status, body.encode())


def passing(method: str, path: str, headers: Message) -> None:
    """Let every request pass."""


@pytest.fixture
def s3_cloud(desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """S3: the server itself knows no session tokens that run out, so the proxy answers for it."""

    @contextmanager
    def read_only() -> Iterator[None]:
        with identity(buckets.server, ["s3:GetObject", "s3:ListBucket"]) as keys, monkeypatch.context() as patch:
            patch.setenv("TEST_KEY_ID", keys[0])
            patch.setenv("TEST_SECRET", keys[1])
            yield

    with fault_proxy(buckets.url) as proxy:
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url)
        bucket = desk.destination["config"]["bucket"]
        yield Cloud(
            proxy,
            lambda: buckets.contents(bucket),
            read_only,
            lambda: setattr(proxy, "gate", refusing("ExpiredToken", 400)),
            lambda: setattr(proxy, "gate", passing),
            "s3:PutObject",
            "Renew credentials.session_token",
        )


@pytest.fixture
def gcs_cloud(desk: Desk, gcs: CloudStorage, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Cloud Storage, whose accounts can be disabled."""
    account = gcs.auth.make_account()
    bucket = gcs.make_bucket()
    monkeypatch.setenv("TEST_GCS_KEY", account.key_json)
    config = {"bucket": bucket, "prefix": "logs/{day}/", "credentials": {"service_account_key": "${TEST_GCS_KEY}"}}
    desk.destination = {"type": "gcs", "config": config}

    @contextmanager
    def read_only() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setenv("TEST_GCS_KEY", gcs.auth.make_account(READS).key_json)
            yield

    return Cloud(
        gcs.proxy,
        lambda: gcs.contents(bucket),
        read_only,
        lambda: setattr(account, "is_disabled", True),
        lambda: setattr(account, "is_disabled", False),
        "storage.objects.create",
        "Google does not know the account",
    )


@pytest.fixture
def azure_cloud(desk: Desk, azure: BlobStorage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Azure, by a SAS token; the server would let it run out by the clock only, so the proxy answers for it."""
    container = azure.make_container()
    monkeypatch.setenv("TEST_SAS", azure.sas(container, "rcwdl"))
    where = {"container": container, "account_name": ACCOUNT, "endpoint_url": azure.url, "prefix": "logs/{day}/"}
    desk.destination = {"type": "azure_blob", "config": {**where, "sas_token": "${TEST_SAS}"}}

    @contextmanager
    def read_only() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setenv("TEST_SAS", azure.sas(container, "rl"))
            yield

    gate = azure.proxy.gate
    yield Cloud(
        azure.proxy,
        lambda: azure.contents(container),
        read_only,
        lambda: setattr(azure.proxy, "gate", refusing("AuthenticationFailed", 403)),
        lambda: setattr(azure.proxy, "gate", gate),
        "permissions cw",
        "renew sas_token",
    )
    azure.proxy.gate = gate


@pytest.fixture(params=["s3", "gcs", "azure"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each of them."""
    found: Cloud = request.getfixturevalue(f"{request.param}_cloud")
    return found


def failing(desk: Desk) -> str:
    """The hint of a run that fails for good."""
    window = ("--window-start", DAY[0], "--window-end", DAY[1])
    code, found = desk.told("run", "--export", "nightly", *window)
    assert (code, set(found)) == (1, {"error"})
    return str(found["error"]["hint"])


def test_a_key_that_may_only_read_leaves_what_is_published(desk: Desk, cloud: Cloud) -> None:
    """The run fails, and names the right that it lacks."""
    desk.run(*DAY)
    before = cloud.contents()
    desk.data = {"max_rows_per_file": 300}

    with cloud.read_only():
        assert cloud.right in failing(desk)

    assert cloud.contents() == before


def puts(request: str) -> str:
    """What a request puts, if it does; to Cloud Storage, whose names stand in the body, only a manifest goes anew."""
    if request.startswith(("GET", "HEAD", "DELETE")):
        return ""
    if "uploadType" in request:
        return "a part" if "ifGenerationMatch=0" in request else "the manifest"
    return "a part" if "__part-" in request else "the manifest" if ".json" in request else ""


@pytest.mark.parametrize("moment", ["a part", pytest.param("the manifest", marks=pytest.mark.long)])
def test_a_token_that_runs_out_in_the_middle_leaves_what_is_published(desk: Desk, cloud: Cloud, moment: str) -> None:
    """The run fails and says what to renew; with a token that holds, the next run leaves nothing of it."""
    desk.run(*DAY)
    before = cloud.contents()
    desk.data = {"max_rows_per_file": 300}

    def fault(number: int, request: str) -> str:
        if puts(request) == moment:
            cloud.run_out()
        return "pass"

    cloud.proxy.arm(fault)
    assert cloud.hint in failing(desk)
    cloud.proxy.arm(lambda number, request: "pass")
    cloud.renew()

    after = cloud.contents()
    assert {key: after.get(key) for key in before} == before
    published = desk.run(*DAY)
    assert len(published["datasets"]["request_logs"]["parts"]) > 1
    assert stale(cloud.contents()) == []


def test_a_token_of_an_hour_is_renewed_in_the_middle_of_a_run(desk: Desk, gcs_cloud: Cloud, gcs: CloudStorage) -> None:
    """Google's tokens run out before a long run ends; the key gives another."""
    desk.data = {"max_rows_per_file": 300}

    def fault(number: int, request: str) -> str:
        if number % 5 == 0:
            gcs.auth.expire()
        return "pass"

    gcs_cloud.proxy.arm(fault)

    assert desk.run(*DAY)["revision"] == 1

    assert stale(gcs_cloud.contents()) == []
    [manifest] = [json.loads(data) for key, data in gcs_cloud.contents().items() if "_manifests/" in key]
    assert manifest["revision"] == 1
