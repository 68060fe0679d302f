"""A run into a warehouse, killed (-9) before any of its requests and run again, leaves each window loaded once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.sample.logs import write
from bifrost_export.window import Window, rfc3339
from tests.integration.killing import run_cli
from tests.servers.bigquery.server import PROJECT

DAY, NEXT_DAY = Window.parse("2026-03-01", "2026-03-02"), Window.parse("2026-03-02", "2026-03-03")
ROWS = 20_000
IN_LOAD = {"redshift": r"^put request_logs.*00002", "snowflake": r"^PUT .*00002", "bigquery": r"^wait .*_load_.*00002"}
IN_PUBLISH = {"redshift": "^COMMIT", "snowflake": "^COMMIT", "bigquery": r"^wait .*_publish_"}

Loads = dict[tuple[str, str], list[str]]
"""The ids of the rows that are loaded, in order, by export and the window's first day."""


@pytest.fixture(scope="module")
def log_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of rows."""
    path = tmp_path_factory.mktemp("logs") / "logs.db"
    write(path, rows=ROWS, seed=5, days=1, end=DAY.end)
    return path


@pytest.fixture(scope="module")
def two_log_stores(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two days of a few rows, some of which no record can hold; other rows in each."""
    paths = [tmp_path_factory.mktemp("few") / f"logs_{number}.db" for number in (1, 2)]
    for number, path in enumerate(paths):
        write(path, rows=300 + 40 * number, seed=5 + number, days=2, end=NEXT_DAY.end, broken=4)
    return paths


@dataclass
class Warehouse:
    """One warehouse with what is exported into it.

    Args:
        kind: Its name.
        folder: Where documents and staging stand.
        config: The destination's config.
        environ: What a process needs to sign in.
        schema: The schema's name, as `information_schema` has it in lower case.
        query: The rows that SQL gives, `{}.` before a table.
        staged: What is staged.
        drop: Drops a table.
    """

    kind: str
    folder: Path
    config: dict[str, Any]
    environ: dict[str, str]
    schema: str
    query: Callable[[str], list[list[str]]]
    staged: Callable[[], list[str]]
    drop: Callable[[str], Any]

    def run(
        self, log_store: Path, *, export: str = "nightly", window: Window = DAY, most_rows: int = 8_000, **how: Any
    ) -> tuple[int, int]:
        """Export a window of a log store from the command line; gives the exit code and how many requests it took.

        Two log stores take turns in some tests, so another one, with fewer rows, is allowed.
        """
        one = {
            "schedule": {"frequency": "daily"},
            "destination": {"type": self.kind, "config": self.config},
            "data": {"max_rows_per_file": most_rows, "max_rejected": "50%"},
        }
        exports = [{"name": name, **one} for name in ("nightly", "other")]
        source = {"type": "sqlite", "config": {"path": str(log_store)}}
        staging = {"url": (self.folder / "staging").as_uri()}
        path = self.folder / "log_exports.json"
        path.write_text(json.dumps({"log_exports": {"exports": exports, "source": source, "staging": staging}}))
        arguments = ["run", str(path), "--export", export, "--format", "json", "--allow-shrink", "--replace-source"]
        arguments += ["--window-start", rfc3339(window.start), "--window-end", rfc3339(window.end)]
        return run_cli(arguments, self.environ, talks_to=self.said, **how)

    @property
    def said(self) -> Path:
        """What the last run wrote."""
        return self.folder / "said.txt"

    def tables(self) -> set[str]:
        """The tables that are there."""
        condition = f"LOWER(table_schema) = '{self.schema}' AND table_type = 'BASE TABLE'"
        listed = f"SELECT LOWER(table_name) FROM information_schema.tables WHERE {condition}"
        return {name for (name,) in self.query(listed)}

    def loads(self) -> Loads:
        """What the table holds."""
        found: Loads = {}
        if "request_logs" in self.tables():
            columns = "_export_name, _window_start, request_id"
            for export, start, request in self.query(f"SELECT {columns} FROM {{}}.request_logs ORDER BY request_id"):
                found.setdefault((export, start[:10]), []).append(request)
        return found

    def check(self, expected: Loads) -> None:
        """The table holds these rows, each once, and the books say the same of it and of the rejected rows."""
        assert self.loads() == expected
        if "bifrost_export_loads" not in self.tables():
            assert expected == {}
            return
        told = self.query(
            "SELECT export_name, window_start, exported, rejected, details FROM {}.bifrost_export_loads"
            " WHERE kind = 'load' AND superseded_at IS NULL ORDER BY 1, 2"
        )
        books = [((export, start[:10]), int(exported)) for export, start, exported, _, _ in told]
        assert books == [(key, len(rows)) for key, rows in sorted(expected.items())]
        grouped = "_export_name, _window_start, kind, COUNT(*) FROM {}.bifrost_export_rejected GROUP BY 1, 2, 3"
        listed = {(export, start, kind): int(rows) for export, start, kind, rows in self.query(f"SELECT {grouped}")}
        counted = {(export, start, "rejected"): int(rejected) for export, start, _, rejected, _ in told}
        for export, start, _, _, details in told:
            counted[export, start, "blanked"] = sum(json.loads(details)["blanked"].values())
        assert listed == {key: rows for key, rows in counted.items() if rows}

    def revision(self) -> int:
        """Of the day of `nightly`, superseded ones included."""
        if "bifrost_export_loads" not in self.tables():
            return 0
        of_day = "kind = 'load' AND export_name = 'nightly' AND window_start < '2026-03-02'"
        return int(self.query(f"SELECT COALESCE(MAX(revision), 0) FROM {{}}.bifrost_export_loads WHERE {of_day}")[0][0])


