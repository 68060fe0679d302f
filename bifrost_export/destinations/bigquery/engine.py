"""BigQuery as the commit speaks to it: load jobs into tables of parts, and one script with one transaction."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.bigquery import errors, expiration, new_table
from bifrost_export.destinations.bigquery.connection import connect
from bifrost_export.destinations.bigquery.dialect import BigQueryDialect
from bifrost_export.destinations.bigquery.found_table import describe
from bifrost_export.destinations.bigquery.jobs import TIMEOUT, WAIT, Jobs, retry
from bifrost_export.destinations.bigquery.part_tables import PartTables
from bifrost_export.destinations.bigquery.scripts import bound, script
from bifrost_export.destinations.warehouse.engine import StagedGoneError, moment
from bifrost_export.destinations.warehouse.row_statements import unions
from bifrost_export.errors import DestinationError
from bifrost_export.window import UTC

if TYPE_CHECKING:
    from pathlib import Path

    from bifrost_export.destinations.bigquery.config import BigQueryConfig
    from bifrost_export.destinations.warehouse.dialect import Dialect, FoundColumn
    from bifrost_export.destinations.warehouse.engine import FoundTable, StagedFile
    from bifrost_export.destinations.warehouse.names import StagedNames
    from bifrost_export.destinations.warehouse.statements import Check, Do, Statement
    from bifrost_export.destinations.warehouse.tables import Column, Table

EXPIRES = dt.timedelta(days=7)
"""After so long a table of a part goes by itself."""


class BigQueryEngine:
    """The warehouse of one run.

    Args:
        config: The destination's config, references resolved.
        names: The names of what the run stages.
    """

    def __init__(self, config: BigQueryConfig, names: StagedNames) -> None:
        self.config = config
        self.names = names
        self.dialect: Dialect = BigQueryDialect((config.project_id, config.dataset))
        self._client: Any = None
        self._described: Any = None

    @property
    def client(self) -> Any:
        """The client, signed in when first used."""
        if self._client is None:
            moment("connect")
            with errors.told("signing in"):
                self._client = connect(self.config)
        return self._client

    @property
    def jobs(self) -> Jobs:
        """The run's jobs."""
        return Jobs(self.client, self.names, self.location)

    @property
    def _dataset_name(self) -> str:
        return f"{self.config.project_id}.{self.config.dataset}"

    @property
    def _dataset(self) -> Any:
        """The dataset as the service describes it."""
        if self._described is None:
            client = self.client
            moment("get dataset")
            with errors.told(f"looking for the dataset {self._dataset_name}"):
                self._described = client.get_dataset(self._dataset_name, retry=retry(), timeout=TIMEOUT)
        return self._described

    @property
    def location(self) -> str | None:
        """Where the dataset is, which every request about a job has to say outside the multi-regions US and EU.

        Raises:
            DestinationError: The config names another location.
        """
        wanted, found = self.config.location, self._dataset.location
        if wanted and found and wanted.lower() != found.lower():
            raise DestinationError(
                f"destination.config.location is {wanted!r}, and the dataset {self._dataset_name} is in {found}",
                allowed=f"{found}, or no location",
                hint="Fix destination.config.location, or name a dataset in that location.",
            )
        return found or wanted

    @property
    def _labels(self) -> dict[str, str]:
        """What jobs and tables of ours are found by in the console and in bills."""
        return {"bifrost_export": self.names.target.token}

    def query(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""
        return [tuple(row.values()) for row in self._query(statement)]

    def waiting(self, table: str) -> AbstractContextManager[None]:
        """BigQuery cancels the one of two transactions that comes later, so that nothing waits."""
        return nullcontext()

    def execute(self, statement: Statement) -> None:
        """Run a statement."""
        self._query(statement)

    def _query(self, statement: Statement) -> Any:
        from google.cloud.bigquery import QueryJobConfig

        sql, parameters = bound(statement)
        # A question that names no table needs no dataset.
        location = self.location if f".{self.config.dataset}." in sql else self.config.location
        client = self.client
        moment(sql)
        with errors.told(" ".join(sql.split()[:3])[:60]):
            job = client.query(
                sql,
                job_config=QueryJobConfig(query_parameters=parameters, labels=self._labels),
                location=location,
                retry=retry(),
                timeout=TIMEOUT,
            )
            return list(job.result(retry=retry(), timeout=WAIT))

    def find(self) -> str:
        """Look whether the dataset is there."""
        return f"{self._dataset_name} is there" + (f", in {self.location}" if self.location else "")

    def _table(self, name: str) -> Any:
        """A table as the service describes it, or None."""
        from google.api_core.exceptions import NotFound

        client = self.client
        moment(f"get table {name}")
        with errors.told(f"looking for the table {self.dialect.address(name)}"):
            try:
                return client.get_table(self.dialect.address(name), retry=retry(), timeout=TIMEOUT)
            except NotFound as error:
                if "Not found: Dataset" in str(error):
                    raise
                return None

    def columns(self, table: str) -> dict[str, FoundColumn] | None:
        """A table's columns by name in lower case, or None where there is no such table."""
        found = self.look(table)
        return None if found is None else found.columns

    def look(self, table: str) -> FoundTable | None:
        """A table with its kind, or None where nothing has that name."""
        return None if (found := self._table(table)) is None else describe(found)

    def warnings(self, tables: Iterable[Table]) -> list[str]:
        """What BigQuery is going to delete by itself."""
        told = [*expiration.of_dataset(self._dataset, self._dataset_name)]
        for table in tables:
            if (found := self._table(table.name)) is not None:
                told += expiration.of_table(found, table, self.dialect.address(table.name), self.config.expires_after)
        return told

    def create(self, table: Table) -> None:
        """Make it, partitioned by the day of its instant, and clustered."""
        made = new_table.of(self.dialect, table, self.config.expires_after)
        if any(expiration.of_dataset(self._dataset, "")):
            expiration.mark(made)
        client = self.client
        moment(f"create table {table.name}")
        with errors.told(f"making the table {self.dialect.address(table.name)}"):
            self._keep(client.create_table(made, exists_ok=True, retry=retry(), timeout=TIMEOUT))

    def _keep(self, found: Any) -> None:
        """Take away the expirations that the dataset gave to a new table."""
        if expiration.is_new(found):
            moment(f"keep table {found.table_id}")
            expiration.keep(self.client, found, self.config.expires_after, retry=retry(), timeout=TIMEOUT)

    def complete(self, table: Table) -> None:
        """Take away the expirations of a table that a run has created which died before it could."""
        found = self._table(table.name)
        if found is not None:
            with errors.told(f"changing the table {self.dialect.address(table.name)}"):
                self._keep(found)

    def add(self, table: Table, columns: Sequence[Column]) -> None:
        """Add columns, which take null in the rows that are there."""
        new = [new_table.field(self.dialect, column, is_new=True) for column in columns]
        self._reshape(table, "add columns to", lambda fields: [*fields, *new])

    def relax(self, table: Table, columns: Sequence[FoundColumn]) -> None:
        """Let columns take null from now on."""
        self._reshape(table, "relax columns of", lambda fields: new_table.relaxed(fields, columns))

    def _reshape(self, table: Table, what: str, change: Callable[[Sequence[Any]], list[Any]]) -> None:
        """Give a table a new schema, on condition that it is as it was read."""
        client, address = self.client, self.dialect.address(table.name)
        moment(f"{what} {table.name}")
        with errors.told(f"changing the columns of {address}"):
            found = client.get_table(address, retry=retry(), timeout=TIMEOUT)
            found.schema = change(found.schema)
            client.update_table(found, ["schema"], retry=retry(), timeout=TIMEOUT)

    def stage(self, name: str, file: Path, table: Table, rows: int) -> str:
        """Load a file into a table of its own, which expires."""
        from google.cloud import bigquery

        part = self.names.part_table(name)
        schema = [new_table.field(self.dialect, each, is_staged=True) for each in table.from_files]
        made = bigquery.Table(self.dialect.address(part), schema=schema)
        made.expires = dt.datetime.now(UTC) + EXPIRES
        made.labels = self._labels
        client = self.client
        moment(f"create table {part}")
        with errors.told(f"making the table {self.dialect.address(part)}"):
            client.create_table(made, exists_ok=True, retry=retry(), timeout=TIMEOUT)
        config = bigquery.LoadJobConfig(
            source_format="PARQUET", write_disposition="WRITE_TRUNCATE", schema=schema, labels=self._labels
        )
        with file.open("rb") as stream:
            self.jobs.load(name, stream, self.dialect.address(part), config)
        return part

    def unpack(self, table: Table, files: Sequence[StagedFile]) -> list[str]:
        """The tables of the parts, whose rows are counted."""
        for file in files:
            found = self._table(file.key)
            if found is None:
                raise StagedGoneError(self.dialect.address(file.key))
            if found.num_rows != file.rows:
                raise DestinationError(
                    f"{self.dialect.address(file.key)} holds {found.num_rows:,} rows instead of {file.rows:,};"
                    " nothing was published",
                    hint="Clear load and what follows it; if it happens again, look for who else writes there.",
                )
        return unions([self.dialect.table(file.key) for file in files])

    def transact(self, steps: Sequence[Do | Check], attempt: int) -> None:
        """Run one script, which the service carries to its end whether or not we live to see it."""
        from google.cloud.bigquery import QueryJobConfig

        sql, parameters = script(steps)
        config = QueryJobConfig(query_parameters=parameters, labels=self._labels)
        self.jobs.run(
            "publish",
            lambda job_id: self.client.query(
                sql,
                job_config=config,
                job_id=job_id,
                location=self.location,
                retry=retry(),
                job_retry=None,
                timeout=TIMEOUT,
            ),
        )

    def job_id(self) -> str:
        """What the ids of the jobs that publish begin with."""
        return self.jobs.stem("publish")

    @property
    def _parts(self) -> PartTables:
        return PartTables(self.client, self.dialect, self.names, self._dataset_name)

    def staged(self) -> list[str]:
        """The tables that other tokens have staged for this window."""
        return self._parts.of_others()

    def remove(self, keys: Iterable[str]) -> None:
        """Delete tables; those that are gone are fine."""
        self._parts.remove(keys)

    def clean_up(self, keep: dt.timedelta) -> None:
        """Delete the tables that this run has staged; older ones have expired."""
        self.remove(self._parts.of_this_run())

    def probe_staging(self) -> str:
        """Load a row into a table of its own, and delete it."""
        import pyarrow as pa
        import pyarrow.parquet as pq
        from google.cloud import bigquery

        name = f"bifrost_export_check_{self.names.target.token}_load"
        body = io.BytesIO()
        pq.write_table(pa.table({"probe": ["this table may be deleted"]}), body, compression="snappy")
        config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
        try:
            self.jobs.load("check", body, self.dialect.address(name), config)
        finally:
            self.remove([name])
        return f"{self.dialect.address(name)} was loaded and deleted"

    def close(self) -> None:
        """Close the client's connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
