"""A run to Google's or Azure's store that is killed (-9), cut off or refused at any request is mended by a rerun."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.published import comparable, stale
from tests.integration.strangers import tampered, without_strangers
from tests.integration.test_kills import Place, log_store, undisturbed, whole
from tests.servers.azure import ACCOUNT, BlobStorage
from tests.servers.fault_proxy import Proxy, at
from tests.servers.gcs import CloudStorage

__all__ = ["log_store", "undisturbed"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

EVERY = int(os.environ.get("BIFROST_TEST_EVERY", "1"))
"""Of all requests, every n-th is tried: to look around quickly."""


@dataclass
class Cloud:
    """A bucket or container behind its proxy.

    Args:
        place: The document and its runs.
        proxy: In front of the server.
        contents: Every object with its bytes.
        fill: Makes these its only objects.
        uploads: What is left open.
    """

    place: Place
    proxy: Proxy
    contents: Callable[[], dict[str, bytes]]
    fill: Callable[[dict[str, bytes]], None]
    uploads: Callable[[], list[str]]

    def run(self, document: Path, fault: Callable[[int, str], str] = lambda number, request: "pass") -> int:
        """Run the window with a fault, and give the exit code."""
        self.proxy.arm(fault)
        code, _ = self.place.run(document, pid_file=self.proxy.pid_file)
        self.proxy.arm(lambda number, request: "pass")
        return code


@pytest.fixture
def gcs_cloud(tmp_path: Path, log_store: Path, gcs: CloudStorage, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A bucket of Cloud Storage."""
    bucket = gcs.make_bucket()
    monkeypatch.setenv("TEST_GCS_KEY", gcs.account.key_json)
    config = {"bucket": bucket, "prefix": "logs/{day}/", "credentials": {"service_account_key": "${TEST_GCS_KEY}"}}
    gcs.proxy.pid_file = tmp_path / "pid"
    place = Place(tmp_path, log_store, {"type": "gcs", "config": config})
    place.environ = {"TEST_GCS_KEY": gcs.account.key_json, "STORAGE_EMULATOR_HOST": gcs.url}
    return Cloud(place, gcs.proxy, lambda: gcs.contents(bucket), partial(gcs.fill, bucket), list)


@pytest.fixture
def azure_cloud(tmp_path: Path, log_store: Path, azure: BlobStorage) -> Cloud:
    """A container of Azure."""
    container = azure.make_container()
    config = {
        "container": container,
        "account_name": ACCOUNT,
        "account_key": "${TEST_AZURE_KEY}",
        "endpoint_url": azure.url,
        "prefix": "logs/{day}/",
    }
    azure.proxy.pid_file = tmp_path / "pid"
    place = Place(tmp_path, log_store, {"type": "azure_blob", "config": config})
    place.environ = {"TEST_AZURE_KEY": azure.key}
    return Cloud(
        place,
        azure.proxy,
        lambda: azure.contents(container),
        partial(azure.fill, container),
        lambda: azure.uncommitted(container),
    )


@pytest.fixture(params=["gcs", "azure"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each of them."""
    found: Cloud = request.getfixturevalue(f"{request.param}_cloud")
    return found


@pytest.mark.parametrize("fault", ["kill before", "kill after", "lose", "cut", "503"])
def test_a_fault_at_any_request_leaves_a_whole_window_and_is_mended_by_a_rerun(
    cloud: Cloud,
    undisturbed: tuple[dict[str, Any], int],
    fault: str,
) -> None:
    """Over a former revision: the former window stands, or the new one does; nothing is left over afterwards."""
    assert cloud.run(cloud.place.document(max_rows_per_file=90)) == 0
    former, document = tampered(cloud.contents()), cloud.place.document()
    cloud.fill(former)
    cloud.proxy.arm(lambda number, request: "pass")
    assert cloud.place.run(document)[0] == 0
    requests = len(cloud.proxy.requests)
    assert requests > 15
    for number in range(1 + (fault == "kill after"), requests + 1, EVERY):
        cloud.fill(former)

        code = cloud.run(document, at(number, fault))

        assert (code == -9) == fault.startswith("kill"), (number, code)
        assert whole(without_strangers(cloud.contents())), number
        assert cloud.run(document) == 0, number
        after = without_strangers(cloud.contents())
        assert comparable(after) == undisturbed[0], (number, fault)
        assert stale(after) == [], (number, fault)
        assert cloud.uploads() == []


def test_a_store_that_refuses_for_long_fails_the_run_and_the_old_window_stands(cloud: Cloud) -> None:
    """With a fault that passes, so that the task is tried again."""
    assert cloud.run(cloud.place.document(max_rows_per_file=90)) == 0
    before = cloud.contents()

    code = cloud.run(cloud.place.document(), lambda number, request: "503" if number > 8 else "pass")

    assert code == 1
    assert {key: data for key, data in cloud.contents().items() if key in before} == before
