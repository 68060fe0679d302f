"""The overlap guard: no two published windows of an export share an instant (contract 3, protocol 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bifrost_export.destinations.continuity import Former, source_of
from bifrost_export.destinations.object_store.manifest_reader import LONGEST, Current, read_manifest
from bifrost_export.errors import ForeignManifestError, OverlapError, WindowError
from bifrost_export.window import Window

if TYPE_CHECKING:
    from bifrost_export.destinations.object_store.keys import Keys
    from bifrost_export.destinations.object_store.port import ObjectStore

FEW = 4
"""So many manifests are read one after the other."""
READERS = 8
"""Manifests that are read at the same time when there are many: a year of hours has 8,760."""


def _unheard(message: str) -> None:
    """Nobody listens."""


def overlapping(store: ObjectStore, keys: Keys, tell: Callable[[str], None] = _unheard) -> list[tuple[Window, Current]]:
    """Published windows that share an instant with this one without being equal to it."""
    mine = keys.target.window
    return [pair for pair in live(store, keys, mine.overlaps, tell) if pair[0] != mine]


def live(
    store: ObjectStore, keys: Keys, is_wanted: Callable[[Window], bool], tell: Callable[[str], None] = _unheard
) -> list[tuple[Window, Current]]:
    """The export's published windows with their manifests, in order: none that is withdrawn, replaced or foreign.

    Args:
        store: Where they are.
        keys: The names of a run of the export.
        is_wanted: Says whether a window matters, before its manifest is read.
        tell: Told what is passed over.
    """
    named = {key: window for key in store.list(keys.manifests) if (window := keys.window_of_manifest(key))}
    wanted = [key for key, window in named.items() if is_wanted(window)]
    found = []
    for each in _read_all(store, wanted):
        if isinstance(each, ForeignManifestError):
            tell(f"{each.message}; it is passed over")
        elif each is not None and not each.manifest.withdrawn:
            found.append(each)
    # A window that a live manifest replaces counts as gone, whether or not it has been deleted yet.
    gone = {
        key
        for each in found
        for key in each.manifest.replaces
        if key in named and key != each.key and named[each.key].covers(named[key])
    }
    return sorted(((named[each.key], each) for each in found if each.key not in gone), key=lambda pair: pair[0])


def _read_all(store: ObjectStore, keys: list[str]) -> Iterator[Current | ForeignManifestError | None]:
    def read(key: str) -> Current | ForeignManifestError | None:
        try:
            return read_manifest(store, key)
        except ForeignManifestError as error:
            return error

    if len(keys) <= FEW:
        yield from map(read, keys)
        return
    with ThreadPoolExecutor(READERS) as pool:
        yield from pool.map(read, keys)


def guard(
    store: ObjectStore, keys: Keys, *, replace_overlapping: bool, tell: Callable[[str], None] = _unheard
) -> list[Current]:
    """The published windows that this one replaces.

    Raises:
        OverlapError: A published window overlaps and may not be replaced.
        WindowError: The window is longer than any that is exported.
    """
    mine = keys.target.window
    if mine.end - mine.start > LONGEST:
        raise WindowError(
            f"the window {mine} of {keys.target.export!r} is longer than {LONGEST.days:,} days",
            allowed="windows of up to ten years",
            hint="Export it in several windows.",
        )
    covered = []
    for window, current in overlapping(store, keys, tell):
        refuse_overlap(mine, window, keys.target.export, replace_overlapping=replace_overlapping)
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
