"""Runs of a warehouse in miniature, for its contract: planned, loaded and published, each by one word."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from bifrost_export.destinations.continuity import Consent, check, source_of
from bifrost_export.destinations.port import Draft, Landed, Outcome, Piece, Target
from bifrost_export.testing.payload_counts import counted
from bifrost_export.window import Window, rfc3339

LOG_ROWS = 1_000
"""Log rows of a window, unless a run says otherwise: what they became differs from run to run."""

DAY = Window.parse("2026-03-01", "2026-03-02")
ONE_MORE = "one_more"
"""The column by which a table is widened."""
WITHOUT_MORE = "without"
"""The id of a row that has null in it."""

_TOKENS = (f"{number:08x}" for number in itertools.count(0xA0000001))


@dataclass(frozen=True)
class Column:
    """A column of the rows."""

    name: str
    type: str
    required: bool
    description: str = "A column of the contract's rows; it's \"quoted\" for 100%."


def columns(**types: str) -> tuple[Column, ...]:
    """The columns of the rows, with other types where some are given."""
    named = (
        ("timestamp", "timestamp", True),
        ("request_id", "string", True),
        ("provider", "string", True),
        ("status_code", "int32", True),
        ("input_tokens", "int32", False),
        ("output_tokens", "int32", False),
        ("cost_usd", "double", False),
    )
    return tuple(Column(name, types.get(name, type_), required) for name, type_, required in named)


def widened() -> tuple[Column, ...]:
    """The columns with one more."""
    return (*columns(), Column(ONE_MORE, "string", False))


@dataclass
class Run:
    """One run against a warehouse: planned when made, loaded and published when told."""

    place: Place
    window: Window
    export: str = "nightly"
    columns: tuple[Column, ...] = field(default_factory=columns)
    replace_overlapping: bool = False
    consent: Consent = field(default_factory=Consent)
    log_rows: int = LOG_ROWS
    log_store: dict[str, Any] = field(default_factory=lambda: {"type": "sqlite", "path": "logs.db"})
    payloads: tuple[int, int] = (0, 0)
    is_older: bool = False
    token: str = field(default_factory=lambda: next(_TOKENS))

    def __post_init__(self) -> None:
        """Do what `plan` does, but for its guard."""
        target = Target(
            self.export,
            self.window,
            self.token,
            "UTC",
            ("request_logs",),
            ".parquet",
            "application/vnd.apache.parquet",
            {"request_logs": self.columns},
        )
        self.destination = self.place.open(target)
        self.seen = self.destination.look().version
        self.pieces: list[tuple[str | None, Landed, int]] = []

    def load(self, *parts: list[str], rejected: int = 0) -> Run:
        """Do what `load` does, with the ids of each part's rows."""
        self.pieces = []
        for number, ids in enumerate(parts, start=1):
            landed = self.destination.load(Piece("request_logs", number, len(parts), self._writer(ids)))
            self.pieces.append(("request_logs", landed, len(ids)))
        if rejected:
            landed = self.destination.load(Piece(None, 1, 1, _rejecter(rejected)))
            self.pieces.append((None, landed, rejected))
        return self

    def _writer(self, ids: list[str]) -> Callable[[BinaryIO], int]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {"timestamp": pa.timestamp("us", tz="UTC"), "string": pa.string(), "int32": pa.int32()}
        types["double"] = pa.float64()
        schema = pa.schema([pa.field(each.name, types[each.type], nullable=not each.required) for each in self.columns])
        rows = [{each.name: self._value(each, number, id_) for each in self.columns} for number, id_ in enumerate(ids)]

        def write(sink: BinaryIO) -> int:
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="snappy")
            return len(rows)

        return write

    def _value(self, column: Column, number: int, id_: str) -> Any:
        if column.name == ONE_MORE:
            return None if id_ == WITHOUT_MORE else f"more of {id_}"
        values: dict[str, Any] = {
            "timestamp": self.window.start + dt.timedelta(microseconds=number),
            "request_id": id_,
            "provider": "",
            "status_code": 200,
            "input_tokens": 10,
            "output_tokens": None,
            "cost_usd": 0.25,
        }
        value = values[column.name]
        return str(value) if column.type == "string" and value is not None else value

    def publish(self) -> Outcome:
        """Do what `publish` does."""
        landed = tuple(each for _, each, _ in self.pieces)
        draft = Draft(self.body(), landed, self.seen, self.replace_overlapping, self.consent)
        outcome: Outcome = self.destination.publish(draft)
        return outcome

    def check_source(self) -> None:
        """Do what `plan` does before any row moves."""
        formers = self.destination.guard(replace_overlapping=self.replace_overlapping)
        check(self.window, self.export, formers, source_of(self.body()), self.consent)

    def clean_up(self) -> None:
        """Do what `clean_up` does."""
        self.destination.clean_up(dt.timedelta(days=7))

    def body(self) -> dict[str, Any]:
        """The manifest's fields as the pipeline gives them."""
        parts = [self._part(*piece) for piece in self.pieces if piece[0] is not None]
        rejected = next((self._part(*piece) for piece in self.pieces if piece[0] is None), None)
        rows = sum(part["rows"] for part in parts)
        offloaded, payloads = counted(*self.payloads)
        sums = {"input_tokens": 10 * rows, "output_tokens": 0, "cost_usd": 0.25 * rows}
        described = [{"name": each.name, "type": each.type, "required": each.required} for each in self.columns]
        entry = {
            "schema": {"version": "1", "columns": described},
            "source": self.log_rows,
            "filtered": self.log_rows - rows,
            "filtered_by": {},
            "rejected": rejected["rows"] if rejected else 0,
            "kept": rows,
            "exported": rows,
            "sums": {"source": sums, "filtered": sums, "exported": sums},
            "blanked": {},
            "repaired": {},
            "parts": parts,
            **({} if self.is_older else {"offloaded": offloaded}),
        }
        later = {
            "window_rows": {"logs": self.log_rows, "mcp_tool_logs": None},
            "mcp": None,
            "payloads": payloads,
        }
        return {
            "export": self.export,
            "window": self.window.to_json(),
            "timezone": "UTC",
            "run_id": "contract",
            "export_timestamp": "2026-03-05T00:30:00Z",
            "package": {"name": "bifrost-export", "version": "0"},
            "config_hash": "0",
            "source": self.log_store,
            "format": "parquet",
            "compression": "snappy",
            "unsettled": 0,
            "unplaced": 0,
            "datasets": {"request_logs": entry},
            "rejected": rejected,
            **({} if self.is_older else later),
        }

    def _part(self, dataset: str | None, landed: Landed, rows: int) -> dict[str, Any]:
        ends = (self.window.start, self.window.start + dt.timedelta(microseconds=max(0, rows - 1)))
        told = {"key": landed.key, "rows": landed.rows, "bytes": landed.bytes, "sha256": landed.sha256}
        times = {"min_timestamp": rfc3339(ends[0]), "max_timestamp": rfc3339(ends[1])}
        return {**told, **(times if dataset else dict.fromkeys(times))}


