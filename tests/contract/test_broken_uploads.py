"""A part that goes up in several blocks survives an answer that is lost, cut off or 503, whichever request it hits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bifrost_export.destinations.object_store import upload_stream
from bifrost_export.errors import PassingError
from bifrost_export.testing.object_store_runs import DAY, Place, manifest_key
from tests.contract.places import azure_place, gcs_place, s3_place
from tests.servers.azure import BlobStorage
from tests.servers.buckets import Buckets
from tests.servers.fault_proxy import Proxy, at, fault_proxy
from tests.servers.gcs import CloudStorage

pytestmark = pytest.mark.timeout(900)


@dataclass
class Cloud:
    """A bucket or container behind its proxy.

    Args:
        place: Where runs go.
        proxy: In front of its server.
        block: The least that the store takes as a block.
    """

    place: Place
    proxy: Proxy
    block: int


@pytest.fixture
def s3_cloud(buckets: Buckets) -> Iterator[Cloud]:
    """A bucket of S3."""
    with fault_proxy(buckets.url) as proxy:
        place = s3_place(proxy.url, buckets.make_bucket(), "testing-key", "testing-secret")
        yield Cloud(place, proxy, 5 * 1024 * 1024)


@pytest.fixture
def gcs_cloud(gcs: CloudStorage) -> Cloud:
    """A bucket of Cloud Storage."""
    return Cloud(gcs_place(gcs.make_bucket(), gcs.account.key_json), gcs.proxy, 256 * 1024)


@pytest.fixture
def azure_cloud(azure: BlobStorage) -> Cloud:
    """A container of Azure."""
    return Cloud(azure_place(azure.url, azure.make_container(), account_key=azure.key), azure.proxy, 1024)


@pytest.fixture(params=["s3", "gcs", "azure"])
def cloud(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Each of them, with blocks as small as it takes."""
    found: Cloud = request.getfixturevalue(f"{request.param}_cloud")
    monkeypatch.setattr(upload_stream, "BLOCK", found.block)
    yield found
    found.proxy.arm(lambda number, request: "pass")


def moments(cloud: Cloud) -> list[int]:
    """The requests of a load to break at, by number: one in the middle, or each of them."""
    run = cloud.place.run()
    cloud.proxy.arm(lambda number, request: "pass")
    run.load(bytes(2 * cloud.block + 1))
    count = len(cloud.proxy.requests)
    assert count >= 4  # it is begun, and has three blocks
    return list(range(1, count + 1)) if os.environ.get("BIFROST_TEST_LONG") else [count // 2 + 1]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("lose", marks=pytest.mark.widened),
        *(pytest.param(each, marks=pytest.mark.long) for each in ("503", "cut")),
    ],
)
def test_a_fault_at_any_request_of_an_upload_costs_no_byte(cloud: Cloud, fault: str) -> None:
    """The client asks again, or the task does; and no upload is left open."""
    for number in moments(cloud):
        data = bytes([number]) * (2 * cloud.block + 1)
        run = cloud.place.run()
        cloud.proxy.arm(at(number, fault))
        try:
            run.load(data)
        except PassingError:
            run.load(data)
        run.publish()

        contents = cloud.place.contents()
        assert set(contents) == {*run.keys(), manifest_key(DAY)}, (number, fault)
        assert contents[run.keys()[0]] == data, (number, fault)
        assert cloud.place.uploads() == [], (number, fault)
