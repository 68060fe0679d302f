"""BigQuery as the commit speaks to it: load jobs into tables of parts, and one script with one transaction."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.bigquery import faults
from bifrost_export.destinations.bigquery.connection import connect
from bifrost_export.destinations.bigquery.dialect import BigQueryDialect
from bifrost_export.destinations.bigquery.jobs import TIMEOUT, WAIT, Jobs, retry
from bifrost_export.destinations.bigquery.scripts import bound, script
from bifrost_export.destinations.warehouse.engine import FoundColumn, StagedGoneError, moment
from bifrost_export.destinations.warehouse.moving import unions
from bifrost_export.destinations.warehouse.names import PART_TABLES, PartTable
from bifrost_export.errors import DestinationError
from bifrost_export.window import UTC

if TYPE_CHECKING:
    from pathlib import Path

    from bifrost_export.destinations.bigquery.config import BigQueryConfig
    from bifrost_export.destinations.warehouse.dialect import Dialect
    from bifrost_export.destinations.warehouse.engine import StagedFile
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

    @property
    def client(self) -> Any:
        """The client, signed in when first used."""
        if self._client is None:
            moment("connect")
            with faults.told("signing in"):
                self._client = connect(self.config)
        return self._client

    @property
    def jobs(self) -> Jobs:
        """The run's jobs."""
        return Jobs(self.client, self.names, self.config.location)

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
        client = self.client
        moment(sql)
        with faults.told(" ".join(sql.split()[:3])[:60]):
            job = client.query(
                sql,
                job_config=QueryJobConfig(query_parameters=parameters, labels=self._labels),
                location=self.config.location,
                retry=retry(),
                timeout=TIMEOUT,
            )
            return list(job.result(retry=retry(), timeout=WAIT))

    def find(self) -> str:
        """Look whether the dataset is there."""
        name = f"{self.config.project_id}.{self.config.dataset}"
        client = self.client
        moment("get dataset")
        with faults.told(f"looking for the dataset {name}"):
            found = client.get_dataset(name, retry=retry(), timeout=TIMEOUT)
        return f"{name} is there" + (f", in {found.location}" if found.location else "")

    def _table(self, name: str) -> Any:
        """A table as the service describes it, or None."""
        from google.api_core.exceptions import NotFound

        client = self.client
        moment(f"get table {name}")
        with faults.told(f"looking for the table {self.dialect.address(name)}"):
            try:
                return client.get_table(self.dialect.address(name), retry=retry(), timeout=TIMEOUT)
            except NotFound as error:
                if "Not found: Dataset" in str(error):
                    raise
                return None

    def columns(self, table: str) -> dict[str, FoundColumn] | None:
        """A table's columns by name in lower case, or None where there is no such table."""
        found = self._table(table)
        if found is None:
            return None
        return {
            field.name.lower(): FoundColumn(
                field.name,
                field.field_type.upper() if field.mode != "REPEATED" else f"ARRAY<{field.field_type}>",
                field.mode != "REQUIRED",
                field.default_value_expression is not None,
            )
            for field in found.schema
        }

    def _field(self, column: Column, *, is_new: bool = False, is_staged: bool = False) -> Any:
        from google.cloud.bigquery import SchemaField

        mode = "REQUIRED" if column.required and not is_new else "NULLABLE"
        kind = self.dialect.type_of(column, is_staged=is_staged)
        return SchemaField(column.name, kind, mode=mode, description=column.description)

    def create(self, table: Table) -> None:
        """Make it, partitioned by the day of its instant, and clustered."""
        from google.cloud import bigquery

        made = bigquery.Table(self.dialect.address(table.name), schema=[self._field(each) for each in table.columns])
        made.description = table.description
        if table.loaded:
            made.time_partitioning = bigquery.TimePartitioning(type_="DAY", field=table.ordered_by)
            made.clustering_fields = list(table.clustered_by) or None
        client = self.client
        moment(f"create table {table.name}")
        with faults.told(f"making the table {self.dialect.address(table.name)}"):
            client.create_table(made, exists_ok=True, retry=retry(), timeout=TIMEOUT)

    def add(self, table: Table, columns: Sequence[Column]) -> None:
        """Add columns by a new schema, on condition that the table is as it was read."""
        client = self.client
        moment(f"add columns to {table.name}")
        with faults.told(f"adding columns to {self.dialect.address(table.name)}"):
            found = client.get_table(self.dialect.address(table.name), retry=retry(), timeout=TIMEOUT)
            found.schema = [*found.schema, *(self._field(column, is_new=True) for column in columns)]
            client.update_table(found, ["schema"], retry=retry(), timeout=TIMEOUT)

    def stage(self, name: str, file: Path, table: Table, rows: int) -> str:
        """Load a file into a table of its own, which expires."""
        from google.cloud import bigquery

        part = self.names.part_table(name)
        schema = [self._field(each, is_staged=True) for each in table.from_files]
        made = bigquery.Table(self.dialect.address(part), schema=schema)
        made.expires = dt.datetime.now(UTC) + EXPIRES
        made.labels = self._labels
        client = self.client
        moment(f"create table {part}")
        with faults.told(f"making the table {self.dialect.address(part)}"):
            client.create_table(made, exists_ok=True, retry=retry(), timeout=TIMEOUT)
        config = bigquery.LoadJobConfig(
            source_format="PARQUET", write_disposition="WRITE_TRUNCATE", schema=schema, labels=self._labels
        )
        self.jobs.load(name, file, self.dialect.address(part), config)
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
                location=self.config.location,
                retry=retry(),
                job_retry=None,
                timeout=TIMEOUT,
            ),
        )

    def job_id(self) -> str:
        """What the ids of the jobs that publish begin with."""
        return self.jobs.stem("publish")

    def _parts(self) -> list[tuple[str, PartTable]]:
        client = self.client
        moment("list tables")
        with faults.told(f"listing the tables of {self.config.dataset}"):
            dataset = f"{self.config.project_id}.{self.config.dataset}"
            names = [each.table_id for each in client.list_tables(dataset, retry=retry(), timeout=TIMEOUT)]
        return [(name, part) for name in names if name.startswith(PART_TABLES) and (part := PartTable.read(name))]

    def staged(self) -> list[str]:
        """The tables that other tokens have staged for this window."""
        token, window = self.names.target.token, self.names.window_hash
        return [name for name, part in self._parts() if part.window_hash == window and part.token != token]

    def remove(self, keys: Iterable[str]) -> None:
        """Delete tables; those that are gone are fine."""
        client = self.client
        for key in keys:
            moment(f"delete table {key}")
            with faults.told(f"deleting the table {self.dialect.address(key)}"):
                client.delete_table(self.dialect.address(key), not_found_ok=True, retry=retry(), timeout=TIMEOUT)

    def clean_up(self, keep: dt.timedelta) -> None:
        """Delete the tables that this run has staged; older ones have expired."""
        token, window = self.names.target.token, self.names.window_hash
        self.remove(name for name, part in self._parts() if part.window_hash == window and part.token == token)

    def probe_staging(self) -> str:
        """Load a row into a table of its own, and delete it."""
        import pyarrow as pa
        import pyarrow.parquet as pq
        from google.cloud import bigquery

        name = f"bifrost_export_check_{self.names.target.token}_load"
        body = io.BytesIO()
        pq.write_table(pa.table({"probe": ["this table may be deleted"]}), body, compression="snappy")
        body.seek(0)
        config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
        client = self.client
        try:
            with faults.told(f"loading {self.dialect.address(name)}"):
                job = client.load_table_from_file(body, self.dialect.address(name), job_config=config, timeout=TIMEOUT)
                job.result(retry=retry(), timeout=WAIT)
        finally:
            self.remove([name])
        return f"{self.dialect.address(name)} was loaded and deleted"

    def close(self) -> None:
        """Close the client's connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