def _rejecter(rows: int) -> Callable[[BinaryIO], int]:
    told = {"dataset": "request_logs", "column": "timestamp", "reason": "can't be read as a time", "value_type": "text"}

    def write(sink: BinaryIO) -> int:
        with gzip.GzipFile(filename="", mode="wb", fileobj=sink, mtime=0) as packed:
            for number in range(rows):
                line = {**told, "request_id": f"bad-{number}", "value_length": 9}
                packed.write(json.dumps(line).encode() + b"\n")
        return rows

    return write


@dataclass
class Place:
    """An empty schema, as the place of many runs.

    Args:
        open: Opens the destination for a run.
        query: The rows that SQL gives, as texts, asked beside the destination; `{table}` stands before a table.
        staged: What is staged.
        lose_commit: Lets the answer to the next COMMIT be lost.
        hand_made: Makes a table `request_logs` by hand, its columns in another order and one more among them.
        comments: The comments of a table's columns, by the column's name in lower case.
    """

    open: Callable[[Target], Any]
    query: Callable[[str], list[list[str]]]
    staged: Callable[[], list[str]]
    lose_commit: Callable[[], None]
    hand_made: Callable[[], None]
    comments: Callable[[str], dict[str, str]]
    tokens: list[str] = field(default_factory=list)

    def run(self, window: Window = DAY, **changes: Any) -> Run:
        """Plan a run: it sees what is published now."""
        return Run(self, window, **changes)

    def rows(self, table: str = "request_logs") -> dict[str, list[str]]:
        """The ids of a table's rows by export and window's start, in order."""
        found: dict[str, list[str]] = {}
        # The order and the words are everybody's SQL.
        for export, start, request in self.query(
            f"SELECT _export_name, _window_start, request_id FROM {{}}.{table} ORDER BY 1, 2, 3"  # noqa: S608
        ):
            found.setdefault(f"{export} {start[:19]}", []).append(request)
        return found

    def books(self) -> list[tuple[str, str, int, int]]:
        """The live audit rows: export, window's start, revision, rows."""
        told = self.query(
            "SELECT export_name, window_start, revision, exported FROM {}.bifrost_export_loads"
            " WHERE kind = 'load' AND superseded_at IS NULL ORDER BY 1, 2"
        )
        return [(export, start[:19], int(revision), int(rows)) for export, start, revision, rows in told]
