"""Airflow's pages in a browser, as a person uses them: the forms of a run and of a backfill."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bifrost_export.errors import PermanentError

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SIZE = {"width": 1400, "height": 900}
"""Of the browser's window."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""The programs that are looked for."""
_PATIENCE = 120_000
"""Milliseconds."""


@contextmanager
def browser() -> Iterator[Page]:
    """A page of a headless Chromium.

    Raises:
        PermanentError: There is no browser, or nothing that drives it.
    """
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise PermanentError("no Chromium is installed", hint="On Debian and Ubuntu: apt-get install chromium.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise PermanentError("playwright is not installed", hint="Run make setup.") from None
    # As root the browser's sandbox does not work.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=arguments)
        page = started.new_page(viewport=SIZE, timezone_id="UTC", locale="en-GB")  # type: ignore[arg-type]
        page.set_default_timeout(_PATIENCE)
        yield page
        started.close()


def open_form(page: Page, url: str, dag_id: str) -> Locator:
    """The form that a DAG is triggered by.

    Args:
        page: A page of the browser.
        url: Airflow's address.
        dag_id: The DAG.
    """
    page.goto(f"{url}/dags/{dag_id}")
    page.get_by_test_id("trigger-dag-button").click()
    dialog = page.get_by_role("dialog").first
    dialog.get_by_text("Run Parameters").wait_for()
    return dialog


def backfill_form(page: Page, url: str, dag_id: str, first: dt.datetime, last: dt.datetime) -> Locator:
    """The form of a backfill of whole days, filled in.

    Args:
        page: A page of the browser.
        url: Airflow's address.
        dag_id: The DAG.
        first: A time of the first day, in UTC.
        last: A time of the last day, in UTC.
    """
    dialog = open_form(page, url, dag_id)
    dialog.get_by_text("Backfill", exact=True).click()
    _fill(page, dialog, 0, first.replace(hour=0, minute=0))
    _fill(page, dialog, 1, last.replace(hour=23, minute=0))
    return dialog


def run_backfill(dialog: Locator) -> None:
    """Start it."""
    dialog.get_by_role("button", name="Run Backfill").click()
    dialog.wait_for(state="hidden")


def _fill(page: Page, dialog: Locator, number: int, when: dt.datetime) -> None:
    field = dialog.get_by_test_id("datetime-input").nth(number)
    field.click()
    page.get_by_placeholder("YYYY/MM/DD").fill(f"{when:%Y/%m/%d}")
    page.get_by_placeholder("HH:mm").fill(f"{when:%H:%M}")
    field.click()
