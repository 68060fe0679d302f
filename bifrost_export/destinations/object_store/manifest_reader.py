"""Read manifests as what anybody may have put there: bounded, and judged by their own name before they are believed.

A manifest is a hint, never an order (protocol, section 4, "Deleting").
"""

from __future__ import annotations

import datetime as dt
import math
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.object_store.manifest import Manifest
from bifrost_export.destinations.object_store.port import MOST, TooLargeError
from bifrost_export.errors import ForeignManifestError, WindowError
from bifrost_export.window import Window, parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bifrost_export.destinations.object_store.port import ObjectStore

VALUES = 2_000_000
"""Values in the largest manifest that is read: one of 10,000 parts that replaces as many has 300,000."""
SMALL = 1024 * 1024
"""Bytes up to which manifests are read side by side."""
LONGEST = dt.timedelta(days=3660)
"""The longest window that is exported, and that a manifest is believed."""
AHEAD = dt.timedelta(days=366)
"""How far a window may reach beyond the run that exports it."""
HINT = "Move it away if something else wrote it there, or install the version that wrote it; then clear from plan."

_NAME = re.compile(r"(?:.*/)?_manifests/([^/]+)/([^/]+)\.json", re.DOTALL)
_one_large = threading.Lock()


@dataclass(frozen=True)
class Current:
    """A manifest as it stands in the store."""

    key: str
    manifest: Manifest
    version: str


def read_manifest(store: ObjectStore, key: str) -> Current | None:
    """The manifest of that key with its version, or None.

    Raises:
        ForeignManifestError: There is something, but it is no manifest of the export and window that the key names.
    """
    try:
        found = store.get(key, MOST)
    except TooLargeError as error:
        raise foreign(key, f"it has {error.size:,} bytes, and at most {MOST:,} are read") from None
    if found is None:
        return None
    return Current(key, judged(key, found[0]), found[1])


def judged(key: str, data: bytes) -> Manifest:
    """The manifest that these bytes are, if they are the one that the key names.

    Raises:
        ForeignManifestError: They aren't.
    """
    manifest = parsed(key, data)
    reason = next(_faults(key, manifest), None)
    if reason is not None:
        raise foreign(key, reason)
    return manifest


def parsed(key: str, data: bytes) -> Manifest:
    """The manifest that these bytes are, whichever.

    Raises:
        ForeignManifestError: They are none.
    """
    if len(data) > MOST:
        raise foreign(key, f"it has {len(data):,} bytes, and at most {MOST:,} are read")
    # A value takes up to a hundred times its bytes in memory.
    values = sum(data.count(each) for each in (b",", b"[", b"{"))
    if values > VALUES:
        raise foreign(key, f"it holds {values:,} values, and at most {VALUES:,} are read")
    if len(data) <= SMALL:
        return _parsed(key, data)
    with _one_large:
        return _parsed(key, data)


def _parsed(key: str, data: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(data, strict=False)
    except (ValueError, RecursionError):
        raise ForeignManifestError(
            f"{key} is no manifest of version 1", allowed="a manifest that this version can read", hint=HINT
        ) from None
    if not all(map(_is_plain, _numbers(manifest.model_dump(exclude={"source", "former"})))):
        raise foreign(key, "it holds a number that no export counts to")
    return manifest


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield value


def _is_plain(number: float) -> bool:
    return -(2**63) < number < 2**63 if isinstance(number, int) else math.isfinite(number)


def _faults(key: str, manifest: Manifest) -> Iterator[str]:
    """Why a manifest isn't the one that its key names."""
    match = _NAME.fullmatch(key)
    if match is None:
        yield "its key is no manifest's"
        return
    if manifest.export != match[1]:
        yield f"it is of the export {manifest.export!r}, and its key names {match[1]!r}"
    try:
        window = Window.from_json(manifest.window.model_dump())
    except (WindowError, OverflowError):
        yield "its window can't be read"
        return
    if window.name != match[2]:
        yield f"it is of the window {window}, and its key names {match[2]!r}"
    if (reason := beyond(window, manifest.export_timestamp)) is not None:
        yield reason


def beyond(window: Window, export_timestamp: str) -> str | None:
    """Why no run can have published a window, or None."""
    if window.end - window.start > LONGEST:
        return f"its window {window} is longer than {LONGEST.days:,} days"
    try:
        ahead = window.end - parse_instant(export_timestamp) > AHEAD
    except (WindowError, OverflowError):
        return "its export_timestamp is no time"
    if ahead:
        return f"its window {window} ends more than {AHEAD.days} days after the run that exported it"
    return None


def foreign(key: str, reason: str) -> ForeignManifestError:
    """The error of a manifest that is none of the export's."""
    return ForeignManifestError(
        f"{key} is not this export's manifest: {reason}", allowed="the manifest that its key names", hint=HINT
    )
