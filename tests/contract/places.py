"""Buckets and containers of the tests' servers as places of runs; each signs in once, not once a run."""

from __future__ import annotations

from typing import Any

from bifrost_export.destinations.azure_blob.config import AzureBlobConfig
from bifrost_export.destinations.azure_blob.destination import AzureBlobDestination
from bifrost_export.destinations.gcs.config import GCSConfig
from bifrost_export.destinations.gcs.destination import GCSDestination
from bifrost_export.destinations.google.sign_in import GoogleCredentials
from bifrost_export.destinations.port import Target
from bifrost_export.destinations.s3.config import S3Config, S3Credentials
from bifrost_export.destinations.s3.destination import S3Destination
from bifrost_export.testing.object_store_runs import DAY, Place, target_of
from tests.servers.azure import ACCOUNT

ANY = target_of(DAY, "0" * 8)


def s3_place(url: str, bucket: str, key_id: str, secret: str, **more: Any) -> Place:
    """A bucket of an S3 server."""
    credentials = S3Credentials(access_key_id=key_id, secret_access_key=secret)
    given = {"bucket": bucket, "region": "us-east-1", "endpoint_url": url, "credentials": credentials, **more}
    shared: Any = S3Destination(S3Config(**given), ANY).store

    def open_(prefix: str, target: Target) -> S3Destination:
        destination = S3Destination(S3Config(**given, prefix=prefix), target)
        store: Any = destination.store
        store.client = shared.client
        return destination

    return Place(open_)


def gcs_place(bucket: str, key: str, **more: Any) -> Place:
    """A bucket of the Cloud Storage server."""
    given = {"bucket": bucket, "credentials": GoogleCredentials(service_account_key=key), **more}
    shared: Any = GCSDestination(GCSConfig(**given), ANY).store

    def open_(prefix: str, target: Target) -> GCSDestination:
        destination = GCSDestination(GCSConfig(**given, prefix=prefix), target)
        store: Any = destination.store
        store.bucket, store.session = shared.bucket, shared.session
        return destination

    return Place(open_)


def azure_place(url: str, container: str, **more: Any) -> Place:
    """A container of the Blob Storage server."""
    given = {"container": container, "account_name": ACCOUNT, "endpoint_url": url, **more}
    shared: Any = AzureBlobDestination(AzureBlobConfig(**given), ANY).store

    def open_(prefix: str, target: Target) -> AzureBlobDestination:
        destination = AzureBlobDestination(AzureBlobConfig(**given, prefix=prefix), target)
        store: Any = destination.store
        store.container = shared.container
        return destination

    return Place(open_)
