"""Without a staging bucket: each file's rows wait in a table of their own, brought there by batched inserts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.warehouse.engine import StagedGoneError
from bifrost_export.destinations.warehouse.names import PART_TABLES, PartTable
from bifrost_export.destinations.warehouse.row_statements import unions
from bifrost_export.destinations.warehouse.statements import Statement, text
from bifrost_export.errors import DestinationError
from bifrost_export.window import UTC

if TYPE_CHECKING:
    from pathlib import Path

    from bifrost_export.destinations.warehouse.dbapi_session import Session
    from bifrost_export.destinations.warehouse.engine import StagedFile
    from bifrost_export.destinations.warehouse.names import StagedNames
    from bifrost_export.destinations.warehouse.tables import Table

MOST_VALUES = 30_000
"""Values of one INSERT: the wire protocol takes 32,767."""
MOST_ROWS = 1_000


class PartTables:
    """The part tables of one run.

    Args:
        engine: The session.
        names: The names of the run.
        schema: The schema of the tables, as the document names it.
    """

    def __init__(self, engine: Session, names: StagedNames, schema: str) -> None:
        self.engine = engine
        self.names = names
        self.schema = schema

    def fill(self, name: str, file: Path, table: Table, rows: int) -> str:
        """Make a file's table and insert its rows, in one transaction; gives the table's name."""
        import pyarrow.parquet as pq

        dialect = self.engine.dialect
        part = self.names.part_table(name, dt.datetime.now(UTC))
        columns = table.from_files
        defined = ", ".join(
            f"{dialect.quote(each.name)} {dialect.type_of(each, is_staged=True)}{' NOT NULL' if each.required else ''}"
            for each in columns
        )
        self.engine.execute(Statement("BEGIN"))
        try:
            # A former attempt of this task may have made it.
            self.engine.execute(Statement(f"DROP TABLE IF EXISTS {dialect.table(part)}"))
            self.engine.execute(Statement(f"CREATE TABLE {dialect.table(part)} ({defined}) DISTSTYLE EVEN"))
            with pq.ParquetFile(file) as parquet:
                size = max(1, min(MOST_ROWS, MOST_VALUES // len(columns)))
                for batch in parquet.iter_batches(batch_size=size):
                    self._insert(part, batch)
            self._check_count(part, rows)
            self.engine.execute(Statement("COMMIT"))
        except Exception:
            self.engine.roll_back()
            raise
        except BaseException:
            self.engine.close()  # a task that has run out of time waits for no answer any more
            raise
        return part

    def _insert(self, part: str, batch: Any) -> None:
        rows = list(zip(*(_plain(column) for column in batch.columns), strict=True))
        if rows:  # by one statement, every value bound
            places = ", ".join(f"({', '.join(['%s'] * len(rows[0]))})" for _ in rows)
            values = [value for row in rows for value in row]
            self.engine.send(f"INSERT INTO {self.engine.dialect.table(part)} VALUES {places}", values)

    def _check_count(self, part: str, rows: int) -> None:
        found = int(self.engine.query(Statement(f"SELECT COUNT(*) FROM {self.engine.dialect.table(part)}"))[0][0])
        if found != rows:
            raise DestinationError(
                f"{self.engine.dialect.address(part)} holds {found:,} rows instead of {rows:,}", hint="Clear load."
            )

    def sources(self, table: Table, files: Sequence[StagedFile]) -> list[str]:
        """The tables of files, each as it stands after FROM.

        Raises:
            StagedGoneError: One is not there.
            DestinationError: One holds other rows than were staged.
        """
        there = {name for name, _ in self._list()}
        for file in files:
            if file.key not in there:
                raise StagedGoneError(self.engine.dialect.address(file.key))
            self._check_count(file.key, file.rows)
        return unions([self.engine.dialect.table(file.key) for file in files])

    def _list(self) -> list[tuple[str, PartTable]]:
        schema = text(self.engine.dialect.fold(self.schema))
        rows = self.engine.query(
            Statement(
                "SELECT DISTINCT table_name FROM svv_columns"
                " WHERE table_schema = :schema AND table_name >= :first AND table_name < :last",
                {"schema": schema, "first": text(PART_TABLES), "last": text(PART_TABLES + "g")},
            )
        )
        return [(name, read) for (name,) in rows if (read := PartTable.read(name))]

    def of_others(self) -> list[str]:
        """What other tokens have staged for this window."""
        token, window = self.names.target.token, self.names.window_hash
        return [name for name, part in self._list() if part.window_hash == window and part.token != token]

    def remove(self, keys: Iterable[str]) -> None:
        """Drop tables; those that are gone are fine."""
        for key in keys:
            self.engine.execute(Statement(f"DROP TABLE IF EXISTS {self.engine.dialect.table(key)}"))

    def clean_up(self, keep: dt.timedelta) -> None:
        """Drop the tables of this run, and those that any run has made longer ago."""
        since = dt.datetime.now(UTC) - keep
        token, window = self.names.target.token, self.names.window_hash
        self.remove(
            name
            for name, part in self._list()
            if (part.made and part.made < since) or (part.window_hash == window and part.token == token)
        )


def _plain(column: Any) -> list[Any]:
    """A column's values as the driver binds them; times lose their zone, which is UTC."""
    values: list[Any] = column.to_pylist()
    if str(column.type).startswith("timestamp"):
        return [None if value is None else value.replace(tzinfo=None) for value in values]
    return values
