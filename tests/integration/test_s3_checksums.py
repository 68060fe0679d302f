"""How bytes are protected on their way to S3, and what becomes of stores that know less than Amazon's does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.destinations.object_store.port import PutOptions, VersionChangedError
from bifrost_export.destinations.object_store.upload_stream import Writing
from bifrost_export.destinations.s3.checksums import checksum_of
from bifrost_export.destinations.s3.config import S3Config, S3Credentials
from bifrost_export.destinations.s3.store import S3Store
from bifrost_export.errors import DestinationError
from tests.integration.commands import Desk, bucket_of
from tests.integration.published import stale
from tests.integration.test_check import by_step, failed
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import Gate, Proxy, fault_proxy
from tests.servers.tls_proxy import certificate

DAY = ("2026-03-01", "2026-03-02")
WINDOW = ("--window-start", DAY[0], "--window-end", DAY[1])
CHECKSUMS = ("x-amz-checksum-", "x-amz-sdk-checksum-", "x-amz-trailer")


def xml(code: str, message: str = "", **more: str) -> bytes:
    """An error as S3 writes it."""
    rest = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message>{rest}</Error>".encode()


def without_chunks(method: str, path: str, headers: Message) -> tuple[int, bytes] | None:
    """Refuse what botocore does when it adds a checksum by itself."""
    sent = " ".join(str(headers.get(name, "")) for name in ("Content-Encoding", "x-amz-content-sha256"))
    if "aws-chunked" in sent or "STREAMING-" in sent or headers.get("x-amz-trailer"):
        return 403, xml("SignatureDoesNotMatch", "The request signature we calculated does not match.")
    return None


@contextmanager
def served(buckets: Buckets, folder: Path, scheme: str) -> Iterator[Proxy]:
    """The S3 server behind a proxy that speaks http or https."""
    with fault_proxy(buckets.url, certificate=certificate(folder) if scheme == "https" else None) as proxy:
        yield proxy


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose certificate AWS's clients trust."""
    folder = tmp_path / "tls"
    folder.mkdir()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(folder / "server.pem"))
    return folder


def store_at(url: str, bucket: str, **more: Any) -> S3Store:
    """A bucket by way of a proxy."""
    credentials = S3Credentials(access_key_id="some-id", secret_access_key="some-secret")
    return S3Store(S3Config(bucket=bucket, region="us-west-2", endpoint_url=url, credentials=credentials, **more))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_request_is_chunked_as_only_amazon_knows_it(
    desk: Desk, buckets: Buckets, trusted: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Probes, parts, manifests, their replacement, staging: each brings a checksum of its own."""
    monkeypatch.setenv("AIRFLOW_CONN_STAGE", '{"conn_type": "aws", "login": "some-id", "password": "some-secret"}')
    with served(buckets, trusted, scheme) as proxy:
        proxy.gate = without_chunks
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url)
        desk.staging = {"url": f"s3://{buckets.make_bucket()}/staged", "conn_id": "stage"}

        code, found = desk.told("check")
        assert (code, failed(found)) == (0, [])
        desk.run(*DAY)
        desk.data = {"max_rows_per_file": 300}
        published = desk.run(*DAY)

    assert (published["revision"], stale(buckets.contents(desk.destination["config"]["bucket"]))) == (2, [])


@pytest.mark.parametrize("mode", ["required", "when_supported", "off"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_part_of_an_upload_is_chunked(buckets: Buckets, trusted: Path, scheme: str, mode: str) -> None:
    """In none of the modes, and a connection's own settings don't change it."""
    data = bytes(range(256)) * (6 * 4096)
    with served(buckets, trusted, scheme) as proxy:
        proxy.gate = without_chunks
        bucket = buckets.make_bucket()
        writing = Writing(store_at(proxy.url, bucket, checksums=mode), "large", PutOptions("text/plain"))
        writing.write(data)
        writing.finish()

        assert any("uploadId=" in line for line in proxy.requests)
    assert buckets.contents(bucket) == {"large": data}


def test_a_connection_keeps_its_settings(buckets: Buckets, trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says about addresses, retries and timeouts stands beside what this package says about checksums."""
    settings = {"s3": {"addressing_style": "path"}, "read_timeout": 7, "request_checksum_calculation": "when_supported"}
    connection = {"conn_type": "aws", "login": "id", "password": "secret", "extra": {"config_kwargs": settings}}
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps(connection))

    client = S3Store(S3Config(bucket="b", region="us-west-2", conn_id="lake")).client

    config = client.meta.config
    assert (config.read_timeout, config.s3["addressing_style"]) == (7, "path")
    assert config.request_checksum_calculation == "when_required"


