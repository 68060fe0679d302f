"""The overlap guard: no two published windows of an export share an instant (contract 3, protocol 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifrost_export.destinations.manifest import Manifest
from bifrost_export.errors import DestinationError, OverlapError

if TYPE_CHECKING:
    from bifrost_export.destinations.keys import Keys
    from bifrost_export.destinations.store import ObjectStore
    from bifrost_export.window import Window


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
    found: list[tuple[Window, Current]] = []
    gone: set[str] = set()
    for key in store.list(keys.manifests):
        window = keys.window_of_manifest(key)
        if window is None or not window.overlaps(mine):
            continue
        current = read_manifest(store, key)
        if current is None or current.manifest.withdrawn:
            continue
        gone.update(current.manifest.replaces)
        if window != mine:
            found.append((window, current))
    # A window that a live manifest replaces counts as gone, whether or not it has been deleted yet.
    return sorted((pair for pair in found if pair[1].key not in gone), key=lambda pair: pair[0])


def guard(store: ObjectStore, keys: Keys, *, replace_overlapping: bool) -> list[Current]:
    """The published windows that this one replaces.

    Raises:
        OverlapError: A published window overlaps and may not be replaced.
    """
    covered = []
    for window, current in overlapping(store, keys):
        if not replace_overlapping:
            raise OverlapError(
                f"the window {keys.target.window} overlaps the published window {window} of {keys.target.export!r}",
                allowed="a window that is published already, or one that overlaps none",
                hint="Export that window instead, or set replace_overlapping to replace windows that this one covers.",
            )
        if not keys.target.window.covers(window):
            raise OverlapError(
                f"the window {keys.target.window} does not cover the published window {window}"
                f" of {keys.target.export!r}, so it can't replace it",
                allowed="a window that covers every published window that it overlaps",
                hint=f"Widen the window so that it holds {window}.",
            )
        covered.append(current)
    return covered
