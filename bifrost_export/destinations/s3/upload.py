"""An object that goes to S3 block by block: a multipart upload."""

from __future__ import annotations

import base64
import hashlib
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

from bifrost_export.destinations.object_store.port import DeletionRefusedError, Stored
from bifrost_export.destinations.s3.checksums import SHA256, Checksums, checksum_of, compare, is_proven
from bifrost_export.errors import DestinationUnavailableError


class Bucket(Protocol):
    """**Protocol.** What an upload asks of its bucket; `S3Store` is one."""

    bucket: str
    checksums: Checksums
    if_free: dict[str, str]

    @property
    def client(self) -> Any:
        """The client of boto3."""
        ...

    def putting(self, key: str) -> AbstractContextManager[str]:
        """Translate the errors of a put while the context is active; enters with the object's address."""
        ...

    def reread(self, what: str, key: str, sha256: str) -> None:
        """Compare the stored bytes with their digest."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object."""
        ...

    def abort(self, key: str, upload: str) -> None:
        """Abort a multipart upload."""
        ...


class MultipartUpload:
    """One multipart upload.

    Args:
        store: The bucket.
        key: The object's name.
        arguments: What is said about the object, as the client wants it.
    """

    def __init__(self, store: Bucket, key: str, arguments: dict[str, Any]) -> None:
        self.store, self.key = store, key
        self.checksums = store.checksums
        self.size = 0
        self.parts: list[dict[str, Any]] = []
        self.where = {"Bucket": store.bucket, "Key": key}
        self.is_proven = True
        self.sha256 = hashlib.sha256()
        with store.putting(key):
            answer = self.checksums.send(
                lambda **more: store.client.create_multipart_upload(**self.where, **arguments, **more),
                self.checksums.of_upload,
            )
        self.id = answer["UploadId"]

    def block(self, data: bytes) -> None:
        """Store a part of the upload, with its checksum for the store to check on arrival."""
        number = len(self.parts) + 1
        with self.store.putting(self.key) as what:
            answer = self.checksums.send(
                lambda **more: self.store.client.upload_part(
                    **self.where, UploadId=self.id, PartNumber=number, Body=data, **more
                ),
                lambda: self.checksums.arguments(data),
            )
            self.is_proven = is_proven(what, answer, data) and self.is_proven
        part = {"PartNumber": number, "ETag": answer["ETag"]}
        if self.checksums.level == SHA256:
            part["ChecksumSHA256"] = checksum_of(data)
        else:
            self.sha256.update(data)
        self.parts.append(part)
        self.size += len(data)

    def finish(self, data: bytes) -> Stored:
        """Store the last part, and complete the upload if the name is free."""
        self.block(data)
        with self.store.putting(self.key) as what:
            answer = self.store.client.complete_multipart_upload(
                **self.where, UploadId=self.id, MultipartUpload={"Parts": self.parts}, **self.store.if_free
            )
            try:
                self._compare(what, answer)
            except DestinationUnavailableError:
                with suppress(DeletionRefusedError):
                    self.store.delete(self.key)
                raise
        return Stored(self.key, self.size, f"etag:{answer['ETag']}")

    def _compare(self, what: str, answer: dict[str, Any]) -> None:
        digests = [part.get("ChecksumSHA256") for part in self.parts]
        if all(digests):
            compare(what, answer, checksum_of(b"".join(base64.b64decode(str(each)) for each in digests)))
        elif not any(digests) and not self.is_proven:
            self.store.reread(what, self.key, self.sha256.hexdigest())

    def abandon(self) -> None:
        """Take the upload away."""
        self.store.abort(self.key, self.id)
