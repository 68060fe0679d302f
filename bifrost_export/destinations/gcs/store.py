"""A bucket of Cloud Storage as an object store, by the client of `GCSHook`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

from bifrost_export import connections
from bifrost_export.destinations.gcs.upload import Crc32c, ResumableUpload, compare
from bifrost_export.destinations.google import errors
from bifrost_export.destinations.google.sign_in import google_hook, signed_in
from bifrost_export.destinations.object_store.download import Download
from bifrost_export.destinations.object_store.port import (
    BLOCK,
    MOST,
    PROBE,
    DeletionRefusedError,
    KeyTakenError,
    PutOptions,
    Stored,
    TooLargeError,
    VersionChangedError,
)
from bifrost_export.errors import DestinationError, DestinationUnavailableError
from bifrost_export.services import google_answers

if TYPE_CHECKING:
    from bifrost_export.destinations.gcs.config import GCSConfig

ONE_PUT = 8 * 1024 * 1024
"""Bytes up to which the client puts an object in one request."""
CREATE, DELETE, GET, LIST = (f"storage.objects.{name}" for name in ("create", "delete", "get", "list"))


class GCSStore:
    """Objects of one bucket.

    Args:
        config: The destination's config, references resolved.
    """

    place: ClassVar[str] = "bucket"

    def __init__(self, config: GCSConfig) -> None:
        self.config = config

    @cached_property
    def hook(self) -> Any:
        """The provider's hook."""
        try:
            from airflow.providers.google.cloud.hooks.gcs import GCSHook
        except ImportError as error:
            raise connections.missing("the destination gcs", "google", "google", error) from None
        return google_hook(GCSHook, self.config.conn_id, self.config.credentials, self.config.project_id)

    @cached_property
    def bucket(self) -> Any:
        """The hook's client's idea of the bucket."""
        with errors.told("signing in to Cloud Storage", GET):
            client = signed_in(self.hook.get_conn)
            client._bucket_metadata_cache = None  # it asks for the bucket at any time, which takes a right of its own
            try:
                return client.bucket(self.config.bucket)
            except ValueError as error:
                raise DestinationError(str(error), hint="Mend destination.config.bucket.") from None

    @cached_property
    def session(self) -> Any:
        """The same sign-in for plain requests."""
        from google.auth.transport.requests import AuthorizedSession

        with errors.told("signing in to Cloud Storage", GET):
            return AuthorizedSession(signed_in(self.hook.get_credentials))

    @property
    def retry(self) -> Any:
        """How the client tries again what passes."""
        from google.api_core.retry import Retry

        return Retry(predicate=google_answers.is_passing, initial=0.5, maximum=8.0, multiplier=2.0, timeout=30.0)

    def told(self, action: str, key: str, rights: str) -> AbstractContextManager[None]:
        """Tell the errors of an action on an object."""
        return errors.told(f"{action} gs://{self.config.bucket}/{key}", rights)

    def sign_in(self) -> str:
        """Ask for an object that is not there: the answer says whether the account is known."""
        with self.told("signing in to", "", GET):
            self._probe(lambda error: error.code == 401 or google_answers.is_passing(error))
        return "Cloud Storage knows the account"

    def find(self) -> str:
        """Look whether the bucket is there."""
        with self.told("looking for", "", GET):
            self._probe(google_answers.lacks_bucket)
        return f"gs://{self.config.bucket} is there"

    def _probe(self, matters: Any) -> None:
        from google.api_core.exceptions import GoogleAPICallError

        try:
            self.bucket.blob(PROBE).download_as_bytes(retry=self.retry)
        except GoogleAPICallError as error:
            if matters(error):
                raise

    def _blob(self, key: str, options: PutOptions) -> Any:
        blob = self.bucket.blob(key, kms_key_name=self.config.kms_key_name)
        blob.metadata = dict(options.metadata)
        blob.content_type = options.content_type
        return blob

    def _part(self, key: str, options: PutOptions) -> Any:
        blob = self._blob(key, options)
        if self.config.storage_class:
            blob.storage_class = self.config.storage_class
        return blob

    @contextmanager
    def putting(self, key: str) -> Iterator[str]:
        """Tell the errors of a put under a free name."""
        from google.api_core.exceptions import GoogleAPICallError

        what = f"putting gs://{self.config.bucket}/{key}"
        with errors.told(what, CREATE):
            try:
                yield what
            except GoogleAPICallError as error:
                if google_answers.is_conflict(error):
                    raise KeyTakenError(key) from None
                raise

    def put(self, key: str, data: bytes, options: PutOptions) -> Stored:
        """Store bytes under a free name, with their CRC32C for the store to check on arrival."""
        if len(data) > ONE_PUT:
            return self.begin(key, options).finish(data)
        checksum = Crc32c().update(data).value
        blob = self._part(key, options)
        with self.putting(key) as what:
            blob.upload_from_string(data, blob.content_type, if_generation_match=0, checksum="crc32c", retry=self.retry)
            try:
                compare(what, blob.crc32c, checksum)
            except DestinationUnavailableError:
                with suppress(DeletionRefusedError):
                    self.delete(key)
                raise
        return Stored(key, len(data), f"crc32c:{checksum}")

    def begin(self, key: str, options: PutOptions) -> ResumableUpload:
        """Begin a resumable upload."""
        return ResumableUpload(self, key, self._part(key, options))

    def put_if(self, key: str, data: bytes, seen: str | None, options: PutOptions) -> str:
        """Store a small object if its generation is still `seen`, and give the new one."""
        from google.api_core.exceptions import GoogleAPICallError

        blob = self._blob(key, options)
        rights = CREATE if seen is None else f"{CREATE}, {DELETE} and {GET}"
        with self.told("putting", key, rights):
            try:
                blob.upload_from_string(
                    data, blob.content_type, if_generation_match=int(seen or 0), checksum="crc32c", retry=self.retry
                )
            except GoogleAPICallError as error:
                if google_answers.is_conflict(error) or google_answers.is_passing(error):
                    raise VersionChangedError(key) from None
                if error.code == 404 and not google_answers.lacks_bucket(error):
                    raise VersionChangedError(key) from None
                raise
            except Exception as error:
                if google_answers.is_passing(error):
                    raise VersionChangedError(key) from None
                raise
        return str(blob.generation)

    def get(self, key: str, most: int = MOST) -> tuple[bytes, str] | None:
        """A small object's bytes and generation, or None."""
        described = self.head(key)
        if described is not None and described.bytes > most:
            raise TooLargeError(key, described.bytes)
        blob = self.bucket.blob(key)  # one that was looked at would be read in that generation alone
        with self.told("reading", key, f"{GET} and {LIST}"), self._or_missing() as found:
            data = blob.download_as_bytes(raw_download=True, retry=self.retry)
            found.append((data, str(blob.generation)))
        return found[0] if found else None

    @contextmanager
    def _or_missing(self) -> Iterator[list[Any]]:
        """A list that stays empty where the object is not there."""
        from google.api_core.exceptions import NotFound

        found: list[Any] = []
        try:
            yield found
        except NotFound as error:
            if google_answers.lacks_bucket(error):
                raise
            found.clear()

    def _look(self, key: str) -> Any:
        blob = self.bucket.blob(key)
        with self.told("looking at", key, f"{GET} and {LIST}"), self._or_missing() as found:
            blob.reload(retry=self.retry)
            found.append(blob)
        return found[0] if found else None

    def open(self, key: str) -> BinaryIO | None:
        """An object's bytes as a stream, or None."""
        blob = self._look(key)
        if blob is None:
            return None
        stream = blob.open("rb", chunk_size=BLOCK, raw_download=True, retry=self.retry)
        return cast("BinaryIO", Download(stream, lambda: self.told("reading", key, GET)))

    def head(self, key: str) -> Stored | None:
        """An object's size and CRC32C as the store has them, or None."""
        blob = self._look(key)
        return Stored(key, int(blob.size), f"crc32c:{blob.crc32c}") if blob is not None else None

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`."""
        with self.told("listing", prefix, LIST):
            for blob in self.bucket.list_blobs(prefix=prefix, retry=self.retry):
                yield blob.name

    def list_uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """None: the store does not list its sessions, keeps nothing of them that costs, and ends them after a week."""
        return iter(())

    def abort(self, key: str, upload: str) -> None:
        """Nothing: no session is ever listed."""

    def delete(self, key: str) -> None:
        """Take an object away."""
        try:
            with self.told("deleting", key, DELETE), self._or_missing():
                self.bucket.blob(key).delete(retry=self.retry)
        except DestinationError as error:
            raise DeletionRefusedError(error.message, error.hint) from None

    def locked(self, key: str) -> AbstractContextManager[None]:
        """Do nothing: the conditional put decides."""
        return nullcontext()
