"""Runs of an object store's destination in miniature: what the contract's tests say in one line each."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, ClassVar

import pytest

from bifrost_export.destinations.continuity import Consent, check, source_of
from bifrost_export.destinations.object_store import port, upload_stream
from bifrost_export.destinations.object_store.destination import ObjectStoreDestination
from bifrost_export.destinations.port import Draft, Landed, Outcome, Piece, Target
from bifrost_export.testing.payload_counts import counted
from bifrost_export.window import Window

PREFIX = "daily/{year}/{month}/{day}/"
DAY = Window.parse("2026-03-01", "2026-03-02")
LOG_ROWS = 1_000
"""Log rows of a window, unless a run says otherwise: what they became differs from run to run."""
LOG_STORE = {"type": "sqlite", "path": "logs.db"}
TOKENS = (f"{number:08x}" for number in itertools.count(1))


def writer(data: bytes) -> Callable[[BinaryIO], int]:
    """Something that writes these bytes and calls them so many rows."""

    def write(sink: BinaryIO) -> int:
        sink.write(data)
        return len(data)

    return write


class SmallBlocks:
    """Tests of files that are stored in several blocks, with small ones."""

    block: ClassVar[int] = port.BLOCK
    """Bytes of a block, to save time: the least that the port takes."""

    @pytest.fixture(autouse=True)
    def _small_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(upload_stream, "BLOCK", self.block)


@dataclass
class Place:
    """One empty bucket or folder, as the place of many runs.

    Args:
        open: Opens the destination there, for a prefix and a run.
        prefix: The prefix of all its runs.
        strangers: What others have put there.
    """

    open: Callable[[str, Target], ObjectStoreDestination]
    prefix: str = PREFIX
    strangers: dict[str, bytes] = field(default_factory=dict)

    def run(self, window: Window = DAY, **changes: Any) -> Run:
        """Plan a run: it sees what is published now."""
        return Run(self, window, **changes)

    def _looking(self) -> Any:
        return self.open(self.prefix, target_of(DAY, "0" * 8)).store

    def contents(self) -> dict[str, bytes]:
        """Every object but locks and strangers, with its bytes."""
        found = self._looking()
        keys = (key for key in found.list("") if key not in self.strangers)
        return {key: read(found, key) for key in keys if not key.endswith(".lock")}

    def check_strangers(self) -> None:
        """Hold that what others have put there is as it was."""
        found = self._looking()
        missing = set(self.strangers) - set(found.list(""))
        assert not missing, missing
        assert {key: read(found, key) for key in self.strangers} == self.strangers

    def uploads(self) -> list[tuple[str, str]]:
        """Every unfinished upload."""
        return list(self._looking().list_uploads(""))

    def manifest(self, window: Window = DAY) -> dict[str, Any] | None:
        """The manifest of a window, or None."""
        destination = self.open(self.prefix, target_of(window, "0" * 8))
        found = destination.store.get(destination.keys.manifest)
        return None if found is None else dict(json.loads(found[0]))

    def check_whole(self, window: Window = DAY) -> None:
        """Hold that every file which the manifest names is there, with its bytes."""
        manifest, found = self.manifest(window), self._looking()
        files = [] if manifest is None else [part for each in manifest["datasets"].values() for part in each["parts"]]
        for part in files:
            if part["key"] in self.strangers:
                continue
            assert hashlib.sha256(read(found, part["key"])).hexdigest() == part["sha256"]


def manifest_key(window: Window) -> str:
    """Where the manifest of a window lies, below the usual prefix."""
    return f"daily/_manifests/nightly/{window.name}.json"


def target_of(window: Window, token: str) -> Target:
    """A run of the export `nightly`."""
    return Target("nightly", window, token, "UTC", ("request_logs",), ".parquet", "application/vnd.apache.parquet")


def read(place: Any, key: str) -> bytes:
    """An object's bytes."""
    with place.open(key) as stream:
        return bytes(stream.read())


@dataclass
class Run:
    """One run against the destination: planned when made, loaded and published when told."""

    place: Place
    window: Window
    token: str = field(default_factory=lambda: next(TOKENS))
    replace_overlapping: bool = False
    consent: Consent = field(default_factory=Consent)
    log_rows: int = LOG_ROWS
    log_store: dict[str, Any] = field(default_factory=lambda: LOG_STORE)
    payloads: tuple[int, int] = (0, 0)
    landed: tuple[Landed, ...] = ()

    def __post_init__(self) -> None:
        """Do what `plan` does."""
        self.destination = self.place.open(self.place.prefix, target_of(self.window, self.token))
        self.seen = self.destination.look().version

    def load(self, *parts: bytes, rejected: bytes = b"", digest: str | None = None) -> Run:
        """Do what `load` does; `digest` stands for that of all rows."""
        pieces = [
            Piece("request_logs", number, len(parts), writer(part), len(part))
            for number, part in enumerate(parts, start=1)
        ]
        if rejected:
            pieces.append(Piece(None, 1, 1, writer(rejected)))
        self.landed = tuple(replace(self.destination.load(piece), content_digest=digest) for piece in pieces)
        return self

    def publish(self) -> Outcome:
        """Do what `publish` does."""
        return self.destination.publish(
            Draft(self.body(), self.landed, self.seen, self.replace_overlapping, self.consent)
        )

    def body(self) -> dict[str, Any]:
        """The manifest's fields as the pipeline gives them."""
        body = manifest_body(self.window, self.landed, self.log_rows)
        body["datasets"]["request_logs"]["offloaded"], body["payloads"] = counted(*self.payloads)
        return {**body, "source": self.log_store, "window_rows": {"logs": self.log_rows, "mcp_tool_logs": None}}

    def check_source(self) -> None:
        """Do what `plan` does before any row moves."""
        formers = self.destination.guard(replace_overlapping=self.replace_overlapping)
        check(self.window, "nightly", formers, source_of(self.body()), self.consent)

    def keys(self) -> list[str]:
        """The keys that were loaded."""
        return [part.key for part in self.landed]


def manifest_body(window: Window, landed: tuple[Landed, ...], log_rows: int = LOG_ROWS) -> dict[str, Any]:
    """A manifest's fields as the pipeline gives them."""
    names = ("key", "rows", "bytes", "sha256", "content_digest")
    parts = [{name: getattr(each, name) for name in names} for each in landed]
    rejected = next((part for part in parts if "_rejected/" in str(part["key"])), None)
    files = [part for part in parts if part is not rejected]
    rows = sum(each.rows for each in landed if "_rejected/" not in each.key)
    sums = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}
    return {
        "export": "nightly",
        "window": window.to_json(),
        "timezone": "UTC",
        "run_id": "test",
        "export_timestamp": "2026-03-02T00:30:00Z",
        "package": {"name": "bifrost-export", "version": "0"},
        "config_hash": "0",
        "source": LOG_STORE,
        "format": "parquet",
        "compression": "zstd",
        "unsettled": 0,
        "unplaced": 0,
        "datasets": {
            "request_logs": {
                "schema": {"version": "1", "columns": []},
                "source": log_rows,
                "filtered": log_rows - rows,
                "filtered_by": {},
                "rejected": 0,
                "kept": rows,
                "exported": rows,
                "sums": {"source": sums, "filtered": sums, "exported": sums},
                "parts": files,
            }
        },
        "rejected": rejected,
    }


def tokens_in(contents: dict[str, bytes]) -> Iterator[str]:
    """The tokens that the names of parts and rejected files bear."""
    for key in contents:
        if "_manifests/" not in key:
            yield key.split("__")[-2] if "__part-" in key else key.split("__")[-1].split(".")[0]
