"""The page of an export's DAG: what people read in Airflow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.airflow.dag_page import broken_page, page
from bifrost_export.airflow.trigger_form import trigger_form
from bifrost_export.config.freezing import config_hash, freeze
from tests.unit.config.documents import document, export, loaded, to_s3

KEYS = {"access_key_id": "${AWS_ACCESS_KEY_ID}", "secret_access_key": "canary"}


def page_of(folder: Path, written: dict[str, Any], **top: Any) -> str:
    """The page of a document's one export."""
    [found] = loaded(folder, document(written, **top)).exports
    frozen = freeze(found)
    return page(found.good, frozen, config_hash(frozen))


def fact(shown: str, name: str) -> str:
    """What the page says of one thing."""
    [line] = [each for each in shown.splitlines() if each.startswith(f"- **{name}**: ")]
    return line.removeprefix(f"- **{name}**: ")


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ({"frequency": "daily", "time": "02:00"}, "Daily at 02:00 UTC."),
        (
            {"frequency": "daily", "time": "02:00", "timezone": "America/New_York"},
            r"Daily at 02:00 America/New\_York, on the local calendar.",
        ),
        ({"frequency": "cron", "expression": "0 2 * * 1-5"}, r"By cron 0 2 \* \* 1-5 in UTC."),
    ],
)
def test_the_time_is_told_once(tmp_path: Path, schedule: dict[str, Any], told: str) -> None:
    """With no word on calendars where all are the same, and no mark that Markdown would take for its own."""
    assert fact(page_of(tmp_path, export(schedule=schedule)), "When").startswith(f"{told} A run starts 30m after")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"region": "eu-west-1", "prefix": "a/{year}/"}, r"region eu-west-1, prefix a/\{year\}/"),
        ({"region": "eu-west-1", "credentials": KEYS}, "region eu-west-1"),
        ({"credentials": {**KEYS, "role_arn": "arn:aws:iam::1:role/a"}}, r"role\_arn arn:aws:iam::1:role/a"),
        ({"tags": {"team": "data"}}, "tags team data"),
    ],
)
def test_it_says_where_to_and_shows_no_credentials(tmp_path: Path, config: dict[str, Any], told: str) -> None:
    """Not even the names of the variables that hold them."""
    shown = page_of(tmp_path, to_s3(**config))
    whose = "document" if "credentials" in config else "machine"
    assert fact(shown, "Where to") == f"s3, bucket logs, {told}. Signs in with the {whose}'s own credentials."
    assert "canary" not in shown
    assert "AWS_ACCESS_KEY_ID" not in shown


def test_it_names_the_connection_that_signs_in(tmp_path: Path) -> None:
    """As Airflow lists it."""
    assert "Signs in with the Airflow connection lake." in page_of(tmp_path, to_s3(conn_id="lake"))


def test_a_local_folder_needs_nobody_to_sign_in(tmp_path: Path) -> None:
    """The place alone."""
    shown = page_of(tmp_path, export(destination={"type": "local", "config": {"path": "/exports"}}))
    assert fact(shown, "Where to") == "local, path /exports."


def test_it_says_where_rows_come_from_and_shows_no_password(tmp_path: Path) -> None:
    """Bifrost's own key, or what the tasks find."""
    assert fact(page_of(tmp_path, export()), "Read from") == (
        r"The log store that the variable BIFROST\_LOG\_STORE or the Airflow connection bifrost\_logs names."
    )
    config = {"host": "db", "db_name": "bifrost", "user": "reader", "password": "canary"}
    store = {"enabled": True, "type": "postgres", "config": config}
    shown = page_of(tmp_path, export(), logs_store=store)
    told = r"postgres, host db, user reader, db\_name bifrost. Signs in with the document's own credentials."
    assert fact(shown, "Read from") == told
    assert "canary" not in shown


def test_it_names_the_document_and_no_folder_of_the_machine(tmp_path: Path) -> None:
    """With as much of the hash as tells one configuration from another."""
    shown = page_of(tmp_path, export())
    assert str(tmp_path) not in shown
    told = r"/log\\_exports/exports/0 of log\\_exports\.json, hash [0-9a-f]{12}\."
    assert re.fullmatch(told, fact(shown, "Configuration"))


def test_the_rows_are_told_as_sentences(tmp_path: Path) -> None:
    """Words in the type of code, numbers plain."""
    filters = {"date_range": "last_24_hours", "providers": ["openai"], "status_codes": [200, 429]}
    shown = page_of(tmp_path, export(data={"filters": filters}))
    assert fact(shown, "Which rows") == (
        "Rows of `last_24_hours`, counted back from the window's end; the provider is one of `openai`;"
        " the status code is one of 200, 429."
    )


def test_values_on_the_page_of_a_broken_export_are_no_marks() -> None:
    """Markdown would make stars of a cron expression, and a tag of what looks like one."""
    shown = broken_page("a_b", ["expression is '*/5 * * *'", "unknown key '<b>'"])
    assert r"# a\_b: the configuration is wrong" in shown
    assert r"- expression is '\*/5 \* \* \*'" in shown
    assert r"- unknown key '\<b\>'" in shown


def test_the_trigger_form_says_in_plain_text_how_a_time_is_written() -> None:
    """Airflow shows a description as it is, marks and all."""
    form = {name: str(param.description) for name, param in trigger_form("Europe/Berlin").items()}
    assert form["window_start"].endswith(
        "Write it as 2026-03-01, 2026-03-01T02:00 or 2026-03-01T02:00:00Z; without a zone it is taken in Europe/Berlin."
    )
    assert not any("`" in text for text in form.values())
