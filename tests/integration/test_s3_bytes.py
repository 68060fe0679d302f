"""Bytes that change on the way to a store without checksums are found all the same."""

from __future__ import annotations

from email.message import Message

import pytest

from bifrost_export.destinations.object_store.port import PutOptions
from bifrost_export.destinations.object_store.upload_stream import Writing
from bifrost_export.errors import DestinationUnavailableError
from tests.integration.test_s3_checksums import ANSWERS, store_at, without_checksums
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import Answer, fault_proxy


@pytest.mark.parametrize("size", [1000, 6 * 1024 * 1024], ids=["one put", "upload"])
@pytest.mark.parametrize("mode", ["when_supported", "off"])
def test_bytes_that_change_on_the_way_are_found_without_checksums(buckets: Buckets, mode: str, size: int) -> None:
    """The ETag is not their MD5, so the object is read again; nothing of it is left."""
    with fault_proxy(buckets.url) as proxy:
        bucket = buckets.make_bucket()
        store = store_at(proxy.url, bucket, checksums=mode)
        proxy.gate = without_checksums(ANSWERS["B2"])

        def serve(method: str, path: str, headers: Message, body: bytes) -> Answer:
            return proxy.forward(method, path, headers, b"!" + body[1:] if method == "PUT" else body)

        proxy.serve = serve
        writing = Writing(store, "key", PutOptions("text/plain"))
        writing.write(bytes(size))
        with pytest.raises(DestinationUnavailableError, match="other bytes have arrived"):
            writing.finish()

    assert (buckets.contents(bucket), buckets.uploads(bucket)) == ({}, [])


@pytest.mark.parametrize("size", [1000, 6 * 1024 * 1024], ids=["one put", "upload"])
def test_an_etag_that_is_no_md5_is_no_fault(buckets: Buckets, size: int) -> None:
    """As with KMS: the object is read again, and is right."""
    with fault_proxy(buckets.url) as proxy:
        store = store_at(proxy.url, buckets.make_bucket(), checksums="off")

        read: list[str] = []

        def serve(method: str, path: str, headers: Message, body: bytes) -> Answer:
            read.extend([path] if method == "GET" else [])
            answer = proxy.forward(method, path, headers, body.replace(b"odd-", b""))
            tags = [(name, value.replace('"', '"odd-', 1)) for name, value in answer.headers if name.lower() == "etag"]
            rest = [each for each in answer.headers if each[0].lower() != "etag"]
            return Answer(answer.status, [*rest, *tags], answer.data)

        proxy.serve = serve
        writing = Writing(store, "key", PutOptions("text/plain"))
        writing.write(bytes(size))

        assert writing.finish().bytes == size
    assert len(read) == 1
