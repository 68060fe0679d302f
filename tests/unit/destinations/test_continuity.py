"""Log stores are told apart by the facts that both sides know, and rows are compared as they were counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.destinations.continuity import Consent, Former, Source, check, is_same_log_store
from bifrost_export.errors import ShrunkWindowError
from bifrost_export.window import Window

DAY = Window.parse("2026-03-01", "2026-03-02")
SQLITE = {"type": "sqlite", "path": "/data/logs.db"}
POSTGRES = {"type": "postgres", "host": "db.example.com", "port": 5432, "database": "bifrost", "schema": "public"}


@pytest.mark.parametrize(
    ("one", "changes", "same"),
    [
        (POSTGRES, {}, True),
        (POSTGRES, {"host": "DB.Example.com."}, True),
        (POSTGRES, {"port": "5432"}, True),
        (POSTGRES, {"schema": None}, True),
        (POSTGRES, {"user": "reader", "version": 16}, True),
        (POSTGRES, {"host": "db2.example.com"}, False),
        (POSTGRES, {"port": 5433}, False),
        (POSTGRES, {"database": "Bifrost"}, False),
        (POSTGRES, {"schema": "audit"}, False),
        ({**POSTGRES, "host": "localhost"}, {"host": "127.0.0.1"}, True),
        ({**POSTGRES, "host": "::1"}, {"host": "localhost"}, True),
        ({**POSTGRES, "host": "/run/a"}, {"host": "/run/A"}, False),
        ({**POSTGRES, "host": "/run/a"}, {"host": "localhost"}, False),
        (SQLITE, {"path": "/data/../data/./logs.db"}, True),
        (SQLITE, {"path": "/data/other.db"}, False),
        (SQLITE, {"path": "/data/Logs.db"}, False),
        (SQLITE, {"path": "/data/\0"}, False),
        (SQLITE, POSTGRES, False),
        ({}, SQLITE, True),
    ],
)
def test_log_stores_are_told_apart(one: dict[str, Any], changes: dict[str, Any], same: bool) -> None:
    """Either way round."""
    other = {**one, **changes}
    assert is_same_log_store(one, other) is same
    assert is_same_log_store(other, one) is same


def test_links_lead_to_the_same_file(tmp_path: Path) -> None:
    """A hard link is the same file, and so is a linked folder; a copy is another."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "logs.db").write_bytes(b"rows")
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    (tmp_path / "copy.db").write_bytes(b"rows")
    real = {"type": "sqlite", "path": str(tmp_path / "real" / "logs.db")}
    assert is_same_log_store(real, {"type": "sqlite", "path": str(tmp_path / "alias" / "logs.db")})
    assert not is_same_log_store(real, {"type": "sqlite", "path": str(tmp_path / "copy.db")})


counts = st.none() | st.integers(0, 20)


def source(logs: int | None, calls: int | None, more: int, *, is_older: bool) -> Source:
    """A source whose date_range read some rows beyond the window."""
    rows = {"logs": logs, "mcp_tool_logs": calls}
    window = {table: count for table, count in rows.items() if count is not None}
    return Source(SQLITE, {} if is_older else window, {table: count + more for table, count in window.items()})


@given(
    formers=st.lists(st.tuples(counts, counts, st.integers(0, 9), st.booleans()), max_size=3),
    now=st.tuples(counts, counts, st.integers(0, 9)),
)
def test_a_run_is_refused_exactly_when_a_table_that_both_read_has_fewer_rows(formers: Any, now: Any) -> None:
    """In the window where every former run counted it, else in all that was read."""
    found = [Former(DAY, source(*each[:3], is_older=each[3])) for each in formers]
    mine = source(*now, is_older=False)
    shrunk = False
    for place in (0, 1):
        known = [each for each in formers if each[place] is not None]
        if known and now[place] is not None:
            is_older = any(each[3] for each in known)
            then = sum(each[place] + (each[2] if is_older else 0) for each in known)
            shrunk |= now[place] + (now[2] if is_older else 0) < then

    def is_refused(consent: Consent) -> bool:
        try:
            check(DAY, "nightly", found, mine, consent)
        except ShrunkWindowError:
            return True
        return False

    assert is_refused(Consent()) is shrunk
    assert not is_refused(Consent(allow_shrink=True))
