"""The demo's other half: the same Airflow, kept running for a person to look at, trigger and backfill."""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bifrost_export.errors import PermanentError
from demo.servers.processes import free_port
from demo.steps import DAYS, make_log_store, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from demo.servers.airflow_server import AirflowServer
    from demo.servers.postgres_server import PostgresServer
    from demo.workspace import Workspace

PREFERRED_PORT = 8080
_LOOK_SECONDS = 1.0
# A slow machine that does other things too has to get there as well.
_START_SECONDS = 300.0


def browse(console: Console, workspace: Workspace, rows: int, port: int | None) -> None:
    """Run Airflow and an S3 server until a Ctrl-C; everything is made afresh.

    Args:
        console: Tells what is done, and then the address.
        workspace: Where the things are kept; emptied first.
        rows: Of the log store.
        port: Of Airflow's pages; 8080, or a free one when that is taken, when None.

    Raises:
        PermanentError: A process has ended, or Airflow does not get ready.
    """
    with ready_airflow(console, workspace, rows, port) as airflow:
        _tell(console, airflow.home.url)
        with contextlib.suppress(KeyboardInterrupt):
            _stay(airflow)


@contextlib.contextmanager
def ready_airflow(console: Console, workspace: Workspace, rows: int, port: int | None) -> Iterator[AirflowServer]:
    """An Airflow that has found the export's DAG, with an S3 server and a log store, while the block lasts.

    Args and errors are those of `browse`.
    """
    from demo.servers.airflow_server import AirflowHome, airflow_server, migration
    from demo.servers.postgres_server import postgres_server
    from demo.servers.processes import wait_until
    from demo.servers.s3_server import s3_server
    from demo.workspace import BUCKET, DAG_ID

    workspace.make()
    secret = secrets.token_hex(32)
    with postgres_server() as postgres, s3_server(workspace.output / "s3.log") as s3:
        s3.make_bucket(BUCKET)
        workspace.write_documents(s3)
        variables = {**workspace.variables(s3), **metadata_database(postgres)}
        home = AirflowHome(workspace.folder / "airflow", workspace.dags, variables, port or preferred_port())
        made = migration(home, workspace.output / "migrate.log", secret)
        with step(console, f"Airflow's database, and a log store of {rows:,} rows over {DAYS} days"), made:
            make_log_store(workspace, rows)
        with airflow_server(home, workspace.output, secret) as airflow:
            processes = list(airflow.processes.values())
            with step(console, "Airflow, until it has found the DAG"):
                airflow.wait(_START_SECONDS)
                wait_until(lambda: airflow.knows(DAG_ID), processes, _START_SECONDS, f"the DAG {DAG_ID}")
            yield airflow


def metadata_database(postgres: PostgresServer) -> dict[str, str]:
    """Airflow's variables for a metadata database in a PostgreSQL: on SQLite it refuses most backfills during a run.

    Raises:
        PermanentError: The driver isn't installed.
    """
    if find_spec("psycopg") is None:
        raise PermanentError(
            "the driver of Airflow's metadata database is not installed",
            hint="Install what the demo needs: make setup",
        )
    url = postgres.create_database("airflow").replace("postgresql://", "postgresql+psycopg://", 1)
    # The driver serves both kinds of connections; Airflow would look for another one.
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url}


def preferred_port() -> int:
    """8080 where nobody uses it on the loopback, else a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PREFERRED_PORT))
        except OSError:
            return free_port()
    return PREFERRED_PORT


def _stay(airflow: AirflowServer) -> None:
    while True:
        for process in airflow.processes.values():
            process.check_alive()
        time.sleep(_LOOK_SECONDS)


def _tell(console: Console, url: str) -> None:
    from demo.workspace import DAG_ID

    page = f"{url}/dags/{DAG_ID}"
    console.print(f"\n[bold]Airflow is ready at {url}[/], without a login, for this machine only.", soft_wrap=True)
    for line in (
        f"open {page}",
        "what the export does: the book, Dag Docs",
        "trigger a run: Trigger, Single Run, Trigger",
        f"backfill: Trigger, Backfill, From and To, Run Backfill; the log store holds the last {DAYS} days",
        "run a task again: its square in the grid, Shift+C, Confirm",
    ):
        console.print(f"  - {line}", markup=False, soft_wrap=True)
    console.print("Ctrl-C ends it; the next start begins afresh.")
