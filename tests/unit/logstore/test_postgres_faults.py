"""What a PostgreSQL log store says when it can't be read: what to mend, or that it may pass; never a password."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bifrost_export.datasets import schema_of
from bifrost_export.errors import LogStoreBusyError, LogStoreError
from bifrost_export.logstore.adaptive_pieces import SlowError
from bifrost_export.logstore.postgres import connection, table
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.sample.postgres_tables import add_rows, writing
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from demo.servers.processes import free_port
from tests.servers.postgres import config_of
from tests.servers.tls_proxy import tls_proxy
from tests.support.odd_rows import BASE

DAY = Window.parse("2026-03-01", "2026-03-02")
NOON = "2026-03-01 12:00:00+00:00"
SCHEMA = schema_of("request_logs")
PASSWORD = "p@ss:/?#[]%20 w'o\"r\\d&=+ü-canary"


def open_with(url: str, **over: Any) -> None:
    """Open a log store that can't be opened."""
    PostgresLogStore(config_of(url, **over)).close()


@pytest.fixture
def psql(postgres: PostgresServer, postgres_store: str) -> Callable[[str], str]:
    """Runs SQL in the test's own log store."""
    return lambda sql: postgres.psql(sql, postgres_store.rpartition("/")[2])


@pytest.fixture
def reader(postgres: PostgresServer, postgres_store: str, psql: Callable[[str], str]) -> Any:
    """The address of the log store for a user without any right, and the user's name."""
    name = f"reader_{postgres_store.rpartition('_')[2]}"
    psql(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'")
    place = postgres_store.rpartition("@")[2]
    yield f"postgresql://{name}:{quote(PASSWORD, safe='')}@{place}", name
    psql(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize(
    ("over", "message", "hint"),
    [
        ({"password": "wrong-canary"}, "password authentication failed", "Check user and password"),
        ({"password": None}, "no password supplied", "Check user and password"),
        ({"user": "nobody-here"}, "password authentication failed", "Check user and password"),
        ({"db_name": "nowhere"}, 'database "nowhere" does not exist', "Check db_name"),
        ({"ssl_mode": "require"}, "server does not support SSL", "Set ssl_mode to prefer or disable"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_refused_connection_says_what_to_mend(
    over: dict[str, Any], message: str, hint: str, postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails at once: another try would be refused too."""
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(LogStoreError, match=message) as caught:
        open_with(postgres_store, **over)
    assert hint in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_certificate_is_checked_as_ssl_mode_says(
    postgres: PostgresServer, postgres_store: str, tmp_path: Path
) -> None:
    """Against the file that the source names, or the system's own."""
    with tls_proxy(postgres.port, tmp_path) as (port, certificate):
        checked = {"port": port, "ssl_mode": "verify-full"}
        with closing(PostgresLogStore(config_of(postgres_store, **checked, ssl_root_cert=str(certificate)))) as store:
            assert store.count(DAY).rows == 0
        for wrong in ("/no/such.pem", "system"):
            with pytest.raises(LogStoreError, match="certificate") as caught:
                open_with(postgres_store, **checked, ssl_root_cert=wrong)
            assert "Check ssl_mode" in str(caught.value)
            assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_worth_another_try(postgres_store: str) -> None:
    """So is one that lets nobody more in."""
    with pytest.raises(LogStoreBusyError, match="can't be reached: Connection refused"):
        open_with(postgres_store, port=free_port())


def test_a_user_with_too_many_connections_is_worth_another_try(reader: tuple[str, str], psql: Any) -> None:
    """The others will end."""
    url, name = reader
    psql(f"ALTER ROLE {name} CONNECTION LIMIT 0")
    with pytest.raises(LogStoreBusyError, match="too many connections for role"):
        open_with(url)


def test_a_user_who_may_not_log_in_is_refused(reader: tuple[str, str], psql: Any) -> None:
    """The message names the right that is missing."""
    url, name = reader
    psql(f"ALTER ROLE {name} NOLOGIN")
    with pytest.raises(LogStoreError, match="is not permitted to log in"):
        open_with(url)


def test_the_right_that_is_missing_is_written_out(reader: tuple[str, str], psql: Callable[[str], str]) -> None:
    """SELECT on the table is all that a reader needs; a password with every odd character signs in."""
    url, name = reader
    with pytest.raises(LogStoreError, match=f"the user {name} may not read the table public.logs") as caught:
        open_with(url)
    assert f'GRANT SELECT ON public.logs TO "{name}";' in str(caught.value)
    assert "canary" not in str(caught.value)

    psql(f"GRANT SELECT ON logs TO {name}; ALTER TABLE logs ENABLE ROW LEVEL SECURITY")
    psql("ALTER TABLE logs DISABLE ROW LEVEL SECURITY; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with closing(PostgresLogStore(config_of(url))) as store:
        assert store.count(DAY).rows == 0


def test_tool_calls_need_a_right_of_their_own(reader: tuple[str, str], psql: Callable[[str], str]) -> None:
    """It is asked for when they are; a log store without their table has none."""
    url, name = reader
    psql(f"GRANT SELECT ON logs TO {name}")
    with closing(PostgresLogStore(config_of(url))) as store:
        assert store.count(DAY).rows == 0
        with pytest.raises(LogStoreError, match=r"may not read the table public\.mcp_tool_logs") as caught:
            store.count_tool_calls(DAY)
        assert f'GRANT SELECT ON public.mcp_tool_logs TO "{name}";' in str(caught.value)
        psql(f"GRANT SELECT ON mcp_tool_logs TO {name}")
        assert (store.count_tool_calls(DAY).rows, store.unplaced_tool_calls()) == (0, 0)
    psql("DROP TABLE mcp_tool_logs")
    with closing(PostgresLogStore(config_of(url))) as store:
        assert (store.count_tool_calls(DAY).rows, store.unplaced_tool_calls()) == (0, 0)


def test_a_right_that_is_taken_away_in_the_middle_is_told(reader: tuple[str, str], psql: Callable[[str], str]) -> None:
    """A retry can't help."""
    url, name = reader
    psql(f"GRANT SELECT ON logs TO {name}")
    with closing(PostgresLogStore(config_of(url))) as store:
        psql(f"REVOKE SELECT ON logs FROM {name}")
        with pytest.raises(LogStoreError, match="permission denied for table logs") as caught:
            store.count(DAY)
    assert "GRANT SELECT" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DROP TABLE logs", "has no table logs on the search path of its user"),
        ("ALTER TABLE logs DROP COLUMN status", "lacks the columns status"),
        ("ALTER TABLE logs ALTER latency TYPE text", "the column latency of .* is of type text. Allowed: int2"),
        ("ALTER TABLE logs ALTER timestamp TYPE text", "the column timestamp of .* is of type text"),
    ],
)
def test_a_database_that_is_no_log_store_is_refused(
    change: str, message: str, postgres_store: str, psql: Callable[[str], str]
) -> None:
    """The message says what it lacks."""
    psql(change)
    with pytest.raises(LogStoreError, match=message):
        open_with(postgres_store)


def test_a_schema_without_the_table_is_told(postgres_store: str) -> None:
    """And where there is one."""
    with pytest.raises(LogStoreError, match=r"has no table logs in the schema bifrost.* in the schema public"):
        open_with(postgres_store, schema="bifrost")


def test_a_server_that_is_too_old_is_refused(postgres_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked that it doesn't know."""
    monkeypatch.setattr(table, "_OLDEST", 990_000)
    with pytest.raises(LogStoreError, match=r"is PostgreSQL 16\. Allowed: PostgreSQL 99 or newer"):
        open_with(postgres_store)


def test_a_table_that_stays_locked_is_worth_another_try(postgres_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, before anything is held."""
    monkeypatch.setattr(connection, "LOCK_SECONDS", 0.1)
    with closing(PostgresLogStore(config_of(postgres_store))) as store, writing(postgres_store) as execute:
        execute("BEGIN; LOCK TABLE logs IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LogStoreBusyError, match="stayed locked by another"):
            store.count(DAY)
        execute("ROLLBACK")
        assert store.count(DAY).rows == 0


def test_a_statement_that_takes_too_long_is_stopped(postgres_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less is asked for then; the connection goes on."""
    monkeypatch.setattr(connection, "STATEMENT_SECONDS", 0.05)
    with closing(PostgresLogStore(config_of(postgres_store))) as store:
        with pytest.raises(SlowError, match="stopped a statement"), store.connection.snapshot():
            store.connection.execute("SELECT pg_sleep(60)::text AS slept")
        assert store.count(DAY).rows == 0


def test_a_column_that_goes_away_is_worth_another_try(postgres_store: str, psql: Callable[[str], str]) -> None:
    """Bifrost's migrations rename and drop some; a new look finds what there is."""
    with closing(PostgresLogStore(config_of(postgres_store))) as store:
        psql("ALTER TABLE logs DROP COLUMN cost")
        with pytest.raises(LogStoreBusyError, match="was changed while it was read"):
            store.count(DAY)
    with closing(PostgresLogStore(config_of(postgres_store))) as store:
        assert store.count(DAY).cost_usd == 0.0


def test_nothing_can_be_written_through_it(postgres_store: str) -> None:
    """Every transaction is read-only, whoever signs in."""
    with closing(PostgresLogStore(config_of(postgres_store))) as store, store.connection.snapshot():
        with pytest.raises(LogStoreError, match="read-only transaction"):
            store.connection.execute("SELECT nextval('logs_inc_number_seq') AS number")
        with suppress(LogStoreError):
            store.connection.execute("SELECT 1 AS number")


HIDING = {
    "no policy": "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "a policy that lets some pass": (
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY part ON {table} USING (status = 'error')"
    ),
    "a policy that lets all pass": (
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY every ON {table} USING (true)"
    ),
}


@pytest.mark.parametrize("hiding", HIDING)
def test_row_level_security_is_refused(
    hiding: str, postgres_store: str, reader: tuple[str, str], psql: Callable[[str], str]
) -> None:
    """PostgreSQL would leave rows out without a word; a role that bypasses it reads them all."""
    url, name = reader
    add_rows(postgres_store, [{**BASE, "id": "one", "timestamp": NOON, "created_at": NOON}])
    psql(f"GRANT SELECT ON logs TO {name}; {HIDING[hiding].format(table='logs')}")
    with pytest.raises(LogStoreError, match=r"row-level security of the table public\.logs") as caught:
        open_with(url)
    assert f'ALTER ROLE "{name}" BYPASSRLS' in str(caught.value)

    psql(f"ALTER ROLE {name} BYPASSRLS")
    with closing(PostgresLogStore(config_of(url))) as store:
        assert store.count(DAY).rows == 1


def test_row_level_security_of_tool_calls_is_refused(reader: tuple[str, str], psql: Callable[[str], str]) -> None:
    """It is asked for when they are."""
    url, name = reader
    psql(f"GRANT SELECT ON logs, mcp_tool_logs TO {name}; ALTER TABLE mcp_tool_logs ENABLE ROW LEVEL SECURITY")
    with closing(PostgresLogStore(config_of(url))) as store:
        assert store.count(DAY).rows == 0
        with pytest.raises(LogStoreError, match=r"row-level security of the table public\.mcp_tool_logs"):
            store.count_tool_calls(DAY)


@pytest.mark.parametrize("moment", ["before", "in the middle"])
def test_row_level_security_below_a_view_or_set_in_the_middle_is_refused(
    moment: str, reader: tuple[str, str], psql: Callable[[str], str]
) -> None:
    """Every transaction asks for it, and the server refuses."""
    url, name = reader
    guard = "ALTER TABLE inner_logs ENABLE ROW LEVEL SECURITY"
    psql("ALTER TABLE logs RENAME TO inner_logs")
    psql("CREATE VIEW logs WITH (security_invoker) AS SELECT * FROM inner_logs")
    psql(f"GRANT SELECT ON logs, inner_logs TO {name}")
    if moment == "before":
        psql(guard)
    with closing(PostgresLogStore(config_of(url))) as store:
        if moment == "in the middle":
            assert store.count(DAY).rows == 0
            psql(guard)
        for ask in (lambda: store.count(DAY), lambda: list(store.read(DAY, SCHEMA).batches), store.unplaced):
            with pytest.raises(LogStoreError, match="row-level security") as caught:
                ask()
            assert "BYPASSRLS" in str(caught.value)
