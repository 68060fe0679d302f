"""Find the manifests of other exports below the same root: what a renamed export has left behind.

The result is only ever used for a warning. A bounded number of keys and manifests is read, and what can't be read is
skipped.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from bifrost_export.destinations.neighbours import MOST_EXPORTS, Neighbour, is_open
from bifrost_export.destinations.object_store.keys import Keys
from bifrost_export.destinations.object_store.manifest_reader import read_manifest
from bifrost_export.errors import BifrostExportError
from bifrost_export.window import merge

if TYPE_CHECKING:
    from bifrost_export.destinations.object_store.manifest import Manifest
    from bifrost_export.destinations.object_store.port import ObjectStore
    from bifrost_export.window import Window

MOST_KEYS = 20_000
"""Limit of keys listed below `_manifests/`."""
MOST_MANIFESTS = 3
"""Limit of manifests read for each export."""


def neighbours(store: ObjectStore, keys: Keys, window: Window, known: Container[str]) -> list[Neighbour]:
    """Return other exports that have published time of a window which this export has not.

    Args:
        store: Where the manifests are.
        keys: The names of a run of this export.
        window: The time to look at.
        known: Names of exports to skip.

    Raises:
        DestinationError: The store can't be listed.
    """
    by_export = _windows(store, keys)
    own = merge(by_export.pop(keys.target.export, {}).values())
    found = []
    for export, windows in islice(_wanted(by_export, window, own, known), MOST_EXPORTS):
        near = ((key, each) for key, each in windows.items() if is_open(each, window, own))
        for key, each in islice(near, MOST_MANIFESTS):
            manifest = _read(store, key)
            if manifest is not None and manifest.export == export:
                found.append(Neighbour(export, each, max(one.end for one in windows.values()), manifest.source))
                break
    return found


def _windows(store: ObjectStore, keys: Keys) -> dict[str, dict[str, Window]]:
    """The windows that the manifests' keys name, by export and key."""
    found: dict[str, dict[str, Window]] = {}
    folder = f"{keys.root}_manifests/"
    for key in islice(store.list(folder), MOST_KEYS):
        export, _, name = key.removeprefix(folder).partition("/")
        if name.endswith(".json"):
            window = Keys(keys.prefix, replace(keys.target, export=export)).window_of_manifest(key)
            if window is not None:
                found.setdefault(export, {})[key] = window
    return found


def _wanted(
    by_export: Mapping[str, dict[str, Window]], window: Window, own: Sequence[Window], known: Container[str]
) -> Iterator[tuple[str, dict[str, Window]]]:
    for export, windows in sorted(by_export.items()):
        if export not in known and any(is_open(each, window, own) for each in windows.values()):
            yield export, windows


def _read(store: ObjectStore, key: str) -> Manifest | None:
    """A manifest that counts; None for a withdrawn one, and for what can't be read."""
    try:
        current = read_manifest(store, key)
    except BifrostExportError:
        return None
    return current.manifest if current is not None and not current.manifest.withdrawn else None
