"""The demo from its first to its last line."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bifrost_export.cli import output
from demo import steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from rich.console import Console

    from demo.servers.airflow_server import AirflowServer
    from demo.servers.s3_server import S3Server
    from demo.workspace import Workspace


@click.command("demo")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=".demo",
    show_default=True,
    help="Where the demo keeps its things; what a former demo has left there is removed.",
)
@click.option("--rows", type=click.IntRange(min=1), default=200_000, show_default=True, help="Rows of the log store.")
@click.option("--ui", is_flag=True, help="Keep Airflow running until Ctrl-C, to look at, trigger and backfill.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Of Airflow's pages, with --ui.  [default: 8080, or a free one]"
)
def demo(folder: Path, rows: int, ui: bool, port: int | None) -> None:
    """Show two exports from end to end: a log store, S3, BigQuery and a real Airflow, all on this machine.

    Nothing outside the folder is touched, only the loopback is listened on, and every process is ended.
    """
    from demo.browsing import browse
    from demo.workspace import Workspace

    if port is not None and not ui:
        raise click.UsageError("--port goes with --ui.")
    workspace = Workspace(folder.absolute())
    console = output.result_console()
    began = time.monotonic()
    with _ended_in_order():
        if ui:
            browse(console, workspace, rows, port)
        else:
            _show(console, workspace, rows)
    console.print(f"\n[green]Done[/] in {time.monotonic() - began:.0f} s; every server is stopped.")


def _show(console: Console, workspace: Workspace, rows: int) -> None:
    from demo import show
    from demo.servers.airflow_server import AirflowHome, airflow_server, migration
    from demo.servers.bigquery_server import bigquery_server
    from demo.servers.s3_server import s3_server
    from demo.workspace import (
        BUCKET,
        DAG_ID,
        DATASET,
        LOCAL_EXPORT,
        PROJECT,
        TABLE,
        WEEKLY_DAG_ID,
    )

    workspace.make()
    secret = secrets.token_hex(32)
    with s3_server(workspace.output / "s3.log") as s3, bigquery_server(PROJECT, DATASET) as bigquery:
        s3.make_bucket(BUCKET)
        workspace.write_documents(s3)
        workspace.write_complete_document()
        variables = {**workspace.variables(s3), **workspace.server_variables(s3, bigquery)}
        home = AirflowHome(workspace.folder / "airflow", workspace.dags, variables)
        made = migration(home, workspace.output / "migrate.log", secret)
        with (
            steps.step(console, f"Airflow's database, and a log store of {rows:,} rows over {steps.WEEKLY_DAYS} days"),
            made,
        ):
            window = steps.make_log_store(workspace, rows, steps.WEEKLY_DAYS)
        with contextlib.ExitStack() as stack:
            with steps.step(console, "Airflow's scheduler, DAG processor and API server"):
                airflow = stack.enter_context(airflow_server(home, workspace.output, secret))
                airflow.wait()
            for dag_id in (DAG_ID, WEEKLY_DAG_ID):
                _run(console, airflow, dag_id)
        manifest, key = _download(s3, BUCKET, workspace.downloads)
        show.objects(console, _sizes(s3, BUCKET), manifest)
        show.manifest_panel(console, key, manifest)
        show.tables(console, bigquery, TABLE)
    show.books(console, manifest)
    for entry in manifest["datasets"].values():
        for part in entry["parts"][:1]:
            show.first_rows(console, workspace.downloads / part["key"])
    show.next_steps(console, workspace.folder, workspace.local_document, LOCAL_EXPORT, window)


def _run(console: Console, airflow: AirflowServer, dag_id: str) -> None:
    from demo.watching import first_run, follow

    with steps.step(console, f"The scheduler finds {dag_id} and starts its first run"):
        run = first_run(airflow, dag_id)
    console.print(f"  run [bold]{run['dag_run_id']}[/] of [bold]{run['dag_id']}[/]", soft_wrap=True)
    console.print(f"  window {run['data_interval_start']} to {run['data_interval_end']}", soft_wrap=True)

    def tell(name: str, state: str, seconds: float) -> None:
        if state in {"success", "skipped", "failed", "up_for_retry", "upstream_failed"}:
            mark = "[green]success[/]" if state == "success" else f"[yellow]{state}[/]"
            console.print(f"  {mark} {seconds:5.1f} s  ", end="")
            console.print(name, markup=False, soft_wrap=True)

    follow(airflow, run, tell)


def _sizes(s3: S3Server, bucket: str) -> dict[str, int]:
    pages = s3.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", ())}


def _download(s3: S3Server, bucket: str, folder: Path) -> tuple[dict[str, Any], str]:
    """Copy every object; gives the one manifest, and its key."""
    client = s3.client()
    keys = list(_sizes(s3, bucket))
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        client.download_file(bucket, key, str(folder / key))
    key = next(key for key in keys if "_manifests/" in key)
    return json.loads((folder / key).read_text("utf-8")), key


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let a SIGTERM end what was started too, as a Ctrl-C does; and a SIGINT where a shell has us ignore it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
