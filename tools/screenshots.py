"""Take the documentation's pictures of the Airflow of `make ui`, with some runs and a broken export in it."""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bifrost_export.cli import output
from bifrost_export.errors import PermanentError
from demo.browsing import ready_airflow
from demo.servers.processes import wait_until
from demo.steps import step
from demo.workspace import DAG_ID, Workspace
from tools.airflow_pages import backfill_form, browser, open_form, run_backfill

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from demo.servers.airflow_server import AirflowServer

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LARGEST = 200_000
"""Bytes of a picture."""
ROWS = 100_000
BROKEN = "hourly_errors"
DAYS_BACK = (3, 2)
"""Which windows are backfilled, in days before the one that the scheduler has run."""
_PATIENCE = 900.0
_LOADING = ".chakra-skeleton, [data-part=progress-indicator]"


def main() -> None:
    """Start everything, take every picture, end everything."""
    console = output.result_console()
    with tempfile.TemporaryDirectory(prefix="bifrost-export-pictures-") as folder, browser() as page:
        workspace = Workspace(Path(folder) / "ui")
        with ready_airflow(console, workspace, ROWS, None) as airflow:
            change_document(workspace)
            pictures = Pictures(page, airflow.home.url)
            processes = list(airflow.processes.values())
            broken_id = f"bifrost_export__{BROKEN}"
            with step(console, "Airflow finds the broken export"):
                wait_until(lambda: airflow.knows(broken_id), processes, _PATIENCE, f"the DAG {broken_id}")
            with step(console, "The scheduler's first run"):
                first = wait_for_runs(airflow, 1)[0]
            with step(console, "Pictures of the forms"):
                pictures.documentation(DAG_ID, "documentation")
                pictures.documentation(broken_id, "broken")
                pictures.trigger_form()
                pictures.backfill(dt.datetime.fromisoformat(first["data_interval_start"]))
            with step(console, "The backfill that the form has started"):
                page.goto("about:blank")  # a page that asks for news slows the runs down
                runs = wait_for_runs(airflow, 1 + DAYS_BACK[0] - DAYS_BACK[1] + 1)
            with step(console, "Pictures of the runs"):
                pictures.run(runs[0]["dag_run_id"])
                pictures.dags()
    for image in sorted(IMAGES.glob("*.png")):
        console.print(f"  {image.name}: {image.stat().st_size:,} bytes", highlight=False)


def change_document(workspace: Workspace) -> None:
    """Small files, so that a run loads several, and a second export with three mistakes."""
    document = json.loads(workspace.document.read_text("utf-8"))
    exports: list[dict[str, Any]] = document["log_exports"]["exports"]
    exports[0]["data"]["max_rows_per_file"] = 5_000
    broken = json.loads(json.dumps(exports[0]))
    broken["name"] = BROKEN
    broken["schedule"]["frequency"] = "dayly"
    broken["data"]["compresion"] = broken["data"].pop("compression")
    del broken["destination"]["config"]["bucket"]
    exports.append(broken)
    workspace.document.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def wait_for_runs(airflow: AirflowServer, number: int) -> list[dict[str, Any]]:
    """Wait until that many runs have succeeded, and give them, the latest window first.

    Raises:
        PermanentError: A run has failed, or they aren't over in time.
    """
    found: list[dict[str, Any]] = []

    def over() -> bool:
        found[:] = airflow.request(f"dags/{DAG_ID}/dagRuns?order_by=-logical_date")["dag_runs"]
        if failed := [run["dag_run_id"] for run in found if run["state"] == "failed"]:
            raise PermanentError(f"the run {failed[0]} has failed")
        return [run["state"] for run in found].count("success") >= number

    wait_until(over, list(airflow.processes.values()), _PATIENCE, f"{number} runs")
    return found


@dataclass(frozen=True)
class Pictures:
    """Takes pictures of Airflow's pages, each when all of it is there.

    Args:
        page: A page of the browser.
        url: Airflow's address.
    """

    page: Page
    url: str

    def take(self, name: str) -> None:
        """Take a picture of what the page shows when it has come to rest.

        Raises:
            PermanentError: The picture is too large.
        """
        self.page.wait_for_function(f"() => document.querySelectorAll('{_LOADING}').length === 0")
        self.page.wait_for_timeout(2_000)  # fonts, and what slides into its place
        path = IMAGES / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        if path.stat().st_size > LARGEST:
            raise PermanentError(f"{path} has {path.stat().st_size} bytes", allowed=f"at most {LARGEST}")

    def dags(self) -> None:
        """The list."""
        self.page.goto(f"{self.url}/dags")
        self.page.get_by_text(DAG_ID).first.wait_for()
        self.take("dags")

    def documentation(self, dag_id: str, name: str) -> None:
        """What the export's page says, in a dialog that is drawn larger by its corner."""
        self.page.goto(f"{self.url}/dags/{dag_id}")
        self.page.get_by_test_id("markdown-button").click()
        dialog = self.page.get_by_role("dialog")
        dialog.locator("li").first.wait_for()
        self.page.wait_for_timeout(1_000)
        box = dialog.bounding_box()
        if box is not None:
            self._drag(box["x"] + box["width"] - 4, box["y"] + box["height"] - 4, 150, 160)
        self.take(name)

    def trigger_form(self) -> None:
        """The form of a single run."""
        open_form(self.page, self.url, DAG_ID)
        self.take("trigger")

    def backfill(self, latest: dt.datetime) -> None:
        """The form of a backfill of some days before a window; then start it."""
        first, last = (latest - dt.timedelta(days=back) for back in DAYS_BACK)
        dialog = backfill_form(self.page, self.url, DAG_ID, first, last)
        self.take("backfill")
        run_backfill(dialog)

    def run(self, run_id: str) -> None:
        """A run's tasks beside the grid of all runs."""
        self.page.goto(f"{self.url}/dags/{DAG_ID}/runs/{quote(run_id, safe='')}")
        self.page.get_by_text("Task Instances").first.wait_for()
        self.page.get_by_test_id("expand-all-button").click()
        # The grid is wider than its place.
        edge = self.page.locator("[data-panel-resize-handle-id], [data-resize-handle]").first.bounding_box()
        if edge is not None:
            self._drag(edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] - 60, 80, 0)
        self.take("run")

    def _drag(self, x: float, y: float, right: float, down: float) -> None:
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + right, y + down, steps=10)
        self.page.mouse.up()


if __name__ == "__main__":
    try:
        main()
    except PermanentError as error:
        sys.exit(f"error: {error}")
