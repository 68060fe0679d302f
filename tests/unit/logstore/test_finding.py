"""Requests are looked up by their ids: in both log stores, wherever they lie in time, as far as they can be read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bifrost_export.datasets import schema_of
from bifrost_export.logstore import lookup
from bifrost_export.logstore.adaptive_pieces import SlowError
from bifrost_export.logstore.lookup import find_requests
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.logstore.sqlite.config import SQLiteConfig
from bifrost_export.logstore.sqlite.store import SQLiteLogStore
from bifrost_export.sample import postgres_tables as in_postgres
from bifrost_export.sample.sqlite_tables import add_rows, create
from tests.servers.postgres import config_of
from tests.support.odd_rows import BASE

SCHEMA = schema_of("request_logs")
NOON = "2026-03-01 12:00:00+00:00"


def row(name: str, timestamp: str = NOON, **over: Any) -> dict[str, Any]:
    """A plain row."""
    return {**BASE, "id": name, "timestamp": timestamp, "created_at": timestamp, **over}


ROWS = [
    row("plain"),
    row("it's"),
    row("long ago", "2019-01-01 00:00:00+00:00"),
    row("running", status="processing"),
    row("rejected", status="of no kind"),
    row("not asked for"),
]
ASKED = ["plain", "it's", "long ago", "running", "rejected", "timeless", "unknown", "nul\0", "x" * 2_000]


def check(found: Any) -> None:
    """The three that can be read; of the others, those that are there."""
    assert sorted(found.rows.column("request_id").to_pylist()) == ["it's", "long ago", "plain"]
    assert found.rows.schema == SCHEMA
    assert found.others == {"running", "rejected", "timeless"}


@pytest.mark.parametrize("at_once", [2, 500])
def test_sqlite_finds_requests(tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are asked for at once."""
    monkeypatch.setattr(lookup, "AT_ONCE", at_once)
    create(tmp_path / "logs.db")
    add_rows(tmp_path / "logs.db", [*ROWS, row("timeless", "yesterday")])
    with closing(SQLiteLogStore(SQLiteConfig(path=str(tmp_path / "logs.db")))) as store:
        check(store.lookup(ASKED, SCHEMA))


def test_postgresql_finds_requests(postgres_store: str) -> None:
    """A time that is none of the calendar's stops no query."""
    add_to_postgres(postgres_store)
    with closing(PostgresLogStore(config_of(postgres_store))) as store:
        check(store.lookup(ASKED, SCHEMA))


def add_to_postgres(url: str) -> None:
    """The same rows."""
    in_postgres.add_rows(url, [*ROWS, row("timeless", "infinity", created_at=NOON)])


def test_a_slow_answer_is_asked_for_again_by_halves() -> None:
    """Down to one; when even that is slow, it is told."""
    asked: list[int] = []

    def ask(ids: list[str]) -> list[tuple[pa.RecordBatch, pa.RecordBatch]]:
        asked.append(len(ids))
        if len(ids) > 2:
            raise SlowError("slow")
        return []

    find_requests(ask, list("abcdefgh"), SCHEMA)
    assert asked == [8, 4, 2, 2, 4, 2, 2]

    def never(ids: list[str]) -> list[tuple[pa.RecordBatch, pa.RecordBatch]]:
        raise SlowError("slow")

    with pytest.raises(SlowError):
        find_requests(never, ["a", "b"], SCHEMA)
