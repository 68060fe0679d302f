"""A BigQuery on the loopback while a block lasts, for the demo."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.errors import PermanentError
from demo.servers.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.servers.bigquery.api import Api
    from demo.servers.google_auth import Account


@dataclass(frozen=True)
class BigQueryServer:
    """A running server with one dataset.

    Args:
        api: The server.
        account: Who may use it.
        project: The project.
        dataset: The dataset's name.
    """

    api: Api
    account: Account
    project: str
    dataset: str

    @property
    def url(self) -> str:
        """Its address, as Google's client takes it from `BIGQUERY_EMULATOR_HOST`."""
        return self.api.url

    def tables(self) -> dict[str, int]:
        """Each table with the number of its rows."""
        names = sorted(table for _, dataset, table in self.api.service.catalog.tables if dataset == self.dataset)
        return {name: self.rows(f"SELECT COUNT(*) AS n FROM {self.quoted(name)}")[0]["n"] for name in names}

    def quoted(self, table: str) -> str:
        """A table, as DuckDB, which holds the rows, knows it."""
        return f'"{self.project}:{self.dataset}"."{table}"'

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows that a statement of DuckDB's SQL gives."""
        cursor = self.api.service.catalog.database.cursor()
        try:
            found = cursor.execute(sql)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        finally:
            cursor.close()


@contextlib.contextmanager
def bigquery_server(project: str, dataset: str) -> Iterator[BigQueryServer]:
    """Run a BigQuery with an empty dataset on a free port of the loopback while the block lasts.

    Raises:
        PermanentError: What it is made of isn't installed.
    """
    try:
        from demo.servers.bigquery.api import Api
        from demo.servers.google_auth import google_auth
    except ImportError as error:
        raise PermanentError(
            f"the BigQuery server of demo and tests is not installed ({error})",
            hint="Install what the demo needs: make setup",
        ) from None
    with google_auth() as auth:
        api = Api(auth)
        with serving(api):
            api.service.catalog.make_dataset(project, {"datasetReference": {"datasetId": dataset}})
            yield BigQueryServer(api, auth.make_account(), project, dataset)
