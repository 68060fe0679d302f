"""The overlap guard: no two published windows of an export share an instant (contract 3, protocol 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifrost_export.destinations.continuity import Former, source_of
from bifrost_export.destinations.manifest import Manifest
from bifrost_export.errors import DestinationError, OverlapError
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.destinations.keys import Keys
    from bifrost_export.destinations.store import ObjectStore

FEW = 4
"""So many manifests are read one after the other."""
READERS = 8
"""Manifests that are read at the same time when there are many: a year of hours has 8,760."""


@dataclass(frozen=True)
class Current:
    """A manifest as it stands in the store."""

    key: str
    manifest: Manifest
    version: str


def read_manifest(store: ObjectStore, key: str) -> Current | None:
    """The manifest of that key with its version, or None.

    Raises:
        DestinationError: There is one, but it is no manifest of this version.
    """
    found = store.get(key)
    if found is None:
        return None
    try:
        return Current(key, Manifest.model_validate_json(found[0], strict=False), found[1])
    except ValueError as error:
        raise DestinationError(
            f"{key} is not a manifest that this version can read ({type(error).__name__})",
            allowed="a manifest of version 1",
            hint="Move it away if something else wrote it, then clear from plan.",
        ) from None


def overlapping(store: ObjectStore, keys: Keys) -> list[tuple[Window, Current]]:
    """Published windows that share an instant with this one without being equal to it."""
    mine = keys.target.window
    return [pair for pair in live(store, keys, mine.overlaps) if pair[0] != mine]


def live(store: ObjectStore, keys: Keys, is_wanted: Callable[[Window], bool]) -> list[tuple[Window, Current]]:
    """The export's published windows with their manifests, in order: none that is withdrawn or replaced.

    Args:
        store: Where they are.
        keys: The names of a run of the export.
        is_wanted: Says whether a window matters, before its manifest is read.

    Raises:
        DestinationError: A manifest can't be read.
    """
    named = {key: window for key in store.list(keys.manifests) if (window := keys.window_of_manifest(key))}
    wanted = [key for key, window in named.items() if is_wanted(window)]
    found = [each for each in _read_all(store, wanted) if each is not None and not each.manifest.withdrawn]
    # A window that a live manifest replaces counts as gone, whether or not it has been deleted yet.
    gone = {key for each in found for key in each.manifest.replaces}
    return sorted(((named[each.key], each) for each in found if each.key not in gone), key=lambda pair: pair[0])


def _read_all(store: ObjectStore, keys: list[str]) -> Iterator[Current | None]:
    if len(keys) <= FEW:
        yield from (read_manifest(store, key) for key in keys)
        return
    with ThreadPoolExecutor(READERS) as pool:
        yield from pool.map(lambda key: read_manifest(store, key), keys)


def guard(store: ObjectStore, keys: Keys, *, replace_overlapping: bool) -> list[Current]:
    """The published windows that this one replaces.

    Raises:
        OverlapError: A published window overlaps and may not be replaced.
    """
    covered = []
    for window, current in overlapping(store, keys):
        refuse_overlap(keys.target.window, window, keys.target.export, replace_overlapping=replace_overlapping)
        covered.append(current)
    return covered


def formers(manifests: Iterable[Current | None]) -> list[Former]:
    """Return the published windows of some manifests; a withdrawn one counts as none."""
    found = [each.manifest for each in manifests if each is not None and not each.manifest.withdrawn]
    return [
        Former(Window.from_json(each.window.model_dump()), source_of(each.model_dump(by_alias=True))) for each in found
    ]


def refuse_overlap(window: Window, published: Window, export: str, *, replace_overlapping: bool) -> None:
    """Refuse a window that overlaps a published one, unless it covers and may replace it.

    Raises:
        OverlapError: The published window may not be replaced.
    """
    if not replace_overlapping:
        raise OverlapError(
            f"the window {window} overlaps the published window {published} of {export!r}",
            allowed="a window that is published already, or one that overlaps none",
            hint="Export that window instead, or set replace_overlapping to replace windows that this one covers.",
        )
    if not window.covers(published):
        raise OverlapError(
            f"the window {window} does not cover the published window {published} of {export!r}, so it can't replace"
            " it",
            allowed="a window that covers every published window that it overlaps",
            hint=f"Widen the window so that it holds {published}.",
        )
