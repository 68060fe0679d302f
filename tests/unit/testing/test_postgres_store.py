"""The tests' PostgreSQL: a server that runs for root too, and log stores that are cheap to make."""

from __future__ import annotations

import pytest

from bifrost_export.sample.postgres_tables import add_rows, literal
from demo.servers.postgres_server import PostgresServer, postgres_server


def test_the_newest_version_starts_stops_and_starts_again_with_its_data() -> None:
    """It asks for the password, and leaves no file behind."""
    with postgres_server(18) as server:
        server.psql("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('é')")
        server.stop()
        server.start()

        assert server.psql("SELECT word, split_part(version(), ' ', 2) FROM kept").startswith("é|18.")
        assert server.folder.stat().st_mode & 0o777 == 0o700
        log = (server.folder / "data" / "pg_hba.conf").read_text()
        assert "trust" not in [line.split()[-1] for line in log.splitlines() if line and line[0] != "#"]
    assert not server.folder.exists()


def test_a_log_store_is_a_copy_of_an_empty_one(postgres: PostgresServer, postgres_store: str) -> None:
    """With Bifrost's tables, and rows as they are given; what a row leaves out takes its default."""
    time = "2026-03-01 12:00:00.123456789+00:00"
    row = {"timestamp": time, "created_at": time, "object_type": "", "provider": "it's", "model": "ü😀", "status": "x"}
    assert add_rows(postgres_store, [{"id": "a", **row, "cost": float("nan")}, {"id": "b", **row}]) == 2

    dbname = postgres_store.rpartition("/")[2]
    found = postgres.psql(
        "SET TimeZone = 'UTC'; SELECT id, timestamp, provider, model, cost, fallback_index FROM logs", dbname
    )
    assert found.splitlines() == [
        "a|2026-03-01 12:00:00.123457+00|it's|ü😀|NaN|0",
        "b|2026-03-01 12:00:00.123457+00|it's|ü😀||0",
    ]


def test_a_text_that_postgres_cant_hold_is_refused() -> None:
    """It would be cut at the NUL, without a word."""
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")
    with pytest.raises(UnicodeEncodeError):
        literal("\ud800")
