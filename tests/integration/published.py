"""What a destination holds, told so that two runs can be compared: tokens, times and revisions left out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from bifrost_export.destinations.object_store.keys import without_token

# The config's hash differs with the folder that an export writes to.
VOLATILE = ("config_hash", "token", "confirmed_by", "revision", "run_id", "export_timestamp", "replaces", "former")


def folder_contents(root: Any) -> dict[str, bytes]:
    """Every file below a folder but locks, temporary ones too."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def comparable(contents: Mapping[str, bytes]) -> dict[str, Any]:
    """The contents with every token blanked, and manifests without what differs from run to run."""
    told: dict[str, Any] = {}
    for key, data in contents.items():
        name = without_token(key)
        assert name not in told, f"two revisions of {name}"
        told[name] = _manifest(data) if "_manifests/" in key and key.endswith(".json") else data
    return told


def _manifest(data: bytes) -> dict[str, Any]:
    document = json.loads(data)
    for name in VOLATILE:
        document.pop(name, None)
    for part in _parts(document):
        part["key"] = without_token(part["key"])
    return document


def _parts(document: Any) -> list[dict[str, Any]]:
    parts = [part for dataset in document["datasets"].values() for part in dataset["parts"]]
    return [*parts, document["rejected"]] if document["rejected"] else parts


def stale(contents: Mapping[str, bytes]) -> list[str]:
    """Files that no manifest names."""
    named = set()
    for key, data in contents.items():
        if "_manifests/" in key:
            assert re.search(r"_manifests/[^/]+/[^/]+\.json$", key), key
            named |= {key, *(part["key"] for part in _parts(json.loads(data)))}
    return sorted(set(contents) - named)
