"""`verify`: read a published window again, file by file, and compare it with its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.local.store import LocalStore
from bifrost_export.destinations.object_store.addresses import local_path, local_root, open_bucket
from bifrost_export.destinations.object_store.destination import ObjectStoreDestination
from bifrost_export.destinations.object_store.keys import Keys
from bifrost_export.destinations.object_store.manifest_reader import parsed
from bifrost_export.destinations.object_store.ownership import is_file_of
from bifrost_export.destinations.object_store.port import MOST, TooLargeError
from bifrost_export.destinations.overlap import live
from bifrost_export.destinations.port import Target
from bifrost_export.errors import ConfigError, ForeignManifestError, WindowError
from bifrost_export.pipeline.file_verification import Rereading, Verified
from bifrost_export.pipeline.plan import draft
from bifrost_export.pipeline.resources import open_destination
from bifrost_export.registry import DESTINATIONS
from bifrost_export.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.destinations.object_store.manifest import DatasetEntry, Manifest
    from bifrost_export.destinations.object_store.port import ObjectStore
    from bifrost_export.pipeline.runtime import Runtime

MANIFESTS = "_manifests"


def verify(runtime: Runtime, address: str, loaded: LoadedExport | None = None) -> Verified:
    """Compare the files of a published window with what its manifest says of them.

    Args:
        runtime: The surroundings.
        address: The manifest: a path, `file:///path`, `s3://bucket/key`, `gs://bucket/key`, one of Azure's;
            with an export also a key of its destination;
            of a warehouse what `run` tells in its place.
        loaded: A good export whose destination signs in; without it the cloud's default chain does.

    Raises:
        ConfigError: There is no such manifest, or the address is of no kind that can be read.
        DestinationError: The store can't be read.
    """
    if loaded is not None and DESTINATIONS.load(loaded.good.destination.type).is_table:
        return _of_tables(runtime, address, loaded)
    store, key = _of_address(address) if loaded is None else _of_export(runtime, address, loaded)
    try:
        found = store.get(key, MOST)
    except TooLargeError as error:
        return Verified((f"{address} is no manifest: it has {error.size:,} bytes, and at most {MOST:,} are read",))
    if found is None:
        raise ConfigError(f"there is no manifest {address}", hint="Give the address that `run` or `plan` tells.")
    rereading = Rereading(store)
    try:
        manifest = parsed(address, found[0])
    except ForeignManifestError as error:
        rereading.problems.append(error.message)
        return rereading.verified()
    rereading.problems += _of_another(key, manifest)
    if not rereading.problems:
        rereading.problems += _out_of_force(store, key, manifest)
    if not rereading.problems:
        rereading.problems += _contradictions(key, manifest)
        keys = _keys(_root(key), manifest)
        rereading.read(manifest, lambda named, kind: keys is None or is_file_of(keys, named, (kind,)))
    return rereading.verified()


def _of_tables(runtime: Runtime, address: str, loaded: LoadedExport) -> Verified:
    """Compare the rows of a window with its audit rows."""
    window = loaded.good.schedule.latest_settled(runtime.now())
    destination: Any = open_destination(runtime, draft(runtime, loaded, window, "verify"))
    problems, rows = destination.compare(address)
    return Verified(tuple(problems), rows=rows)


def _of_address(address: str) -> tuple[ObjectStore, str]:
    found = open_bucket(address)
    if found is not None:
        return found
    path = local_path(address)
    keys: list[str] = []
    try:
        data = LocalStore(path.parent).get(path.name, MOST)
        keys = parsed(address, data[0]).keys() if data is not None else []
    except (TooLargeError, ForeignManifestError):  # told when it is read for good
        keys = []
    root = local_root(path, keys)
    return LocalStore(root), path.relative_to(root).as_posix()


def _of_export(runtime: Runtime, address: str, loaded: LoadedExport) -> tuple[ObjectStore, str]:
    window = loaded.good.schedule.latest_settled(runtime.now())
    destination = open_destination(runtime, draft(runtime, loaded, window, "verify"))
    if not isinstance(destination, ObjectStoreDestination):
        raise ConfigError(
            f"the destination {loaded.good.destination.type} has no manifests", allowed="a destination of files"
        )
    return destination.store, destination.key_of(address)


def _root(key: str) -> str | None:
    """The root that a manifest's key tells: what stands before `_manifests/<export>/`; None where it tells none."""
    folders = key.split("/")
    if len(folders) < 3 or folders[-3] != MANIFESTS:
        return None
    return "".join(f"{folder}/" for folder in folders[:-3])


def _keys(root: str | None, manifest: Manifest) -> Keys | None:
    """The names of the run that a manifest tells of; None where its key tells no root, or its window is none."""
    if root is None:
        return None
    try:
        window = Window.from_json(manifest.window.model_dump())
    except WindowError:  # told as a contradiction
        return None
    target = Target(manifest.export, window, manifest.token, manifest.timezone, tuple(manifest.datasets), "", "")
    return Keys(root, target)


def _of_another(key: str, manifest: Manifest) -> Iterator[str]:
    """Where a manifest is of another export than its key names."""
    if _root(key) is not None and (named := key.split("/")[-2]) != manifest.export:
        yield f"the manifest is of the export {manifest.export!r}, and its key names {named!r}: it counts as foreign"


def _out_of_force(store: ObjectStore, key: str, manifest: Manifest) -> Iterator[str]:
    """Why a manifest counts as none, so that its files may be gone."""
    if manifest.withdrawn:
        yield "the window was withdrawn: it counts as not published"
    keys = _keys(_root(key), manifest)
    if keys is None or manifest.withdrawn:
        return
    for other, current in live(store, keys, keys.target.window.overlaps):
        if key in current.manifest.replaces and key != current.key:
            yield f"the window was replaced by {other}, published in {current.key}"


def _contradictions(key: str, manifest: Manifest) -> Iterator[str]:
    """Where a manifest does not agree with itself."""
    name = key.rpartition("/")[2]
    try:
        window = Window.from_json(manifest.window.model_dump())
    except WindowError as error:
        yield f"the manifest's window can't be read: {error}"
        return
    if name != f"{window.name}.json":
        yield f"the manifest {name} is of the window {window}"
    for dataset, entry in manifest.datasets.items():
        for told, left, right in _sums(entry):
            if left != right:
                yield f"{dataset}: {told}: {left:,} against {right:,}"
    for told, left, right in _calls(manifest):
        if left != right:
            yield f"tool calls: {told}: {left:,} against {right:,}"


def _calls(manifest: Manifest) -> Iterator[tuple[str, int, int]]:
    calls = manifest.mcp
    if calls is None:
        return
    yield "source against kept + filtered + rejected", calls.source, calls.kept + calls.filtered + calls.rejected
    yield "filtered against the sum over the rules", calls.filtered, sum(calls.filtered_by.values())


def _sums(entry: DatasetEntry) -> Iterator[tuple[str, int, int]]:
    yield "source against kept + filtered + rejected", entry.source, entry.kept + entry.filtered + entry.rejected
    yield "filtered against the sum over the rules", entry.filtered, sum(entry.filtered_by.values())
    yield "exported against the rows of the parts", entry.exported, sum(part.rows for part in entry.parts)
