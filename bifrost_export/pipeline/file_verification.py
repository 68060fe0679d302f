"""Read the files that a manifest names, and tell every difference."""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from bifrost_export.formats.reading import can_read, read
from bifrost_export.pipeline.books import Sums
from bifrost_export.pipeline.measured import Tally
from bifrost_export.thresholds import COST_TOLERANCE

if TYPE_CHECKING:
    from bifrost_export.destinations.object_store.manifest import DatasetEntry, Manifest, Part
    from bifrost_export.destinations.object_store.port import ObjectStore

_TYPES = {
    "timestamp": ("timestamp",),
    "input_tokens": ("int32", "int64"),
    "output_tokens": ("int32", "int64"),
    "cost_usd": ("double",),
}
"""The columns that are measured; one that a transformation has made something else is not."""

MEASURED = tuple(_TYPES)
SPOOLED = 8 * 1024 * 1024
"""Bytes of a file that are held in memory before a temporary file takes over."""
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Verified:
    """What a verification has found.

    Args:
        problems: Each in a sentence; none when all agrees.
        files: How many files were read.
        rows: Rows in the parts.
        bytes: Bytes of all files.
        notes: What could not be looked at, each in a sentence.
    """

    problems: tuple[str, ...]
    files: int = 0
    rows: int = 0
    bytes: int = 0
    notes: tuple[str, ...] = ()


class Rereading:
    """Reads the files of one manifest, and keeps what differs.

    Args:
        store: Where they are.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.files = self.rows = self.bytes = 0
        self._may_read: Callable[[str, str], bool] = lambda key, kind: True

    def verified(self) -> Verified:
        """What was found."""
        return Verified(tuple(self.problems), self.files, self.rows, self.bytes, tuple(self.notes))

    def read(self, manifest: Manifest, may_read: Callable[[str, str], bool] = lambda key, kind: True) -> None:
        """Read all files of a manifest.

        Args:
            manifest: The manifest.
            may_read: Says whether a key may be followed that it names as a `part`, or as `rejected`.

        Raises:
            DestinationError: The store can't be read.
        """
        if not can_read(manifest.format) and any(entry.parts for entry in manifest.datasets.values()):
            self.notes.append(
                f"the parts are of the format {manifest.format}, which is not read here: their bytes and sha256 were"
                " compared, and not the rows in them"
            )
        self._may_read = may_read
        for dataset, entry in manifest.datasets.items():
            names = {
                column.name for column in entry.dataset_schema.columns if column.type in _TYPES.get(column.name, ())
            }
            measured = [name for name in MEASURED if name in names]
            sums = [self._part(part, manifest, measured) for part in entry.parts]
            if all(each is not None for each in sums):
                self._compare_sums(dataset, entry, sum((each for each in sums if each), Sums()), names)
        if manifest.rejected is not None:
            self._rejected(manifest.rejected)

    def _part(self, part: Part, manifest: Manifest, columns: list[str]) -> Sums | None:
        """Compare one part; gives what its rows add up to, None where they could not be read."""
        with self._fetched(part, "part") as file:
            if file is None or not can_read(manifest.format):
                return None
            tally = Tally()
            try:
                for batch in read(manifest.format, file, manifest.compression, columns):
                    tally.add(batch)
            except (pa.ArrowException, OSError, EOFError) as error:
                self._tell(part, f"can't be read as {manifest.format} ({type(error).__name__})")
                return None
        self._compare(part, "rows", tally.sums.rows, part.rows)
        if "timestamp" in columns:
            for name, found in tally.ends().items():
                self._compare(part, name, found, getattr(part, name))
        self.rows += tally.sums.rows
        return tally.sums

    def _rejected(self, part: Part) -> None:
        with self._fetched(part, "rejected") as file:
            if file is None:
                return
            try:
                with gzip.open(file) as lines:
                    self._compare(part, "rows", sum(1 for _ in lines), part.rows)
            except (OSError, EOFError) as error:
                self._tell(part, f"can't be read as gzip ({type(error).__name__})")

    @contextmanager
    def _fetched(self, part: Part, kind: str) -> Iterator[BinaryIO | None]:
        """A file, copied here so that it can be read by position; its size and SHA-256 are compared on the way."""
        if not self._may_read(part.key, kind):
            self._tell(part, "is no file of this export's window below its root: it was not read")
            yield None
            return
        stream = self.store.open(part.key)
        if stream is None:
            self._tell(part, "is not there")
            yield None
            return
        with stream, tempfile.SpooledTemporaryFile(max_size=SPOOLED) as copy:
            digest, size = hashlib.sha256(), 0
            while block := stream.read(_BLOCK):
                digest.update(block)
                size += copy.write(block)
            self._compare(part, "bytes", size, part.bytes)
            self._compare(part, "sha256", digest.hexdigest(), part.sha256)
            self.files += 1
            self.bytes += size
            copy.seek(0)
            yield cast("BinaryIO", copy)

    def _compare_sums(self, dataset: str, entry: DatasetEntry, found: Sums, names: set[str]) -> None:
        told = entry.sums["exported"]
        for name in ("input_tokens", "output_tokens"):
            if name in names and getattr(found, name) != getattr(told, name):
                self.problems.append(f"{dataset}: {name}: {getattr(found, name):,} against {getattr(told, name):,}")
        tolerance = COST_TOLERANCE * found.cost_scale
        if "cost_usd" in names and not abs(found.cost_usd - told.cost_usd) <= tolerance:
            self.problems.append(f"{dataset}: cost_usd: {found.cost_usd!r} against {told.cost_usd!r}")

    def _compare(self, part: Part, what: str, found: object, told: object) -> None:
        if found != told:
            self._tell(part, f"has {what} {found} instead of {told}")

    def _tell(self, part: Part, how: str) -> None:
        self.problems.append(f"{part.key} {how}")
