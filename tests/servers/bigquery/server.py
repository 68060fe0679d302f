"""A dataset of the tests' BigQuery, and what tests ask of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from demo.servers.bigquery.api import Api
from demo.servers.google_auth import Account, GoogleAuth, google_auth
from demo.servers.serving import serving

PROJECT = "bifrost-test"
LOCATION = "europe-west4"
"""A single region: there a job is found by those alone who name it."""
_NUMBERS = itertools.count(1)


@dataclass
class BigQuery:
    """One dataset.

    Args:
        api: The server.
        auth: The sign-in that it trusts.
        account: Who exports.
        dataset: The dataset's name.
        conn_id: An Airflow connection that signs in as the account.
    """

    api: Api
    auth: GoogleAuth
    account: Account
    dataset: str
    conn_id: str = "bigquery_test"

    def config(self, **changes: Any) -> dict[str, Any]:
        """A destination's config."""
        base = {"conn_id": self.conn_id, "project_id": PROJECT, "dataset": self.dataset, "table": "request_logs"}
        return {key: value for key, value in {**base, **changes}.items() if value is not None}

    @property
    def environment(self) -> dict[str, str]:
        """What the client needs to find the server, and the connection."""
        extra = {"keyfile_dict": self.account.key, "project": PROJECT}
        connection = json.dumps({"conn_type": "google_cloud_platform", "extra": extra})
        return {"BIGQUERY_EMULATOR_HOST": self.api.url, f"AIRFLOW_CONN_{self.conn_id.upper()}": connection}

    def sql(self, sql: str) -> list[list[str]]:
        """The rows that a statement gives, as texts; DuckDB's SQL, in which `{}` stands for the dataset."""
        cursor = self.api.service.catalog.database.cursor()
        rows = cursor.execute(sql.replace("{}", f'"{PROJECT}:{self.dataset}"')).fetchall()
        return [["" if value is None else str(value) for value in row] for row in rows]

    def staged(self) -> list[str]:
        """The tables of parts."""
        keys = self.api.service.catalog.tables
        return sorted(key[2] for key in keys if key[1] == self.dataset and key[2].startswith("bifrost_part_"))


@contextmanager
def bigquery_api(auth: GoogleAuth) -> Iterator[Api]:
    """Run the server on a free port of the loopback while the block lasts."""
    api = Api(auth)
    with serving(api):
        yield api


@pytest.fixture(scope="session")
def bigquery_server() -> Iterator[tuple[Api, GoogleAuth]]:
    """The server and its sign-in."""
    with google_auth() as auth, bigquery_api(auth) as api:
        yield api, auth


def bigquery_dataset(api: Api, auth: GoogleAuth) -> BigQuery:
    """Make an empty dataset, and an account that may use it."""
    found = BigQuery(api, auth, auth.make_account(), f"warehouse_{next(_NUMBERS)}")
    body = {"datasetReference": {"datasetId": found.dataset}, "location": LOCATION}
    api.service.catalog.make_dataset(PROJECT, body)
    return found


@pytest.fixture
def bigquery(bigquery_server: tuple[Api, GoogleAuth], monkeypatch: pytest.MonkeyPatch) -> BigQuery:
    """An empty dataset; a connection that may use it is in the environment."""
    api, auth = bigquery_server
    api.service.faults.clear()
    api.lose = lambda _method, _path: False
    found = bigquery_dataset(api, auth)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found
