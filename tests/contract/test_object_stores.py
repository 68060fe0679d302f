"""Every object store keeps the contract that `bifrost_export.testing` publishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from bifrost_export.destinations.local.destination import LocalConfig, LocalDestination
from bifrost_export.testing.object_store_contract import ObjectStoreContract, Place
from tests.contract.places import azure_place, gcs_place, s3_place
from tests.servers.azure import BlobStorage
from tests.servers.buckets import Buckets
from tests.servers.gcs import CloudStorage


class Quick(ObjectStoreContract):
    """The contract with a few parts, broken at some calls; `make test-long` takes the rest."""

    every: ClassVar[int] = 13

    @pytest.fixture(params=[1, 3, pytest.param(250, marks=pytest.mark.long)], ids=lambda number: f"{number}-parts")
    def parts(self, request: pytest.FixtureRequest) -> int:
        """250 parts take their time over a network."""
        number: int = request.param
        return number


class TestLocal(ObjectStoreContract):
    """Files of this machine, broken at every call."""

    block: ClassVar[int] = 1024

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        """An empty folder."""
        return Place(
            lambda prefix, target: LocalDestination(LocalConfig(path=str(tmp_path / "out"), prefix=prefix), target)
        )


class TestS3(Quick):
    """moto's S3."""

    block: ClassVar[int] = 5 * 1024 * 1024

    @pytest.fixture
    def place(self, buckets: Buckets) -> Place:
        """An empty bucket."""
        return s3_place(buckets.url, buckets.make_bucket(), "testing-key", "testing-secret")


class TestGCS(Quick):
    """Cloud Storage, behind a sign-in with a real key."""

    block: ClassVar[int] = 256 * 1024

    @pytest.fixture
    def place(self, gcs: CloudStorage) -> Place:
        """An empty bucket."""
        return gcs_place(gcs.make_bucket(), gcs.account.key_json)


class TestAzureBlob(Quick):
    """Azurite, by the account's key."""

    block: ClassVar[int] = 1024

    @pytest.fixture
    def place(self, azure: BlobStorage) -> Place:
        """An empty container."""
        return azure_place(azure.url, azure.make_container(), account_key=azure.key)


def test_verify_full_finds_bytes_that_size_alone_does_not(tmp_path: Path) -> None:
    """The parts are read again and their sha256 compared."""

    def open_(prefix: str, target: Any) -> LocalDestination:
        return LocalDestination(LocalConfig(path=str(tmp_path), prefix=prefix, verify="full"), target)

    run = Place(open_).run().load(b"one")
    Path(tmp_path, run.keys()[0]).write_bytes(b"two")

    with pytest.raises(Exception, match="its bytes have another SHA-256"):
        run.publish()