def without_checksums(answer: tuple[int, bytes], *known: str) -> Gate:
    """Refuse what knows no header of checksums, but for some."""

    def gate(method: str, path: str, headers: Message) -> tuple[int, bytes] | None:
        sent = [name for name in headers if name.lower().startswith(CHECKSUMS) and name.lower() not in known]
        sent += [name for name in headers if name.lower() == "content-md5" and "content-md5" not in known]
        return answer if sent else None

    return gate


UNSUPPORTED = "Unsupported header 'x-amz-checksum-sha256' received for this API call."
ANSWERS = {
    "B2": (400, xml("InvalidArgument", UNSUPPORTED)),
    "no words": (400, b""),
    "not implemented": (
        501,
        xml("NotImplemented", "A header you provided is not implemented.", Header="x-amz-checksum-sha256"),
    ),
}


MODES = [("off", ""), ("when_supported", "content-md5"), ("when_supported", "")]


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize(("mode", "known"), MODES)
def test_a_store_that_refuses_checksums_can_be_written_to(buckets: Buckets, name: str, mode: str, known: str) -> None:
    """Without any, or with the best that it takes: SHA-256, else Content-MD5, else the ETag."""
    bucket, options = buckets.make_bucket(), PutOptions("text/plain")
    large = bytes(6 * 1024 * 1024)
    with fault_proxy(buckets.url) as proxy:
        proxy.gate = without_checksums(ANSWERS[name], known)
        store = store_at(proxy.url, bucket, checksums=mode)
        store.put("part", b"part", options)
        seen = store.put_if("manifest", b"first", None, options)
        with pytest.raises(VersionChangedError):
            store.put_if("manifest", b"other", None, options)
        store.put_if("manifest", b"second", seen, options)
        writing = Writing(store_at(proxy.url, bucket, checksums=mode), "large", options)
        writing.write(large)
        writing.finish()
        assert store.get("part") is not None

    assert buckets.contents(bucket) == {"part": b"part", "manifest": b"second", "large": large}


@pytest.mark.parametrize("mode", ["off", "when_supported"])
def test_an_export_to_a_store_that_refuses_checksums_passes(desk: Desk, buckets: Buckets, mode: str) -> None:
    """From check to verify, and a second run is unchanged."""
    with fault_proxy(buckets.url) as proxy:
        proxy.gate = without_checksums(ANSWERS["B2"])
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url, checksums=mode)

        code, found = desk.told("check")
        assert (code, failed(found)) == (0, [])
        published = desk.run(*DAY)
        assert desk.run(*DAY)["unchanged"]
        assert desk.verify(published["manifest"], "--config", desk.document)["ok"]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_store_that_refuses_checksums_is_told_with_the_way_out(desk: Desk, buckets: Buckets, name: str) -> None:
    """At once, with the header's name and what the store says."""
    with fault_proxy(buckets.url) as proxy:
        proxy.gate = without_checksums(ANSWERS[name], "x-amz-checksum-mode")
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url)

        for command in (("check",), ("run", "--export", "nightly", *WINDOW)):
            proxy.arm(lambda number, request: "pass")
            code, found = desk.told(*command)
            failure = found.get("error") or by_step(found)["destination: write"]
            assert code == 1
            assert "x-amz-checksum-sha256" in failure["message"]
            assert "checksums to when_supported" in failure["hint"]
            puts = [line for line in proxy.requests if line.startswith("PUT")]
            assert len(puts) <= 1, "nothing that is refused for good is tried again"


