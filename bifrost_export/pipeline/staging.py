"""Where rows wait between tasks: `<url>/<export>/<start>_<end>__<token>/` (protocol, section 2)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

import orjson

from bifrost_export.config.models.staging_url import folder_of, staging_url_problem
from bifrost_export.destinations.key_names import STAGING, Renaming, naming
from bifrost_export.destinations.object_store.addresses import open_bucket
from bifrost_export.destinations.object_store.keys import folded
from bifrost_export.destinations.object_store.port import DeletionRefusedError, KeyTakenError, PutOptions, sha256_at
from bifrost_export.destinations.object_store.upload_stream import Writing
from bifrost_export.destinations.temporary_files import is_no_place, no_place, unnamed_file
from bifrost_export.errors import ConfigError, StagingGoneError
from bifrost_export.pipeline.hashed_stream import Hashing
from bifrost_export.pipeline.local_staging import LocalFolder, changed, identity
from bifrost_export.window import parse_instant

if TYPE_CHECKING:
    from bifrost_export.destinations.object_store.port import ObjectStore

MARKER = "plan.json"
FOLDER = re.compile(
    r"^(?P<folder>[A-Za-z0-9][A-Za-z0-9_.-]*/\d{8}T\d{6}(?:\.\d+)?Z_\d{8}T\d{6}(?:\.\d+)?Z__[0-9a-f]{8})/plan\.json$"
)


class Folder(Protocol):
    """**Protocol.** What staging needs of the place that its URL names."""

    def write(self, name: str) -> AbstractContextManager[Hashing]:
        """A stream whose bytes become a file when the block ends well, else nothing is left; it knows their SHA-256."""
        ...

    def open(self, name: str, sha256: str | None = None) -> BinaryIO | None:
        """A file to read and close, or None; its bytes are compared first, where their SHA-256 is given.

        Raises:
            StagingChangedError: They differ.
        """
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Names of the files that begin with `prefix`."""
        ...

    def remove(self, folder: str) -> None:
        """Take a folder away with all that is in it."""
        ...


class ObjectFolder:
    """Staging in an object store, below a prefix.

    Args:
        store: The store.
        prefix: With a final `/`, or ``''``.
    """

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self.store = store
        self.prefix = prefix

    @contextmanager
    def write(self, name: str) -> Iterator[Hashing]:
        """A stream that is stored while it is written, and seen when the block ends well."""
        writing = Writing(self.store, self.prefix + name, PutOptions("application/octet-stream"))
        try:
            yield writing
        except BaseException as error:
            writing.abandon(error)
            if is_no_place(error):  # of what a transformation puts aside
                raise no_place(error) from None
            raise
        try:
            writing.finish()
        except KeyTakenError:  # a request was repeated whose answer was lost; nobody else writes this name
            if sha256_at(self.store, self.prefix + name) != writing.sha256:
                raise StagingGoneError(f"{name} was staged by somebody else", hint="Clear from plan.") from None

    def open(self, name: str, sha256: str | None = None) -> BinaryIO | None:
        """Fetch an object into an unnamed file, so that it can be read by position and nobody changes it any more."""
        stream = self.store.open(self.prefix + name)
        if stream is None:
            return None
        digest = hashlib.sha256()
        with stream, ExitStack() as undone:
            local = undone.enter_context(unnamed_file())
            while block := stream.read(1 << 20):
                digest.update(block)
                _keep(local, block)
            if sha256 not in (None, digest.hexdigest()):
                raise changed(f"{self.prefix}{name}", str(sha256), digest.hexdigest())
            local.seek(0)
            undone.pop_all()  # the caller closes it
        return local

    def list(self, prefix: str) -> Iterator[str]:
        """Names below the prefix."""
        return (key.removeprefix(self.prefix) for key in self.store.list(self.prefix + prefix))

    def remove(self, folder: str) -> None:
        """Delete every object of a folder, its marker last; what the store keeps stays."""
        for name in sorted(self.list(f"{folder}/"), key=lambda name: name.endswith(f"/{MARKER}")):
            with suppress(DeletionRefusedError):
                self.store.delete(self.prefix + name)


def _keep(local: BinaryIO, block: bytes) -> None:
    try:
        local.write(block)
    except OSError as error:
        raise no_place(error) from None


def open_folder(
    url: str, conn_id: str | None, encryption: Mapping[str, str] | None = None, *, shared: bool = False
) -> Folder:
    """The place that a staging URL names.

    Args:
        url: `log_exports.staging.url`, resolved.
        conn_id: An Airflow connection for an object store, or None.
        encryption: `kms_key_id` and `sse` of `log_exports.staging`, where they are given.
        shared: `log_exports.staging.shared`.

    Raises:
        ConfigError: The URL is of no kind that staging knows.
    """
    problem = staging_url_problem(url)
    if problem is not None:
        raise problem
    folder = folder_of(url)
    if folder is not None:
        return LocalFolder(folder, shared=shared)
    with naming(STAGING):
        bucket = open_bucket(url, conn_id, encryption)
    if bucket is not None:
        prefix = folded(bucket[1]).strip("/")
        store = cast("ObjectStore", Renaming(bucket[0], STAGING))
        return ObjectFolder(store, f"{prefix}/" if prefix else "")
    raise ConfigError(
        f"log_exports.staging.url {url!r} needs a connection",
        allowed="az://container/prefix with log_exports.staging.conn_id",
        hint="Set log_exports.staging.conn_id to an Airflow connection of type wasb.",
    )


