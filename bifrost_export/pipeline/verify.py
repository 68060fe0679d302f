"""`verify`: read a published window again, file by file, and compare it with its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.addresses import local_path, local_root, open_bucket
from bifrost_export.destinations.keys import Keys
from bifrost_export.destinations.local_store import LocalStore
from bifrost_export.destinations.manifest import Manifest
from bifrost_export.destinations.object_store import ObjectStoreDestination
from bifrost_export.destinations.overlap import live
from bifrost_export.destinations.port import Target
from bifrost_export.errors import ConfigError, WindowError
from bifrost_export.pipeline.opening import open_destination
from bifrost_export.pipeline.plan import draft
from bifrost_export.pipeline.rereading import Rereading, Verified
from bifrost_export.registry import DESTINATIONS
from bifrost_export.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bifrost_export.config.documents import LoadedExport
    from bifrost_export.destinations.manifest import DatasetEntry
    from bifrost_export.destinations.store import ObjectStore
    from bifrost_export.pipeline.runtime import Runtime

MANIFESTS = "_manifests/"


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
    found = store.get(key)
    if found is None:
        raise ConfigError(f"there is no manifest {address}", hint="Give the address that `run` or `plan` tells.")
    rereading = Rereading(store)
    try:
        manifest = Manifest.model_validate_json(found[0], strict=False)
    except ValueError:
        rereading.problems.append(f"{address} is no manifest of version 1")
        return rereading.verified()
    rereading.problems += _out_of_force(store, key, manifest)
    if not rereading.problems:
        rereading.problems += _contradictions(key, manifest)
        rereading.read(manifest)
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
    data = LocalStore(path.parent).get(path.name)
    if data is not None:
        try:
            keys = Manifest.model_validate_json(data[0], strict=False).keys()
        except ValueError:  # told when it is read for good
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


def _out_of_force(store: ObjectStore, key: str, manifest: Manifest) -> Iterator[str]:
    """Why a manifest counts as none, so that its files may be gone."""
    if manifest.withdrawn:
        yield "the window was withdrawn: it counts as not published"
    root, marker, _ = key.rpartition(f"{MANIFESTS}{manifest.export}/")
    if not marker or manifest.withdrawn:
        return
    window = Window.from_json(manifest.window.model_dump())
    target = Target(manifest.export, window, manifest.token, manifest.timezone, tuple(manifest.datasets), "", "")
    for other, current in live(store, Keys(root, target), window.overlaps):
        if key in current.manifest.replaces:
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
