"""A standby as the log store: it is read when it holds what the window needs, and refused for now when it lags."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.errors import LogStoreBusyError
from bifrost_export.logstore.postgres.address import from_address
from bifrost_export.logstore.postgres.store import PostgresLogStore
from bifrost_export.sample.postgres_tables import add_rows, create
from bifrost_export.window import UTC, Window
from tests.integration.commands import Desk
from tests.integration.exports import Export
from tests.servers.postgres import config_of
from tests.servers.standby import Pair, replicated_pair
from tests.support.odd_rows import BASE
from tests.support.odd_times import space_form

DATABASE = "logs"
READER = "plain_reader"


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    """A primary with Bifrost's tables, and its standby; a user who may read, and no more."""
    with replicated_pair() as pair:
        create(pair.primary.create_database(DATABASE))
        pair.primary.psql(
            f"CREATE ROLE {READER} LOGIN PASSWORD 'x'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
            DATABASE,
        )
        yield pair


@pytest.fixture
def pair(servers: Pair) -> Iterator[Pair]:
    """The same without rows; it is streaming and replaying again afterwards."""
    servers.primary.psql("TRUNCATE logs", DATABASE)
    servers.catch_up()
    followed = servers.standby.psql("SHOW primary_conninfo").replace("'", "''")
    yield servers
    servers.standby.psql("SELECT pg_wal_replay_resume()")
    servers.standby.psql(f"ALTER SYSTEM SET primary_conninfo = '{followed}'")
    servers.standby.psql("SELECT pg_reload_conf()")
    servers.catch_up()


def now() -> dt.datetime:
    """The time of both servers."""
    return dt.datetime.now(UTC)


def write(pair: Pair, count: int = 500) -> None:
    """Let Bifrost write rows to the primary."""
    times = [space_form(now() - dt.timedelta(milliseconds=number)) for number in range(count)]
    stamp = now().strftime("%f")
    rows = [{**BASE, "id": f"{stamp}-{n}", "timestamp": each, "created_at": each} for n, each in enumerate(times)]
    add_rows(pair.primary.url(DATABASE), rows)


def patiently(ask: Callable[[], str | None]) -> str:
    """Ask again while the answer is a passing error, as a task does: an idle primary writes now and then, too."""
    for _ in range(20):
        with suppress(LogStoreBusyError):
            return str(ask())
        time.sleep(0.2)
    return str(ask())


def opened(pair: Pair, **over: Any) -> PostgresLogStore:
    """The standby as a log store, read by a user without any other right."""
    return PostgresLogStore(config_of(pair.standby.url(DATABASE), user=READER, password="x", **over))


def export_of(pair: Pair, folder: Path) -> Export:
    """An export whose window settles at its end."""
    config = {**from_address(pair.standby.url(DATABASE), "the test"), "user": READER, "password": "${READER_PASSWORD}"}
    export = Export(folder, folder, source={"type": "postgres", "config": config})
    export.schedule = {"frequency": "hourly", "settle": "0s"}
    export.runtime = {"now": now, "environ": {"READER_PASSWORD": "x"}}
    return export


def test_a_primary_has_nothing_to_catch_up_with(pair: Pair) -> None:
    """Whatever time is asked for."""
    with closing(PostgresLogStore(config_of(pair.primary.url(DATABASE)))) as store:
        assert store.caught_up(now() + dt.timedelta(days=1)) is None


def test_a_standby_that_follows_is_read(pair: Pair) -> None:
    """By the time of what it replayed, and by its equal positions where the primary is idle."""
    write(pair)
    pair.catch_up()
    with closing(opened(pair)) as store:
        assert "replayed up to" in str(store.caught_up(now() - dt.timedelta(minutes=10)))
        assert "replayed all that it received" in patiently(lambda: store.caught_up(now()))


def test_paused_replay_is_refused_and_passes_once_it_goes_on(pair: Pair, tmp_path: Path) -> None:
    """No window lacks the rows that wait; the message names the way to go on."""
    export, start = export_of(pair, tmp_path), now() - dt.timedelta(hours=1)
    pair.standby.psql("SELECT pg_wal_replay_pause()")
    write(pair)
    window = Window(start, now())
    pair.receive()

    with pytest.raises(LogStoreBusyError, match="lags behind: replayed up to") as caught:
        export.run(window)
    assert "Replay is paused: SELECT pg_wal_replay_resume()" in str(caught.value)
    assert not export.out.exists()

    pair.standby.psql("SELECT pg_wal_replay_resume()")
    pair.catch_up()
    assert patiently(lambda: str(export.run(window)["datasets"]["request_logs"]["exported"])) == "500"


def test_rows_of_an_old_window_that_wait_in_a_paused_standby_are_not_left_out(pair: Pair) -> None:
    """What is not replayed may be of any time."""
    write(pair)
    pair.catch_up()
    pair.standby.psql("SELECT pg_wal_replay_pause()")
    with closing(opened(pair)) as store:
        write(pair)
        pair.receive()
        with pytest.raises(LogStoreBusyError, match="lags behind"):
            store.caught_up(now() - dt.timedelta(days=1))


def test_a_standby_that_lost_its_primary_proves_nothing(pair: Pair) -> None:
    """It has replayed all that it received, and what it did not receive is unknown."""
    pair.standby.psql("ALTER SYSTEM SET primary_conninfo = ''")
    pair.standby.psql("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 30
    while pair.standby.psql("SELECT count(*) FROM pg_stat_wal_receiver") != "0":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    write(pair)
    with closing(opened(pair)) as store, pytest.raises(LogStoreBusyError) as caught:
        store.caught_up(now())
    assert "receives nothing from its primary" in str(caught.value)


def test_check_says_how_far_a_standby_is(pair: Pair, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a step of its own."""
    config = from_address(pair.standby.url(DATABASE), "the test")
    document = json.loads(Path(desk.document).read_text())
    config["password"] = "${STANDBY_PASSWORD}"
    monkeypatch.setenv("STANDBY_PASSWORD", pair.standby.password)
    document["log_exports"]["source"] = {"type": "postgres", "config": config}
    document["log_exports"]["exports"][0]["schedule"] = {"frequency": "cron", "expression": "* * * * *", "settle": "0s"}
    path = desk.folder / "standby.json"
    path.write_text(json.dumps(document))
    monkeypatch.setattr(Desk, "document", str(path))

    code, found = desk.told("check")
    steps = {each["what"]: each for each in found["checks"]}
    assert (code, steps["log store: standby"]["ok"]) == (0, True)

    pair.standby.psql("SELECT pg_wal_replay_pause()")
    write(pair)
    pair.receive()
    code, found = desk.told("check")
    steps = {each["what"]: each for each in found["checks"]}
    assert (code, steps["log store: standby"]["ok"]) == (1, False)
    assert "lags behind" in steps["log store: standby"]["message"]