class Staging:
    """The staged files of one run.

    Args:
        url: `log_exports.staging.url`, resolved.
        conn_id: An Airflow connection for an object store, or None.
        name: `<export>/<start>_<end>__<token>`.
        host: The host that `plan` ran on.
        encryption: `kms_key_id` and `sse` of `log_exports.staging`, where they are given.
        shared: Whether several users stage below the URL, each in folders of their own.
    """

    def __init__(
        self,
        url: str,
        conn_id: str | None,
        name: str,
        host: str,
        encryption: Mapping[str, str] | None = None,
        *,
        shared: bool = False,
    ) -> None:
        self.url = url
        self.name = name
        self.host = host
        self.folder = open_folder(url, conn_id, encryption, shared=shared)

    @property
    def is_local(self) -> bool:
        """Whether the files are on a disk of one machine (or on one that workers share)."""
        return isinstance(self.folder, LocalFolder)

    @property
    def local_folder(self) -> Path | None:
        """The run's folder, when it is on a disk."""
        return self.folder.root / self.name if isinstance(self.folder, LocalFolder) else None

    def create(self, marker: dict[str, object]) -> None:
        """Make the run's folder with the plan's marker file in it."""
        with self.folder.write(f"{self.name}/{MARKER}") as body:
            body.write(orjson.dumps(marker))

    def check(self) -> None:
        """Refuse to go on when the run's folder is gone.

        Raises:
            StagingGoneError: It is; the message says what to clear.
        """
        marker = self.folder.open(f"{self.name}/{MARKER}")
        if marker is None:
            raise self.gone(MARKER)
        marker.close()

    def gone(self, name: str) -> StagingGoneError:
        """The error for a staged file that isn't there."""
        here = socket.gethostname()
        if self.is_local and self.host != here:
            return StagingGoneError(
                f"this run is staged on host {self.host}, and this task runs on {here}: {self.url} has no {name}",
                hint="Use an object store or a shared folder for log_exports.staging, then clear from plan.",
            )
        return StagingGoneError(
            f"staging of this run is gone: {self.url}/{self.name} has no {name}", hint="Clear from plan."
        )

    @contextmanager
    def write(self, name: str) -> Iterator[Hashing]:
        """A stream whose bytes become the file `name` when the block ends well; else nothing is left.

        Raises:
            StagingGoneError: The run has been cleaned up. An orphan that wrote on would leave rows that nobody sweeps.
        """
        self.check()
        with self.folder.write(f"{self.name}/{name}") as stream:
            yield stream
            self.check()

    @contextmanager
    def read(self, name: str, sha256: str) -> Iterator[BinaryIO]:
        """A staged file, seekable, with the bytes that its task wrote: nothing is read before they are compared.

        Args:
            name: The file.
            sha256: Of its bytes, as the task that wrote it told.

        Raises:
            StagingGoneError: It isn't there.
            StagingChangedError: It has other bytes, or somebody writes to it while it is read.
        """
        stream = self.folder.open(f"{self.name}/{name}", sha256)
        if stream is None:
            raise self.gone(name)
        with stream:
            opened = identity(stream)
            yield stream
            if identity(stream) != opened:
                raise changed(f"{self.url}/{self.name}/{name}", sha256, "another")

    def remove(self) -> None:
        """Take the run's folder away."""
        self.folder.remove(self.name)

    def sweep(self, keep: dt.timedelta, now: dt.datetime, run_id: str | None = None) -> list[str]:
        """Take away folders of runs, known by name and marker, that nobody needs any more.

        Args:
            keep: Older ones are taken away.
            now: The time.
            run_id: This run's, which is unique in its export. What its former plans staged goes at any age.

        Returns:
            The names of the folders that were taken away.
        """
        swept = []
        for name in list(self.folder.list("")):
            match = FOLDER.match(name)
            if match is None or match["folder"] == self.name:
                continue
            marker = self._marker(name)
            if marker is not None and (marker[0] < now - keep or self._is_former(match["folder"], marker[1], run_id)):
                self.folder.remove(match["folder"])
                swept.append(match["folder"])
        return swept

    def _is_former(self, folder: str, planned_by: object, run_id: str | None) -> bool:
        is_same_export = folder.partition("/")[0] == self.name.partition("/")[0]
        return run_id is not None and planned_by == run_id and is_same_export

    def _marker(self, name: str) -> tuple[dt.datetime, object] | None:
        """When a folder's run was planned, and its run id."""
        stream = self.folder.open(name)
        if stream is None:
            return None
        with stream:
            try:
                marker = orjson.loads(stream.read())
                return parse_instant(marker["planned_at"]), marker.get("run_id")
            except (ValueError, KeyError, TypeError, AttributeError):
                return None
