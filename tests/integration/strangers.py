"""What others have put beside the windows of the kill tests' export: no run deletes or changes any of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

DAY = "20260301T000000Z_20260302T000000Z"
WEEK = "20260301T000000Z_20260308T000000Z"
HALF = "20260301T120000Z_20260302T120000Z"
CENTURY = "20000101T000000Z_20990101T000000Z"
OWN = f"logs/_manifests/nightly/{DAY}.json"
_PART = f"nightly__request_logs__{DAY}__0badcafe__part-00001-of-00001.parquet"

STRANGERS: dict[str, bytes] = {
    **{
        key: f"of {key}".encode()
        for key in (
            f"prod/01/request_logs/{_PART}",
            f"prod/_manifests/nightly/{DAY}.json",
            f"logs/backup/request_logs/{_PART}",
            f"logs/copy-01/request_logs/{_PART}",
            f"logs/copy-01/_manifests/nightly/{DAY}.json",
            f"logs/01/request_logs/nightly2{_PART.removeprefix('nightly')}",
            f"logs/01/request_logs/{_PART.replace(DAY, WEEK)}",
            f"logs/01/request_logs/{_PART}.bak",
            f"logs/01/request_logs/{_PART.replace('0badcafe', '0BADCAFE')}",
            f"logs/_rejected/nightly2/{DAY}__0badcafe.jsonl.gz",
            f"logs/_rejected/nightly/{WEEK}__0badcafe.jsonl.gz",
            f"logs/_manifests/nightly2/{DAY}.json",
            "logs/_manifests/nightly/readme.json",
            "prices.csv",
        )
    },
    f"logs/_manifests/nightly/{HALF}.json": b"{}",
    f"logs/_manifests/nightly/{WEEK}.json": b"\xff\xfe no manifest",
    f"logs/_manifests/nightly/{CENTURY}.json": b"[" * 10_000,
}


def plant_strangers(folder: Path) -> None:
    """Put them below a folder."""
    for key, data in STRANGERS.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def tampered(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """A bucket's contents with the strangers, every one of which the published manifest says that it replaces."""
    manifest = json.loads(contents[OWN])
    manifest["replaces"] = [*manifest["replaces"], *STRANGERS, "../outside", "/etc/passwd"]
    return {**contents, **STRANGERS, OWN: json.dumps(manifest).encode()}


def without_strangers(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The contents but for the strangers, all of which have to be there, as they were put."""
    assert {key: contents.get(key) for key in STRANGERS} == STRANGERS
    return {key: data for key, data in contents.items() if key not in STRANGERS}