@pytest.fixture(params=list(IN_LOAD))
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """An empty schema."""
    server: Any = request.getfixturevalue(request.param)
    if request.param == "snowflake":
        server.server.tell(idle_seconds=1.0)  # a killed run leaves its transaction open: the service waits five minutes
    schema = {"redshift": "public", "snowflake": "PUBLIC"}.get(request.param)
    query = server.sql if schema is None else lambda sql: server.sql(sql.replace("{}", schema))
    environ = server.environment if hasattr(server, "environment") else server.connections()
    if schema:
        name, drop = "public", lambda table: query(f"DROP TABLE {schema}.{table}")
    else:
        name, catalog = f"{PROJECT}:{server.dataset}", server.api.service.catalog
        drop = lambda table: catalog.drop_table((PROJECT, server.dataset, table))  # noqa: E731
    return Warehouse(request.param, tmp_path, server.config(), environ, name, query, server.staged, drop)


def ended(log_store: Path) -> int:
    """How many rows of a log store have ended."""
    with closing(sqlite3.connect(log_store)) as connection:
        [rows] = connection.execute("SELECT count(*) FROM logs WHERE status <> 'processing'").fetchone()
    return int(rows)


@pytest.mark.parametrize("steps", [IN_LOAD, IN_PUBLISH], ids=["load", "publish"])
def test_a_kill_is_mended_by_a_rerun(warehouse: Warehouse, log_store: Path, steps: dict[str, str]) -> None:
    """Killed in the middle of the step."""
    assert warehouse.run(log_store, kill_when=steps[warehouse.kind])[0] == -9

    assert warehouse.run(log_store)[0] == 0

    [rows] = warehouse.loads().values()
    assert len(rows) == ended(log_store)
    warehouse.check({("nightly", "2026-03-01"): rows})
    assert warehouse.staged() == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("is_first", [False, True], ids=["over a former revision", "into an empty schema"])
def test_a_kill_before_any_request_is_mended_by_a_rerun(
    warehouse: Warehouse, two_log_stores: list[Path], is_first: bool
) -> None:
    """The former rows stand, or the new ones do; another window and another export keep theirs; nothing stays staged.

    The run that is killed brings other rows than the former one: two log stores take turns.
    """
    of_day = [_loaded(warehouse, log_store) for log_store in two_log_stores]
    assert set(of_day[0]).isdisjoint(of_day[1])
    assert warehouse.query("SELECT * FROM {}.bifrost_export_rejected")
    if not is_first:
        assert warehouse.run(two_log_stores[0], window=NEXT_DAY, most_rows=60)[0] == 0
        assert warehouse.run(two_log_stores[0], export="other", most_rows=60)[0] == 0
    beside = {key: rows for key, rows in warehouse.loads().items() if key != ("nightly", "2026-03-01")}
    assert len(beside) == (0 if is_first else 2)
    now, moment, published = 1, 0, 0
    while True:
        moment += 1
        if is_first:
            for table in warehouse.tables():
                warehouse.drop(table)
        former = {} if is_first else {("nightly", "2026-03-01"): of_day[now]}
        new = {("nightly", "2026-03-01"): of_day[1 - now]}
        revision = warehouse.revision()

        code, _ = warehouse.run(two_log_stores[1 - now], most_rows=60, kill_at=moment)

        if code == 0:  # it took fewer requests
            break
        assert code == -9, (moment, warehouse.said.read_text())
        is_published = warehouse.revision() > revision
        published += is_published
        warehouse.check(beside | (new if is_published else former))
        assert warehouse.run(two_log_stores[1 - now], most_rows=60)[0] == 0, (moment, warehouse.said.read_text())
        warehouse.check(beside | new)
        assert warehouse.staged() == [], moment
        now = 1 - now
    assert moment > 20
    assert 0 < published < moment - 10


def _loaded(warehouse: Warehouse, log_store: Path) -> list[str]:
    """Load the day undisturbed; gives the ids of its rows."""
    assert warehouse.run(log_store, most_rows=60)[0] == 0
    return warehouse.loads()["nightly", "2026-03-01"]
