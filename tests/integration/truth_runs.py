"""What the tests of the truth share: a run over a store of Bifrost's own make, and how values are compared."""

from __future__ import annotations

import datetime as dt
import json
import math
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bifrost_export.logstore.columns import LOG_COLUMNS
from bifrost_export.pipeline.plan import PlanRequest
from bifrost_export.pipeline.run import run
from bifrost_export.pipeline.runtime import Runtime
from bifrost_export.window import UTC
from tests.bifrost_stores import WINDOW, Name, put_payloads, true_rows
from tests.independent import EPOCH, as_bytes, instant, micros, repaired
from tests.independent_contents import REQUEST, RESPONSE, payload
from tests.integration.exports import Export
from tests.servers.buckets import Buckets

ALL = ("request_logs", "response_logs", "error_logs", "metrics", "traces")
LATER = dt.datetime(2026, 12, 1, tzinfo=UTC)
KEYS = {"access_key_id": "AKIADEMO0000EXAMPLE0", "secret_access_key": "env.TRUTH_SECRET"}
HALF_A_MILLISECOND = 0.5 + 1e-6
OWN_TIMES = ("timestamp", "created_at")

UNKNOWABLE: dict[str, dict[str, str]] = {
    "error:cancelled_billed": {"status_code": "cancelled without a code: the client has gone, which is 499"},
}
"""Case -> columns that the row can't tell, and why."""
HIDDEN = "content logging was off, so that the row of a passthrough request has no params"
ZERO = "Bifrost recorded the code 0 and answered 200; an error with 0 counts as one without a code"
UNCOUNTED = "a usage of 0 tokens stands in `token_usage` alone, which is offloaded"
LOST = "the upload of the payload was lost, and with it what only the payload told"


@dataclass
class Comparison:
    """Counts what is compared, and keeps what differs."""

    compared: int = 0
    differing: list[str] = field(default_factory=list)
    unknowable: Counter[str] = field(default_factory=Counter)

    def value(self, case: str, name: str, found: object, expected: object, why: str | None = None) -> None:
        """Compare a value, unless there is a reason why it can't be known."""
        why = why or UNKNOWABLE.get(case, {}).get(name)
        if why:
            self.unknowable[f"{case} {name}: {why}"] += 1
            return
        self.compared += 1
        if found != expected:
            self.differing.append(f"{case} {name}: {found!r} instead of {expected!r}")

    def number(self, case: str, name: str, found: float | None, expected: float | None, within: float) -> None:
        """Compare numbers up to a difference."""
        same = None in (found, expected) and found == expected
        close = (
            found is not None and expected is not None and math.isclose(found, expected, rel_tol=1e-9, abs_tol=within)
        )
        self.value(case, name, same or close or (found, expected), True)

    def agrees(self, what: str) -> None:
        """Nothing differs; the counts are printed."""
        print(f"\n{what}: {self.compared:,} values compared, {len(self.differing)} differ")  # noqa: T201 (for the report)
        for reason, times in sorted(self.unknowable.items()):
            print(f"  {times} x unknowable: {reason}")  # noqa: T201
        assert self.compared
        assert self.differing[:20] == []


@dataclass
class Exported:
    """One run over one store.

    Args:
        name: The store.
        rows: Each row of `logs` as it stands in SQLite, texts as bytes, by its id.
        datasets: The exported rows.
        result: What the run said.
        manifest: What it published.
        contents: Whether contents were asked for.
    """

    name: Name
    rows: dict[str, dict[str, Any]]
    datasets: dict[str, list[dict[str, Any]]]
    result: dict[str, Any]
    manifest: dict[str, Any]
    contents: bool

    def of_requests(self, dataset: str, key: str = "request_id") -> dict[str, dict[str, Any]]:
        """The rows of a dataset by their ids, which are all different."""
        found = {row[key]: row for row in self.datasets[dataset]}
        assert len(found) == len(self.datasets[dataset])
        return found

    def expected(self) -> dict[str, dict[str, Any]]:
        """The truth of each row of the window."""
        low, high = micros(WINDOW.start) * 1000, micros(WINDOW.end) * 1000
        return {name: row for name, row in true_rows(self.name).items() if low <= row["ns"] < high}

    def is_migrated(self, true: dict[str, Any]) -> bool:
        """Whether Bifrost's own migration has rewritten the row's time."""
        return self.name == "old" and true["case"] == "old"

    def text(self, value: str | None) -> str | None:
        """A text as this log store can hold it."""
        return value

    def is_uncounted(self, true: dict[str, Any]) -> str | None:
        """Why nobody can know whether no tokens were used, or none were counted."""
        is_zero = not true["input_tokens"] and not true["output_tokens"] and not true["total_tokens"]
        return UNCOUNTED if self.name == "hybrid" and is_zero and true["input_tokens"] is not None else None

    def is_lost(self, true: dict[str, Any]) -> str | None:
        """Why nobody can know what only a payload told."""
        row = self.rows[true["id"]]
        if true.get("content_hidden") and "path" in true:
            return HIDDEN
        is_lost = self.name == "hybrid" and not row["has_object"]
        return LOST if is_lost else None


