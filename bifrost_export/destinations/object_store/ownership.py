"""What of a store is this export's, so that it may be deleted, or read: never what a manifest alone says.

A key is ours when it lies below the export's root, has the exact name of a file of this export, of this window or of
one that the window covers, and stands in the folder that a prefix with this root gives.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bifrost_export.destinations.object_store.manifest_reader import read_manifest
from bifrost_export.destinations.object_store.port import DeletionRefusedError
from bifrost_export.errors import DestinationError, ForeignManifestError

if TYPE_CHECKING:
    from bifrost_export.destinations.object_store.keys import Keys, Owned
    from bifrost_export.destinations.object_store.manifest import Manifest
    from bifrost_export.destinations.object_store.port import ObjectStore
    from bifrost_export.window import Window

FILES = ("part", "rejected")
"""The kinds of what a manifest publishes."""
EVERY = (*FILES, "manifest")
"""The kinds of what a manifest may replace."""
TOLD = 20
"""So many foreign keys of one manifest are told by name."""


def below(root: str, key: str) -> str | None:
    """A key without the root that it lies below, or None where it leaves it."""
    inner = key.removeprefix(root)
    if not key.startswith(root) or "\\" in inner or any(each in ("", ".", "..") for each in inner.split("/")):
        return None
    return inner


def is_file_of(keys: Keys, key: str, kinds: tuple[str, ...]) -> bool:
    """Whether a key has the name of a file of that very window, somewhere below the root."""
    inner = below(keys.root, key)
    owned = None if inner is None else keys.owner_of(inner)
    return owned is not None and owned.kind in kinds and owned.window == keys.target.window


@dataclass
class Ownership:
    """Deletes what is this export's, and tells what isn't, each once.

    Args:
        store: The object store.
        keys: The names of the run.
        address: Turns a key into what people write.
        warnings: What was told.
    """

    store: ObjectStore
    keys: Keys
    address: Callable[[str], str]
    warnings: list[str] = field(default_factory=list)
    _known: dict[Window, bool] = field(default_factory=dict, init=False)

    def warn(self, message: str) -> None:
        """Tell something once."""
        if message not in self.warnings:
            self.warnings.append(message)

    def published_by(self, manifest: Manifest, key: str) -> list[str]:
        """The files that a manifest publishes and that are ours."""
        return self._ours(manifest.keys(), FILES, key)

    def replaced_by(self, manifest: Manifest, key: str) -> list[str]:
        """What a manifest replaces and that is ours."""
        return self._ours(manifest.replaces, EVERY, key)

    def _ours(self, named: Iterable[str], kinds: tuple[str, ...], manifest: str) -> list[str]:
        ours: list[str] = []
        others: list[str] = []
        for key in dict.fromkeys(named):
            (ours if self.is_ours(key, kinds) else others).append(key)
        for key in others[:TOLD]:
            self.warn(
                f"{self.address(manifest)} names {self.address(key)}, which is no file of this export's window"
                " at its place: it stays, and is not read"
            )
        if len(others) > TOLD:
            self.warn(f"{self.address(manifest)} names {len(others) - TOLD:,} more such keys: they stay")
        return ours

    def is_ours(self, key: str, kinds: tuple[str, ...] = FILES) -> bool:
        """Whether a key is a file of this export's window, or of one that it covers."""
        inner = below(self.keys.root, key)
        owned = None if inner is None else self.keys.owner_of(inner)
        if owned is None or owned.kind not in kinds or not self._is_replaceable(owned.window):
            return False
        if owned.kind == "manifest":
            return owned.window != self.keys.target.window
        return owned.kind == "rejected" or self._stands_right(owned)

    def _is_replaceable(self, window: Window) -> bool:
        """Whether a window is this one, or one that it covers and whose manifest, if any stands there, is one."""
        mine = self.keys.target.window
        if window == mine or not mine.covers(window):
            return window == mine
        if window not in self._known:
            try:
                read_manifest(self.store, self.keys.of_window(window).manifest)
                self._known[window] = True
            except ForeignManifestError:
                self._known[window] = False
        return self._known[window]

    def _stands_right(self, owned: Owned) -> bool:
        """Whether a part's folder is one that a prefix with this root gives for its window."""
        dataset = owned.dataset or ""
        if dataset not in self.keys.target.every_dataset:
            return False
        keys = self.keys.of_window(owned.window)
        if self.keys.root + owned.folder == keys.folder(dataset):
            return True
        # The prefix has changed below its root: its first folder holds a placeholder, or is the dataset's own.
        first, *_ = owned.folder.split("/")
        if first.startswith("_") or not _tells(first, keys, dataset):
            return False
        return not self._is_nested(owned)

    def _is_nested(self, owned: Owned) -> bool:
        """Whether a part lies below another root, whose own manifest stands there: a copied tree, a neighbour."""
        folders = owned.folder.removesuffix("/").split("/")
        window = owned.window.name
        for depth in range(1, len(folders) + 1):
            root = f"{self.keys.root}{'/'.join(folders[:depth])}/"
            try:
                if self.store.head(f"{root}_manifests/{self.keys.target.export}/{window}.json") is not None:
                    return True
            except DestinationError:  # without the right to look nobody knows
                return True
        return False

    def delete(self, keys: Iterable[str]) -> None:
        """Delete keys that are known to be ours; one that the store keeps is told."""
        for key in dict.fromkeys(keys):
            try:
                self.store.delete(key)
            except DeletionRefusedError as error:
                self.warn(f"{self.address(key)} could not be deleted ({error}); the next run tries again")

    def abort(self, key: str, upload: str) -> None:
        """Take an unfinished upload away; one that the store keeps is told."""
        try:
            self.store.abort(key, upload)
        except (DeletionRefusedError, DestinationError) as error:
            self.warn(f"an unfinished upload of {self.address(key)} could not be taken away ({error})")


def _tells(folder: str, keys: Keys, dataset: str) -> bool:
    """Whether a placeholder's value stands in a folder's name; another timezone shifts a date by a day at most."""
    start = keys.target.window.start
    around = (-1, 0, 1) if 1 < start.year < 9999 else (0,)
    days = [start + dt.timedelta(days=each) for each in around]
    if any(text in folder for day in days for text in (f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}")):
        return True
    words = "|".join(map(re.escape, (dataset, keys.target.export)))
    return re.search(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", folder) is not None
