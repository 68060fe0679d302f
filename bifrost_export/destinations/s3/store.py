"""A bucket as an object store, by the client of `S3Hook`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast
from urllib.parse import urlencode

from bifrost_export.destinations.object_store.download import Download
from bifrost_export.destinations.object_store.port import (
    MOST,
    PROBE,
    DeletionRefusedError,
    KeyTakenError,
    PutOptions,
    Stored,
    TooLargeError,
    VersionChangedError,
    sha256_at,
)
from bifrost_export.destinations.s3.checksums import HEADER, OF_READING, SHA256, Checksums, is_proven, refused_header
from bifrost_export.destinations.s3.config import ARCHIVES
from bifrost_export.destinations.s3.errors import told
from bifrost_export.destinations.s3.hook import make_hook
from bifrost_export.destinations.s3.upload import MultipartUpload
from bifrost_export.errors import DestinationError, DestinationUnavailableError
from bifrost_export.services.s3_answers import code_of, is_passing, status_of
from bifrost_export.services.s3_codes import CONFLICTS, REFUSED, WITHOUT_BUCKET

if TYPE_CHECKING:
    from bifrost_export.destinations.s3.config import S3Config


class S3Store:
    """Objects of one bucket.

    Args:
        config: The destination's config, references resolved.
    """

    place: ClassVar[str] = "bucket"

    def __init__(self, config: S3Config) -> None:
        self.config = config
        self.bucket = config.bucket
        self.checksums = Checksums(config.checksums)
        self.if_free: dict[str, str] = {"IfNoneMatch": "*"}

    @cached_property
    def client(self) -> Any:
        """The hook's boto3 client."""
        with told("signing in to S3"):
            return make_hook(self.config).get_conn()

    def sign_in(self) -> str:
        """Ask for an object that is not there: the answer says whether the credentials are known."""
        self._ask("signing in to", _says_nothing_of_objects)
        return f"{self.client.meta.endpoint_url} knows the credentials"

    def find(self) -> str:
        """Look whether the bucket is there, and in the region where it is looked for."""
        self._ask("looking for", lambda error: code_of(error) in WITHOUT_BUCKET)
        return f"s3://{self.bucket} is there"

    def _ask(self, action: str, matters: Callable[[Any], bool]) -> None:
        # GET, since the answer to HEAD says no more than 403 or 404.
        from botocore.exceptions import ClientError

        client = self.client
        with told(f"{action} s3://{self.bucket}"):
            try:
                client.get_object(Bucket=self.bucket, Key=PROBE)["Body"].close()
            except ClientError as error:
                if error.operation_name != "GetObject" or matters(error):
                    raise

    @property
    def _rights_to_put(self) -> str:
        rights = ["s3:PutObject"]
        if self.config.tags:
            rights.append("s3:PutObjectTagging")
        if self.config.kms_key_id or self.config.sse == "aws:kms":
            rights.append("kms:GenerateDataKey and kms:Decrypt (on the key)")
        return ", ".join(rights)

    def _what(self, action: str, key: str) -> str:
        return f"{action} s3://{self.bucket}/{key}"

    def _arguments(self, options: PutOptions) -> dict[str, Any]:
        arguments: dict[str, Any] = {"ContentType": options.content_type, "Metadata": dict(options.metadata)}
        if encryption := self.config.sse or ("aws:kms" if self.config.kms_key_id else None):
            arguments["ServerSideEncryption"] = encryption
        if self.config.kms_key_id:
            arguments["SSEKMSKeyId"] = self.config.kms_key_id
        if self.config.tags:
            arguments["Tagging"] = urlencode(self.config.tags)
        return arguments

    @contextmanager
    def putting(self, key: str) -> Iterator[str]:
        """Tell the errors of a put under a free name."""
        from botocore.exceptions import ClientError

        what = self._what("putting", key)
        with told(what, self._rights_to_put):
            try:
                yield what
            except ClientError as error:
                self._refuse_header(what, error, self.if_free)
                if code_of(error) in {*CONFLICTS, "NoSuchUpload"} or status_of(error) in (409, 412):
                    raise KeyTakenError(key) from None
                raise

    def _refuse_header(self, what: str, error: Any, condition: dict[str, str]) -> None:
        """Tell of a store that does not know what a put needs."""
        headers = ["If-Match" if "IfMatch" in condition else "If-None-Match"] if condition else []
        if refused := refused_header(what, error, [*headers, *([HEADER] if self.checksums.mode == "required" else [])]):
            raise refused from None

    def put(self, key: str, data: bytes, options: PutOptions) -> Stored:
        """Store bytes under a free name, with their checksum for the store to check on arrival."""
        with self.putting(key) as what:
            answer = self._put(key, data, self.if_free, self._part_arguments(options))
            try:
                if not is_proven(what, answer, data) and self.checksums.level != SHA256:
                    self.reread(what, key, hashlib.sha256(data).hexdigest())
            except DestinationUnavailableError:
                with suppress(DeletionRefusedError):
                    self.delete(key)
                raise
        return Stored(key, len(data), f"etag:{answer['ETag']}")

    def _put(self, key: str, data: bytes, condition: dict[str, str], arguments: dict[str, Any]) -> dict[str, Any]:
        return self.checksums.send(
            lambda **more: self.client.put_object(
                Bucket=self.bucket, Key=key, Body=data, **condition, **arguments, **more
            ),
            lambda: self.checksums.arguments(data),
        )

    def reread(self, what: str, key: str, sha256: str) -> None:
        """Read an object again that neither a checksum nor an ETag has proven; an archived one can't be.

        Raises:
            DestinationUnavailableError: Its bytes are not those that were put.
        """
        if self.config.storage_class not in ARCHIVES and sha256_at(self, key) != sha256:
            raise DestinationUnavailableError(f"{what}: other bytes have arrived than were sent", hint="Retry.")

    def begin(self, key: str, options: PutOptions) -> MultipartUpload:
        """Begin a multipart upload."""
        return MultipartUpload(self, key, self._part_arguments(options))

    def _part_arguments(self, options: PutOptions) -> dict[str, Any]:
        storage_class = self.config.storage_class
        return {**self._arguments(options), **({"StorageClass": storage_class} if storage_class else {})}

    def put_if(self, key: str, data: bytes, seen: str | None, options: PutOptions) -> str:
        """Store a small object by If-Match or If-None-Match, and give the new ETag."""
        from botocore.exceptions import ClientError, HTTPClientError

        condition = {"IfNoneMatch": "*"} if seen is None else {"IfMatch": seen}
        rights = self._rights_to_put if seen is None else f"{self._rights_to_put}, s3:GetObject"
        what = self._what("putting", key)
        with told(what, rights):
            try:
                answer = self._put(key, data, condition, self._arguments(options))
            except HTTPClientError:
                raise VersionChangedError(key) from None
            except ClientError as error:
                self._refuse_header(what, error, condition)
                if code_of(error) in CONFLICTS or (status_of(error) >= 500 and is_passing(error)):
                    raise VersionChangedError(key) from None
                if status_of(error) == 404 and code_of(error) not in WITHOUT_BUCKET:
                    raise VersionChangedError(key) from None
                raise
        return str(answer["ETag"])

    def _find(self, action: str, key: str, method: str, **arguments: Any) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        # Without the right to list, S3 forbids to read what is not there.
        with told(self._what(action, key), "s3:GetObject, s3:ListBucket"):
            try:
                found = getattr(self.client, method)(Bucket=self.bucket, Key=key, **arguments)
                return cast("dict[str, Any]", found)
            except ClientError as error:
                if code_of(error) in ("NoSuchKey", "404", "NotFound"):
                    return None
                headers = [OF_READING] if self.checksums.mode == "required" else []
                if refused := refused_header(self._what(action, key), error, headers):
                    raise refused from None
                raise

    def get(self, key: str, most: int = MOST) -> tuple[bytes, str] | None:
        """A small object's bytes and ETag, or None."""
        found = self._find("reading", key, "get_object")
        if found is None:
            return None
        if int(found["ContentLength"]) > most:
            found["Body"].close()
            raise TooLargeError(key, int(found["ContentLength"]))
        with told(self._what("reading", key)):
            return found["Body"].read(), str(found["ETag"])

    def open(self, key: str) -> BinaryIO | None:
        """An object's bytes as a stream, or None."""
        found = self._find("reading", key, "get_object")
        if found is None:
            return None
        return cast("BinaryIO", Download(found["Body"], lambda: told(self._what("reading", key)), None))

    def head(self, key: str) -> Stored | None:
        """An object's size and ETag as the store has them, or None."""
        found = self._find("looking at", key, "head_object")
        return Stored(key, int(found["ContentLength"]), f"etag:{found['ETag']}") if found else None

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`."""
        with told(self._what("listing", prefix), "s3:ListBucket"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for each in page.get("Contents", ()):
                    yield each["Key"]

    def list_uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Unfinished multipart uploads; none where the store can't list them."""
        try:
            with told(self._what("listing uploads of", prefix)):
                pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix)
                found = [(each["Key"], each["UploadId"]) for page in pages for each in page.get("Uploads", ())]
        except DestinationError:  # s3:ListBucketMultipartUploads isn't granted, or the store has no such call
            return
        yield from (each for each in found if each[0].startswith(prefix))

    def abort(self, key: str, upload: str) -> None:
        """Take an unfinished upload away."""
        from botocore.exceptions import ClientError

        with told(self._what("abandoning an upload of", key), "s3:AbortMultipartUpload"):
            try:
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
            except ClientError as error:
                if code_of(error) != "NoSuchUpload" and status_of(error) != 404:
                    raise

    def delete(self, key: str) -> None:
        """Take an object away."""
        try:
            with told(self._what("deleting", key), "s3:DeleteObject"):
                self.client.delete_object(Bucket=self.bucket, Key=key)
        except DestinationError as error:
            raise DeletionRefusedError(error.message, error.hint) from None

    def locked(self, key: str) -> AbstractContextManager[None]:
        """Do nothing: the conditional put decides."""
        return nullcontext()


def _says_nothing_of_objects(error: Any) -> bool:
    """Whether an answer is about who asks, or no answer to what was asked."""
    return code_of(error) in REFUSED or is_passing(error) or code_of(error) == "RequestTimeTooSkewed"