def sqlite_rows(path: Path, table: str = "logs") -> list[dict[str, Any]]:
    """Every row, texts as bytes."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [as_bytes(each[0]).decode() for each in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def export(
    folder: Path, tables: dict[str, list[dict[str, Any]]], source: dict[str, Any], name: Name, contents: bool
) -> Exported:
    """Run all datasets over the two days, with every extra field."""
    data = {"include": list(ALL), "extra_fields": sorted(LOG_COLUMNS), "include_content": contents}
    nightly = Export(folder, folder / "none", {**data, "max_rejected": "1%"}, source=source)
    request = PlanRequest(str(nightly.document()), "nightly", WINDOW, "truth", force=True)
    result = run(Runtime(now=lambda: LATER), request)
    datasets = {
        dataset: [row for part in entry["parts"] for row in pq.read_table(nightly.out / part["key"]).to_pylist()]
        for dataset, entry in result["datasets"].items()
    }
    rows = {repaired(as_bytes(row["id"])): row for row in tables["logs"]}
    return Exported(name, rows, datasets, result, nightly.manifest(WINDOW), contents)


def in_postgres_form(row: dict[str, Any]) -> dict[str, Any]:
    """A row as Bifrost would have written it into PostgreSQL, which holds neither bad bytes nor a NUL."""
    found = {
        name: repaired(value).replace("\0", "") if isinstance(value, bytes) else value for name, value in row.items()
    }
    for name in OWN_TIMES:
        moment = instant(row[name])
        assert moment is not None
        found[name] = (EPOCH + dt.timedelta(microseconds=moment)).isoformat(" ")
    return found


def uploaded(buckets: Buckets) -> dict[str, Any]:
    """`object_storage` of the store whose payloads are offloaded."""
    bucket = buckets.make_bucket()
    assert put_payloads(buckets.client, bucket) > 1_000
    return {"type": "s3", "bucket": bucket, "region": "us-west-2", "endpoint": buckets.url, **KEYS}


def tables_of(path: Path) -> list[str]:
    """The tables that an export reads, as far as a store has them."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [name for name in ("logs", "mcp_tool_logs") if name in found]


def with_payload(row: dict[str, Any], objects: dict[str, bytes]) -> dict[str, Any]:
    """A row with what its payload says in place of what it has itself."""
    moment = instant(as_bytes(row["timestamp"]))
    assert moment is not None
    hour = (EPOCH + dt.timedelta(microseconds=moment)).strftime("%Y/%m/%d/%H")
    ending = f"/logs/{hour}/{repaired(as_bytes(row['id']))}.json.gz"
    stored = next((data for key, data in objects.items() if key.endswith(ending)), None)
    if not row["has_object"] or stored is None:
        return row
    told = payload(stored)
    return {**row, **{name: told[name] for name in (*REQUEST, *RESPONSE) if told.get(name)}}


def plain(value: object) -> object:
    """A value that can be compared."""
    return micros(value) if isinstance(value, dt.datetime) else value


def expected_of(value: Any, kind: str) -> object:
    """A column's value as an export has it."""
    if value is None:
        return None
    if kind == "timestamp":
        return instant(as_bytes(value))
    if kind == "string":
        return repaired(as_bytes(value))
    return {"double": float, "bool": bool, "int64": int}[kind](value)


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    """A span's attributes."""
    found: dict[str, Any] = json.loads(span["attributes"])
    return found


def is_bad(value: object) -> bool:
    """Whether a text has bytes that are no UTF-8."""
    try:
        as_bytes(value).decode()
    except UnicodeDecodeError:
        return True
    return False
