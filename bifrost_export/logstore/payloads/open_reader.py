"""Open the reader of an object storage by its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.logstore.payloads.port import PayloadReader

if TYPE_CHECKING:
    from bifrost_export.logstore.payloads.config import ObjectStorage


def open_reader(config: ObjectStorage, threads: int) -> PayloadReader:
    """The reader of an object storage.

    Args:
        config: With its references filled in.
        threads: How many threads will use it at once.

    Raises:
        LogStoreError: The provider isn't installed, or the credentials can't be read.
    """
    if config.type == "s3":
        from bifrost_export.logstore.payloads.s3 import S3Payloads

        return S3Payloads(config, threads)
    from bifrost_export.logstore.payloads.gcs import GCSPayloads

    return GCSPayloads(config)
