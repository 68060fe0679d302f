"""Log stores that code rebuilt from Bifrost's own sources has written, each with the truth of its rows.

They are kept beside the repository, in `shared/stores` of the nearest folder above it that has one, or in the folder
that `BIFROST_TEST_STORES` names; their README says how they were made. A clone that stands alone has none: then the
tests that need them are skipped, and say so.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from bifrost_export.window import Window

Name = Literal["current", "old", "hybrid"]

NAMES: tuple[Name, ...] = ("current", "old", "hybrid")
WINDOW = Window.parse("2026-11-20", "2026-11-22")
"""The two days that hold all rows but two at the edges."""
DAYS = (Window.parse("2026-11-20", "2026-11-21"), Window.parse("2026-11-21", "2026-11-22"))

VARIABLE = "BIFROST_TEST_STORES"
_ROOT = Path(__file__).parents[1]
_MARK = "current.db.gz"


def folder() -> Path:
    """The folder of the stores; skips the test where there is none.

    Raises:
        FileNotFoundError: `BIFROST_TEST_STORES` names a folder without them.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named, _MARK).is_file():
            raise FileNotFoundError(f"{VARIABLE} is {named}, where there is no {_MARK}")
        return Path(named)
    for parent in _ROOT.parents:
        if (found := parent / "shared" / "stores" / _MARK).is_file():
            return found.parent
    pytest.skip(f"there is no folder shared/stores above the repository, and {VARIABLE} names none")


def unpack(name: Name, to: Path) -> Path:
    """Unpack a store into a folder and return the path of its SQLite file, which the test may change."""
    path = to / f"{name}.db"
    path.write_bytes(gzip.decompress(folder().joinpath(f"{name}.db.gz").read_bytes()))
    return path


def truth(name: Name) -> dict[str, Any]:
    """What is true of a store; don't change it, all tests share it.

    `rows` and `mcp` are lists of objects, one a settled row or tool call; `<day>` and `both` say what Bifrost's own
    queries count.
    """
    return _truth(folder() / f"{name}.truth.json.gz")


@cache
def _truth(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def true_rows(name: Name) -> dict[str, dict[str, Any]]:
    """The truth of each settled row of `logs`, by its id."""
    return {row["id"]: row for row in truth(name)["rows"]}


def true_calls(name: Name) -> dict[str, dict[str, Any]]:
    """The truth of each settled row of `mcp_tool_logs`, by its `ID`."""
    return {row["ID"]: row for row in truth(name)["mcp"] or ()}


def payloads() -> dict[str, bytes]:
    """Every object of the `hybrid` store: its key, and its bytes as Bifrost uploads them."""
    packed = io.BytesIO(folder().joinpath("hybrid.objects.tar.gz").read_bytes())
    with tarfile.open(fileobj=packed) as archive:
        files = {
            Path(member.name).name: data.read()
            for member in archive
            if (data := archive.extractfile(member)) is not None
        }
    index = [json.loads(line) for line in files["index.jsonl"].decode().splitlines()]
    return {each["key"]: files[each["file"]] for each in index}


def put_payloads(client: Any, bucket: str) -> int:
    """Upload the objects of the `hybrid` store with a boto3 client, and return how many they are."""
    found = payloads()
    for key, data in found.items():
        client.put_object(Bucket=bucket, Key=key, Body=data)
    return len(found)
