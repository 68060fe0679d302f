"""A destination on an object store: writes parts under the run's token, and commits by one manifest.

The eight steps of the commit are in `commit.py`; a store brings the few things of `store.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

from bifrost_export.destinations import overlap
from bifrost_export.destinations.object_store import commit
from bifrost_export.destinations.object_store.checks import Probing
from bifrost_export.destinations.object_store.keys import Keys
from bifrost_export.destinations.object_store.manifest_reader import read_manifest
from bifrost_export.destinations.object_store.neighbours import neighbours
from bifrost_export.destinations.object_store.port import KeyTakenError, ObjectStore, PutOptions, Stored, sha256_at
from bifrost_export.destinations.object_store.upload_stream import Writing
from bifrost_export.destinations.port import Landed, Published, State
from bifrost_export.errors import ConfigError, DestinationError, DestinationUnavailableError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Container, Iterator

    from pydantic import BaseModel

    from bifrost_export.destinations.checks import Probe
    from bifrost_export.destinations.continuity import Former
    from bifrost_export.destinations.neighbours import Neighbour
    from bifrost_export.destinations.object_store.manifest_reader import Current
    from bifrost_export.destinations.port import Draft, FileFormat, Outcome, Piece, Target
    from bifrost_export.window import Window


class ObjectStoreDestination:
    """What every object store does the same way.

    Args:
        config: The destination's config, references resolved.
        target: The run that it is opened for.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[BaseModel]]
    is_table: ClassVar[bool] = False
    is_local: ClassVar[bool] = False
    file_format: ClassVar[FileFormat | None] = None

    def __init__(self, config: Any, target: Target) -> None:
        self.config = config
        self.target = target
        self.keys = Keys(config.prefix, target)
        self.store = self.open_store()
        self.warnings: list[str] = []
        """What was passed over while looking at what is published."""

    def open_store(self) -> ObjectStore:
        """The store, signed in when first used."""
        raise TypeError(f"{type(self).__name__} brings no store")

    def address(self, key: str) -> str:
        """A key as people and machines write it, such as `s3://bucket/key`."""
        return key

    def key_of(self, address: str) -> str:
        """The key that an address names; a key stands for itself.

        Raises:
            ConfigError: It is an address elsewhere.
        """
        root = self.address("")
        if "://" in address and not address.startswith(root):
            raise ConfigError(f"{address} is no address of this destination", allowed=f"{root}..., or a key there")
        return address.removeprefix(root)

    def targets(self) -> list[str]:
        """The address of each dataset's parts, their numbers left open, and of the manifest."""
        parts = [self.keys.part_pattern(dataset) for dataset in self.target.datasets]
        return [self.address(key) for key in (*parts, self.keys.manifest)]

    def rights(self) -> dict[str, Any]:
        """The least that the export needs of its cloud, in the cloud's own words; nothing is opened."""
        return {}

    def check(self) -> Iterator[Probe]:
        """Reach, sign in, find the bucket, write, write on condition, read, list, delete."""
        yield from Probing(self.store, self.keys, self.address).run()

    def published(self) -> list[Published]:
        """Every published window of the export, by its manifest; what is no manifest of it is told in `warnings`."""
        found = overlap.live(self.store, self.keys, lambda _: True, self._tell)
        return [self._published(window, each) for window, each in found]

    def _tell(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def _published(self, window: Window, current: Current) -> Published:
        manifest = current.manifest
        entries = manifest.datasets.values()
        return Published(
            window,
            manifest.revision,
            self.address(current.key),
            manifest.export_timestamp,
            sum(entry.exported for entry in entries),
            sum(part.bytes for entry in entries for part in entry.parts),
        )

    def look(self) -> State:
        """What is published for the window now.

        Raises:
            ForeignManifestError: What stands under the manifest's name is something else.
        """
        current = read_manifest(self.store, self.keys.manifest)
        return State(current.version, current.manifest.revision) if current else State()

    def guard(self, *, replace_overlapping: bool) -> list[Former]:
        """Refuse a window that overlaps a published one without being equal to it; gives those that it replaces."""
        covered = overlap.guard(self.store, self.keys, replace_overlapping=replace_overlapping, tell=self._tell)
        return overlap.formers([read_manifest(self.store, self.keys.manifest), *covered])

    def neighbours(self, window: Window, known: Container[str]) -> list[Neighbour]:
        """Other exports that have published time of a window below the same root, which this export has not."""
        return neighbours(self.store, self.keys, window, known)

    def load(self, piece: Piece) -> Landed:
        """Write one file under the run's token, on condition that its name is free.

        Raises:
            DestinationError: The name is taken by other bytes.
        """
        key = self.keys.part(piece.dataset, piece.number, piece.of) if piece.dataset else self.keys.rejected
        writing = Writing(self.store, key, self._options(piece))
        try:
            rows = piece.write(cast("BinaryIO", writing))
        except KeyTakenError as error:
            writing.abandon(error)
            raise DestinationUnavailableError(
                f"the upload of {self.address(key)} is gone before it was whole",
                hint="The task tries again; if a run of the same window has swept this one's files, this run loses.",
            ) from None
        except BaseException as error:
            writing.abandon(error)
            raise
        try:
            stored = writing.finish()
        except KeyTakenError:
            stored = self._taken(key, writing)
        return Landed(key, rows, writing.size, writing.sha256, stored.checksum)

    def _options(self, piece: Piece) -> PutOptions:
        metadata = [("export", self.target.export), ("window", self.target.window.name)]
        if piece.rows is not None:
            metadata.append(("rows", str(piece.rows)))
        content_type = self.target.content_type if piece.dataset else "application/x-ndjson"
        return PutOptions(content_type, tuple(metadata))

    def _taken(self, key: str, writing: Writing) -> Stored:
        """What stands under a name that was not free: the same bytes are a success."""
        found = sha256_at(self.store, key)
        if found is None:
            raise DestinationUnavailableError(
                f"the store did not take {self.address(key)}, and has none of that name",
                hint="The task tries again; if a run of the same window has swept this one's files, this run loses.",
            )
        if found != writing.sha256:
            raise DestinationError(
                f"{self.address(key)} is taken by other bytes than this run writes",
                hint="Clear from plan, which draws a new token",
            )
        return self.store.head(key) or Stored(key, writing.size)

    def publish(self, draft: Draft) -> Outcome:
        """Commit the run by the eight steps of the protocol's section 4."""
        return commit.Commit(self.store, self.keys, draft, self.address, self.config.verify == "full").run()

    def clean_up(self, keep: dt.timedelta) -> None:
        """Nothing is left beside what was published: `publish` has taken it away."""
