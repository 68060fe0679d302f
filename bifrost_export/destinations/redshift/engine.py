"""Redshift as the commit speaks to it: one session; COPY from the staging bucket, or tables of parts without one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.redshift import copy_errors, errors, found_table
from bifrost_export.destinations.redshift.bucket import StagingBucket
from bifrost_export.destinations.redshift.connection import connect, copy_keys
from bifrost_export.destinations.redshift.dialect import RedshiftDialect
from bifrost_export.destinations.redshift.part_tables import PartTables
from bifrost_export.destinations.temporary_files import temporary_folder
from bifrost_export.destinations.warehouse import engine
from bifrost_export.destinations.warehouse.dbapi_session import Session
from bifrost_export.destinations.warehouse.row_statements import check_count
from bifrost_export.destinations.warehouse.statements import Check, Do, Statement, Value, text
from bifrost_export.errors import BifrostExportError, DestinationError

if TYPE_CHECKING:
    from bifrost_export.destinations.redshift.config import RedshiftConfig
    from bifrost_export.destinations.warehouse.dialect import FoundColumn
    from bifrost_export.destinations.warehouse.engine import FoundTable, StagedFile
    from bifrost_export.destinations.warehouse.names import StagedNames
    from bifrost_export.destinations.warehouse.tables import Column, Table

LOCK_SECONDS = engine.LOCK_SECONDS
"""So long a run waits for a table that somebody else holds, before it lets go and tries again."""


class RedshiftEngine(Session):
    """The warehouse of one run.

    Args:
        config: The destination's config, references resolved.
        names: The names of what the run stages.
    """

    def __init__(self, config: RedshiftConfig, names: StagedNames) -> None:
        super().__init__(RedshiftDialect((config.schema_,)))
        self.config = config
        self.names = names
        self.bucket = StagingBucket(config, names) if config.staging else None
        self.parts = PartTables(self, names, config.schema_)
        self._held: str | None = None

    def connect(self) -> Any:
        """A session whose times are in UTC."""
        connection = connect(self.config)
        cursor = connection.cursor()
        cursor.execute("SET timezone TO 'UTC'")
        cursor.close()
        return connection

    def told(self, what: str) -> AbstractContextManager[None]:
        """Turns the driver's errors into the tree's."""
        return errors.told(what, held=self._held, seconds=LOCK_SECONDS)

    def place(self, name: str, value: Value, values: list[Any]) -> str:
        """`%s` with its type, which a null needs."""
        types = {"string": "VARCHAR(65535)", "timestamp": "TIMESTAMPTZ", "int64": "BIGINT", "double": "FLOAT8"}
        values.append(value.value)
        return f"CAST(%s AS {types[value.type]})"

    def find(self) -> str:
        """Look whether the schema is there, and may be used."""
        name = self.dialect.fold(self.config.schema_)
        sql = "SELECT HAS_SCHEMA_PRIVILEGE(nspname, 'USAGE') FROM pg_namespace WHERE nspname = :name"
        found = self.query(Statement(sql, {"name": text(name)}))
        if not found:
            raise DestinationError(
                f"there is no schema {name} in {self.config.database}",
                hint="Create it, or mend destination.config.schema.",
            )
        if not found[0][0]:
            raise DestinationError(
                f"the user lacks USAGE on the schema {name} in {self.config.database}", hint=errors.GRANTS
            )
        if self.bucket is not None:
            self.bucket.check_region()
        return f"{self.config.database}.{name} is there"

    def columns(self, table: str) -> dict[str, FoundColumn] | None:
        """A table's columns by name, or None where there is no such table."""
        found = self.look(table)
        return None if found is None else found.columns

    def look(self, table: str) -> FoundTable | None:
        """A table with its kind, or None where nothing has that name."""
        names = {"schema": text(self.dialect.fold(self.config.schema_)), "name": text(self.dialect.fold(table))}
        rows = self.query(Statement(found_table.COLUMNS, names))
        return found_table.describe(rows, self.query(Statement(found_table.TYPES, names))) if rows else None

    def stage(self, name: str, file: Path, table: Table, rows: int) -> str:
        """Put a file into the staging bucket, or its rows into a table of their own."""
        return self.bucket.put(name, file) if self.bucket else self.parts.fill(name, file, table, rows)

    def unpack(self, table: Table, files: Sequence[StagedFile]) -> list[str]:
        """COPY the files into a temporary table of this session; tables of parts are read as they are."""
        if self.bucket is None:
            return self.parts.sources(table, files)
        name = f"bifrost_export_{table.name}_{self.names.target.token}"
        staged = self.dialect.quote(name)
        address = self.bucket.put_manifest(table.name, files)
        columns = [
            f"{self.dialect.quote(each.name)} {self.dialect.type_of(each, is_staged=True)}"
            f"{' NOT NULL' if each.required else ''}"
            for each in table.from_files
        ]
        self.execute(Statement(f"DROP TABLE IF EXISTS {staged}"))
        self.execute(Statement(f"CREATE TEMP TABLE {staged} ({', '.join(columns)})"))
        listed = ", ".join(self.dialect.quote(each.name) for each in table.from_files)
        self._copy(
            f"COPY {staged} ({listed}) FROM {self.dialect.literal(address)} {self._reads_s3()}"
            " FORMAT AS PARQUET MANIFEST"
        )
        check_count(self, staged, sum(file.rows for file in files))
        return [staged]

    def _copy(self, sql: str) -> None:
        """Run a COPY; one that fails for good is looked up where Redshift tells more of it."""
        try:
            self.execute(Statement(sql))
        except DestinationError as error:
            rows: list[tuple[Any, ...]] = []
            with suppress(BifrostExportError):
                rows = self.query(Statement(copy_errors.LOAD_ERRORS))
            raise copy_errors.with_load_error(error, rows) from None

    def _reads_s3(self) -> str:
        assert self.config.staging is not None  # noqa: S101 (there is a bucket)
        role = self.config.staging.iam_role
        if role is not None and role.lower() == "default":
            return "IAM_ROLE default"
        if role is not None:
            return f"IAM_ROLE {self.dialect.literal(role)}"
        keys = ";".join(f"{name}={value}" for name, value in copy_keys(self.config).items())
        return f"CREDENTIALS {self.dialect.literal(keys)}"

    @contextmanager
    def waiting(self, table: str) -> Iterator[None]:
        """Statements inside wait for a table that others hold no longer than `LOCK_SECONDS`."""
        # Redshift has no timeout for locks alone.
        self.execute(Statement(f"SET statement_timeout TO {LOCK_SECONDS * 1000}"))
        self._held = self.dialect.address(table)
        try:
            yield
        except Exception:
            self._held = None
            with suppress(BifrostExportError):  # in a transaction that has failed, it is part of the rollback
                self._reset()
            raise
        self._held = None
        self._reset()

    def _reset(self) -> None:
        """Let statements take as long as the administrator lets them."""
        self.execute(Statement("RESET statement_timeout"))

    def take(self, step: Do | Check) -> None:
        """Take one step; a lock is waited for no longer than `LOCK_SECONDS`."""
        with self.waiting(step.locks) if isinstance(step, Do) and step.locks else nullcontext():
            super().take(step)

    def roll_back(self) -> None:
        """Give up a transaction, and forget a lock's timeout."""
        super().roll_back()
        if self._connection is not None:
            self._reset()

    def create(self, table: Table) -> None:
        """Make a table where there is none, with comments: all of it or nothing."""
        self.transact([Do(statement) for statement in self.dialect.create(table)], 0)

    def add(self, table: Table, columns: Sequence[Column]) -> None:
        """Add columns with their comments, or none."""
        self.transact([Do(each) for column in columns for each in self.dialect.add(table, column)], 0)

    def job_id(self) -> str:
        """The id of the session's process."""
        return str(self.query(Statement("SELECT pg_backend_pid()"))[0][0])

    def staged(self) -> list[str]:
        """What other tokens have staged for this window."""
        return self.bucket.of_others() if self.bucket else self.parts.of_others()

    def remove(self, keys: Iterable[str]) -> None:
        """Take staged files away."""
        self.bucket.remove(keys) if self.bucket else self.parts.remove(keys)

    def clean_up(self, keep: dt.timedelta) -> None:
        """Take away what this run has staged, and what any run has staged longer ago."""
        self.bucket.clean_up(keep) if self.bucket else self.parts.clean_up(keep)

    def probe_staging(self) -> Any:
        """Put an object into the staging bucket, let COPY's rights be, and take it away."""
        from bifrost_export.destinations.checks import Probe

        if self.bucket is None:
            return Probe(
                "stage a file",
                True,
                "there is no staging bucket: rows go in by batched inserts, which is slow",
                "Set destination.config.staging to load by COPY.",
            )
        with temporary_folder() as folder:
            file = folder / "check"
            file.write_bytes(b"bifrost-export check: this object may be deleted\n")
            key = self.bucket.put("check", file)
        self.bucket.remove([key])
        return f"{self.bucket.address(key)} was put and deleted"