def test_a_store_that_refuses_to_read_with_checksums_is_told_with_the_way_out(buckets: Buckets) -> None:
    """The header of reading is another one."""
    with fault_proxy(buckets.url) as proxy:
        proxy.gate = without_checksums((400, xml("InvalidArgument", "Unsupported header 'x-amz-checksum-mode'")))
        with pytest.raises(DestinationError, match=r"x-amz-checksum-mode.*Set destination.config.checksums"):
            store_at(proxy.url, buckets.make_bucket()).get("key")


@pytest.mark.parametrize("mode", ["required", "when_supported", "off"])
@pytest.mark.parametrize("words", ["", "A header you provided implies functionality that is not implemented"])
def test_a_store_that_refuses_conditions_is_told_at_once(desk: Desk, buckets: Buckets, mode: str, words: str) -> None:
    """501 is no fault that passes, and the header stands in the message."""

    def gate(method: str, path: str, headers: Message) -> tuple[int, bytes] | None:
        told = xml("NotImplemented", words, Header="If-None-Match") if words else b""
        return (501, told) if headers.get("If-None-Match") else None

    with fault_proxy(buckets.url) as proxy:
        proxy.gate = gate
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url, checksums=mode)

        code, found = desk.told("run", "--export", "nightly", *WINDOW)

        puts = [line for line in proxy.requests if line.startswith("PUT")]
    assert (code, found["error"]["type"]) == (1, "DestinationError")
    assert "If-None-Match" in found["error"]["message"]
    assert "use a store that knows If-None-Match and If-Match" in found["error"]["hint"]
    assert len(puts) == (3 if mode == "when_supported" else 1)


def test_a_manifest_whose_condition_is_refused_is_told_at_once(desk: Desk, buckets: Buckets) -> None:
    """A store may know If-None-Match alone."""

    def gate(method: str, path: str, headers: Message) -> tuple[int, bytes] | None:
        return (501, b"") if headers.get("If-Match") else None

    with fault_proxy(buckets.url) as proxy:
        proxy.gate = gate
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url, checksums="off")
        desk.run(*DAY)
        before = buckets.contents(desk.destination["config"]["bucket"])
        desk.data = {"max_rows_per_file": 300}
        code, found = desk.told("run", "--export", "nightly", *WINDOW)

    assert (code, found["error"]["type"]) == (1, "DestinationError")
    assert "does not know the header If-Match" in found["error"]["message"]
    after = buckets.contents(desk.destination["config"]["bucket"])
    assert {key: after.get(key) for key in before} == before


def test_a_put_that_is_refused_for_another_reason_lowers_nothing(buckets: Buckets) -> None:
    """The next put brings its SHA-256 again."""
    with fault_proxy(buckets.url) as proxy:
        store = store_at(proxy.url, buckets.make_bucket(), checksums="when_supported")
        proxy.gate = lambda method, path, headers: (400, xml("InvalidArgument", "Argument x-amz-tagging is not valid"))
        with pytest.raises(DestinationError, match="x-amz-tagging is not valid"):
            store.put("key", b"data", PutOptions("text/plain"))
        sent: list[str | None] = []

        def gate(method: str, path: str, headers: Message) -> None:
            sent.append(headers.get("x-amz-checksum-sha256"))

        proxy.gate = gate
        store.put("key", b"data", PutOptions("text/plain"))

    assert sent == [checksum_of(b"data")]


def test_with_checksums_off_no_header_of_theirs_is_sent(desk: Desk, buckets: Buckets) -> None:
    """With puts, reads and uploads alike."""
    seen: set[str] = set()

    def gate(method: str, path: str, headers: Message) -> None:
        seen.update(name.lower() for name in headers)

    with fault_proxy(buckets.url) as proxy:
        proxy.gate = gate
        desk.destination = bucket_of(buckets, endpoint_url=proxy.url, checksums="off")
        desk.run(*DAY)
        store = store_at(proxy.url, desk.destination["config"]["bucket"], checksums="off")
        writing = Writing(store, "large", PutOptions("text/plain"))
        writing.write(bytes(6 * 1024 * 1024))
        writing.finish()

    assert not [name for name in seen if name.startswith(CHECKSUMS) or name == "content-md5"]
