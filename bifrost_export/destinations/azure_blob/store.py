"""A container of Azure Blob Storage as an object store, by the client of `WasbHook`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

from bifrost_export.destinations.azure_blob import errors
from bifrost_export.destinations.azure_blob.hook import make_hook
from bifrost_export.destinations.azure_blob.upload import BlockUpload
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
)
from bifrost_export.errors import BifrostExportError, DestinationError

if TYPE_CHECKING:
    from bifrost_export.destinations.azure_blob.config import AzureBlobConfig

CONFLICT = (409, 412)
GONE = "InvalidBlockList"
"""The answer to a commit of blocks that another run has taken away."""


class AzureStore:
    """Blobs of one container.

    Args:
        config: The destination's config, references resolved.
    """

    place: ClassVar[str] = "container"

    def __init__(self, config: AzureBlobConfig) -> None:
        self.config = config

    @cached_property
    def container(self) -> Any:
        """The container's client, of the hook's client."""
        with errors.told("signing in to Azure", "r"):
            try:
                return make_hook(self.config).get_conn().get_container_client(self.config.container)
            except BifrostExportError:
                raise
            except ValueError:  # how the client refuses an address or a connection string; it quotes them
                raise DestinationError(
                    "signing in to Azure: the account's address or key is not valid",
                    hint="Fix account_name, endpoint_url, account_key or the connection.",
                ) from None

    def blob(self, key: str) -> Any:
        """A blob's client."""
        return self.container.get_blob_client(key)

    def told(self, action: str, key: str, permissions: str) -> AbstractContextManager[None]:
        """Tell the errors of an action on a blob."""
        return errors.told(f"{action} {self.config.container}/{key}", permissions)

    def sign_in(self) -> str:
        """Ask for a blob that is not there: the answer says whether the key or token is known."""
        with self.told("signing in to", "", "r"):
            self._probe(errors.is_refused)
        return f"{self.container.primary_hostname} knows the credentials"

    def find(self) -> str:
        """Look whether the container is there."""
        with self.told("looking for", "", "r"):
            self._probe(lambda error: error.status_code == 404 and errors.code_of(error) != "BlobNotFound")
        return f"the container {self.config.container} is there"

    def _probe(self, matters: Any) -> None:
        from azure.core.exceptions import HttpResponseError

        try:
            self.blob(PROBE).download_blob().readall()
        except HttpResponseError as error:
            if error.status_code is None or errors.is_passing(error) or matters(error):
                raise

    def _arguments(self, options: PutOptions) -> dict[str, Any]:
        from azure.storage.blob import ContentSettings

        arguments: dict[str, Any] = {
            "content_settings": ContentSettings(content_type=options.content_type),
            "metadata": dict(options.metadata),
        }
        if self.config.tags:
            arguments["tags"] = self.config.tags
        return arguments

    def _part_arguments(self, options: PutOptions) -> dict[str, Any]:
        from azure.storage.blob import StandardBlobTier

        tier = self.config.access_tier
        return {**self._arguments(options), **({"standard_blob_tier": StandardBlobTier(tier)} if tier else {})}

    @property
    def _to_put(self) -> str:
        return "cwt" if self.config.tags else "cw"

    @contextmanager
    def putting(self, key: str) -> Iterator[None]:
        """Tell the errors of a put under a free name."""
        from azure.core.exceptions import HttpResponseError

        with self.told("putting", key, self._to_put):
            try:
                yield
            except HttpResponseError as error:
                code = errors.code_of(error)
                if errors.is_conflict(error) or code == GONE:
                    raise KeyTakenError(key) from None
                if code.startswith("BlobImmutable") and self.head(key) is not None:
                    raise KeyTakenError(key) from None  # it is kept, so it can't be overwritten: a double has put it
                raise

    def put(self, key: str, data: bytes, options: PutOptions) -> Stored:
        """Store bytes under a free name, with their checksum for the store to check on arrival."""
        with self.putting(key):
            answer = self.blob(key).upload_blob(
                data, length=len(data), overwrite=False, validate_content=True, **self._part_arguments(options)
            )
        return Stored(key, len(data), f"etag:{answer['etag']}")

    def begin(self, key: str, options: PutOptions) -> BlockUpload:
        """Begin to stage blocks."""
        return BlockUpload(self, key, self._part_arguments(options))

    def put_if(self, key: str, data: bytes, seen: str | None, options: PutOptions) -> str:
        """Store a small blob by If-Match or If-None-Match, and give the new ETag."""
        from azure.core import MatchConditions

        condition: dict[str, Any] = {"overwrite": False}
        if seen is not None:
            condition = {"overwrite": True, "etag": seen, "match_condition": MatchConditions.IfNotModified}
        with self.told("putting", key, self._to_put):
            try:
                answer = self.blob(key).upload_blob(
                    data, length=len(data), validate_content=True, **condition, **self._arguments(options)
                )
            except Exception as error:
                if errors.is_passing(error) or _has_changed(error):
                    raise VersionChangedError(key) from None
                raise
        return str(answer["etag"])

    @contextmanager
    def _or_missing(self) -> Iterator[list[Any]]:
        """A list that stays empty where the blob is not there."""
        from azure.core.exceptions import ResourceNotFoundError

        found: list[Any] = []
        try:
            yield found
        except ResourceNotFoundError as error:
            if errors.code_of(error) not in ("BlobNotFound", ""):
                raise
            found.clear()

    def get(self, key: str, most: int = MOST) -> tuple[bytes, str] | None:
        """A small blob's bytes and ETag, or None."""
        with self.told("reading", key, "r"), self._or_missing() as found:
            stream = self.blob(key).download_blob(validate_content=True)  # fetches a first block, of bounded size
            if stream.size > most:
                raise TooLargeError(key, stream.size)
            found.append((stream.readall(), str(stream.properties.etag)))
        return found[0] if found else None

    def open(self, key: str) -> BinaryIO | None:
        """A blob's bytes as a stream, or None."""
        with self.told("reading", key, "r"), self._or_missing() as found:
            found.append(_Body(self.blob(key).download_blob()))
        return cast("BinaryIO", Download(found[0], lambda: self.told("reading", key, "r"))) if found else None

    def head(self, key: str) -> Stored | None:
        """A blob's size and ETag as the store has them, or None."""
        with self.told("looking at", key, "r"), self._or_missing() as found:
            properties = self.blob(key).get_blob_properties()
            found.append(Stored(key, int(properties.size), f"etag:{properties.etag}"))
        return found[0] if found else None

    def _names(self, prefix: str, **including: Any) -> Iterator[str]:
        with self.told("listing", prefix, "l"):
            for each in self.container.list_blobs(name_starts_with=prefix, **including):
                yield each.name

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`."""
        return self._names(prefix)

    def list_uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Blobs that have only blocks which nobody has committed."""
        begun = [*self._names(prefix, include=["uncommittedblobs"])]
        whole = set(
            self._names(prefix)
        )  # listed later, so that one which is committed meanwhile is not taken for begun
        return iter([(key, "") for key in begun if key not in whole])

    def abort(self, key: str, upload: str) -> None:
        """Take blocks away that nobody has committed: an empty blob takes their place, and goes at once."""
        from azure.core import MatchConditions
        from azure.core.exceptions import HttpResponseError

        blob = self.blob(key)
        with self.told("abandoning an upload of", key, "cwd"):
            try:
                made = blob.commit_block_list([], match_condition=MatchConditions.IfMissing)
                blob.delete_blob(etag=made["etag"], match_condition=MatchConditions.IfNotModified)
            except HttpResponseError as error:
                if error.status_code not in (404, *CONFLICT):
                    raise

    def delete(self, key: str) -> None:
        """Take a blob away, with its snapshots."""
        try:
            with self.told("deleting", key, "d"), self._or_missing():
                self.blob(key).delete_blob(delete_snapshots="include")
        except DestinationError as error:
            raise DeletionRefusedError(error.message, error.hint) from None

    def locked(self, key: str) -> AbstractContextManager[None]:
        """Do nothing: the conditional put decides."""
        return nullcontext()


def _has_changed(error: Exception) -> bool:
    """Whether a conditional put was refused because the version is another, or there is none."""
    is_gone = getattr(error, "status_code", None) == 404 and errors.code_of(error) == "BlobNotFound"
    return is_gone or errors.is_conflict(error)


class _Body:
    """The client's stream, which needs no closing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int) -> bytes:
        return bytes(self.stream.read(size))

    def close(self) -> None:
        pass
