"""A log store is read wherever it is named, in JSON and in YAML, also by Bifrost's own config.json."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from bifrost_export.cli.group import execute

WINDOW = ("--window-start", "2026-03-01T00:00:00Z", "--window-end", "2026-03-02T00:00:00Z")
EXPORT = {
    "name": "nightly",
    "schedule": {"frequency": "daily"},
    "destination": {"type": "local", "config": {"path": "out"}},
}
OF_BIFROST = {
    "providers": {"openai": {"keys": [{"value": "env.OPENAI_API_KEY", "weight": 1}]}},
    "client": {"log_retention_days": 30, "enable_logging": True},
    "logs_store": {"enabled": True, "type": "sqlite", "config": {"path": "env.LOGS_OF_THE_GATEWAY"}},
}
PLACES = [("export", "json"), ("log_exports", "yaml"), ("logs_store", "json"), ("logs_store", "yaml")]
PLACES += [("variable", "json"), ("connection", "yaml")]


def document(place: str, log_store: Path, staging: Path) -> dict[str, Any]:
    """A document that names the log store in this place, or in none where it is one outside of the document."""
    source = {"source": {"type": "sqlite", "config": {"path": str(log_store)}}}
    export = {**EXPORT, **(source if place == "export" else {})}
    top = {"staging": {"url": staging.as_uri()}, **(source if place == "log_exports" else {})}
    return {**(OF_BIFROST if place == "logs_store" else {}), "log_exports": {**top, "exports": [export]}}


def rows_of(log_store: Path) -> int:
    """How many rows of the window have ended."""
    statement = "SELECT count(*) FROM logs WHERE status <> 'processing' AND substr(timestamp, 1, 10) = '2026-03-01'"
    with closing(sqlite3.connect(log_store)) as connection:
        return int(connection.execute(statement).fetchone()[0])


@pytest.mark.parametrize(("place", "ending"), PLACES)
def test_each_of_the_five_places_names_the_log_store(
    place: str,
    ending: str,
    tmp_path: Path,
    log_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run exports its rows, and `validate` warns of none."""
    write = json.dumps if ending == "json" else yaml.safe_dump
    path = tmp_path / f"config.{ending}"
    path.write_text(write(document(place, log_store, tmp_path / "staging")), "utf-8")
    connection = json.dumps({"conn_type": "sqlite", "host": str(log_store)})
    variables = {
        "logs_store": ("LOGS_OF_THE_GATEWAY", str(log_store)),
        "variable": ("BIFROST_LOG_STORE", f"sqlite:///{log_store}"),
        "connection": ("AIRFLOW_CONN_BIFROST_LOGS", connection),
    }
    if place in variables:
        monkeypatch.setenv(*variables[place])

    assert execute(["validate", str(path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "problems": []}
    assert execute(["run", str(path), "--export", "nightly", *WINDOW, "--format", "json"]) == 0

    told = json.loads(capsys.readouterr().out)["datasets"]["request_logs"]
    assert told["exported"] == rows_of(log_store) > 0


def test_without_any_of_them_a_run_says_where_to_name_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All five places, in their order."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document("none", tmp_path / "logs.db", tmp_path / "staging")), "utf-8")
    assert execute(["run", str(path), "--export", "nightly", *WINDOW]) == 2
    told = " ".join(capsys.readouterr().err.split())
    places = ["the export's `source`", "`log_exports.source`", "`logs_store`", "BIFROST_LOG_STORE", "bifrost_logs"]
    found = [told.index(place) for place in places]
    assert found == sorted(found)
