"""An object that goes to S3 block by block: a multipart upload."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.store import Stored
from bifrost_export.errors import DestinationUnavailableError

if TYPE_CHECKING:
    from bifrost_export.destinations.s3_store import S3Store


def checksum_of(data: bytes) -> str:
    """The SHA-256 of some bytes as S3 writes it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def compare(what: str, answer: dict[str, Any], checksum: str) -> None:
    """Compare the checksum that the store answers with the bytes' own; a store that answers none is believed.

    Raises:
        DestinationUnavailableError: They differ.
    """
    answered = answer.get("ChecksumSHA256")
    if answered is not None and answered.partition("-")[0] != checksum:
        raise DestinationUnavailableError(
            f"{what}: the store's checksum {answered} is not that of the bytes, {checksum}", hint="Try again."
        )


class MultipartUpload:
    """One multipart upload.

    Args:
        store: The bucket.
        key: The object's name.
        arguments: What is said about the object, as the client wants it.
    """

    def __init__(self, store: S3Store, key: str, arguments: dict[str, Any]) -> None:
        self.store, self.key = store, key
        self.size = 0
        self.parts: list[dict[str, Any]] = []
        self.where = {"Bucket": store.bucket, "Key": key}
        with store.putting(key):
            answer = store.client.create_multipart_upload(**self.where, ChecksumAlgorithm="SHA256", **arguments)
        self.id = answer["UploadId"]

    def block(self, data: bytes) -> None:
        """Store a part of the upload, with its SHA-256 for the store to check on arrival."""
        checksum, number = checksum_of(data), len(self.parts) + 1
        with self.store.putting(self.key) as what:
            answer = self.store.client.upload_part(
                **self.where, UploadId=self.id, PartNumber=number, Body=data, ChecksumSHA256=checksum
            )
            compare(what, answer, checksum)
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum})
        self.size += len(data)

    def finish(self, data: bytes) -> Stored:
        """Store the last part, and complete the upload if the name is free."""
        self.block(data)
        with self.store.putting(self.key) as what:
            answer = self.store.client.complete_multipart_upload(
                **self.where, UploadId=self.id, MultipartUpload={"Parts": self.parts}, IfNoneMatch="*"
            )
            digests = b"".join(base64.b64decode(part["ChecksumSHA256"]) for part in self.parts)
            try:
                compare(what, answer, checksum_of(digests))
            except DestinationUnavailableError:
                self.store.delete(self.key)
                raise
        return Stored(self.key, self.size, f"etag:{answer['ETag']}")

    def abandon(self) -> None:
        """Take the upload away."""
        self.store.abort(self.key, self.id)
