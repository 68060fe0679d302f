"""Snowflake as the commit speaks to it: one session; PUT to a stage, COPY into a temporary table."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.snowflake import connection, errors
from bifrost_export.destinations.snowflake.dialect import SnowflakeDialect
from bifrost_export.destinations.snowflake.grants import of_warehouse
from bifrost_export.destinations.temporary_files import temporary_folder
from bifrost_export.destinations.warehouse.dbapi_session import Session
from bifrost_export.destinations.warehouse.dialect import FoundColumn
from bifrost_export.destinations.warehouse.engine import TABLE, FoundTable, StagedGoneError
from bifrost_export.destinations.warehouse.row_statements import check_count
from bifrost_export.destinations.warehouse.statements import Statement, Value, text
from bifrost_export.errors import DestinationError
from bifrost_export.window import UTC

if TYPE_CHECKING:
    from bifrost_export.destinations.snowflake.config import SnowflakeConfig
    from bifrost_export.destinations.warehouse.engine import StagedFile
    from bifrost_export.destinations.warehouse.names import StagedNames
    from bifrost_export.destinations.warehouse.tables import Column, Table

STAGE = "bifrost_export_stage"
MOST_FILES = 1000
"""Files that one COPY may name."""

_PLAIN = re.compile(r'[\w@."/-]+')


class SnowflakeEngine(Session):
    """The warehouse of one run.

    Args:
        config: The destination's config, references resolved.
        names: The names of what the run stages.
    """

    def __init__(self, config: SnowflakeConfig, names: StagedNames) -> None:
        super().__init__(SnowflakeDialect((config.database, config.schema_)))
        self.config = config
        self.names = names
        self.stage_name = self.dialect.table(STAGE)
        self._has_stage = False

    def connect(self) -> Any:
        """A session with the run's query tag."""
        target = self.names.target
        return connection.connect(self.config, f"bifrost-export {target.export} {target.window.name} {target.token}")

    def told(self, what: str) -> AbstractContextManager[None]:
        """Turns the driver's errors into the tree's."""
        grant = of_warehouse(self.config) if self.config.warehouse else None
        return errors.told(what, seconds=connection.LOCK_SECONDS, grant=grant)

    def place(self, name: str, value: Value, values: list[Any]) -> str:
        """`%s` with its type, which a null and a time need."""
        types = {"string": "VARCHAR", "timestamp": "TIMESTAMP_TZ", "int64": "NUMBER(38, 0)", "double": "FLOAT"}
        values.append(value.value)
        return f"CAST(%s AS {types[value.type]})"

    def find(self) -> str:
        """Look whether database and schema are there."""
        name = self.dialect.fold(self.config.schema_)
        schemata = f"{self.dialect.quote(self.config.database)}.information_schema.schemata"
        sql = f"SELECT 1 FROM {schemata} WHERE schema_name = :name"
        if not self.query(Statement(sql, {"name": text(name)})):
            raise DestinationError(
                f"there is no schema {name} in {self.dialect.fold(self.config.database)}, or the role may not see it",
                hint="Create it, grant USAGE on it, or mend destination.config.schema.",
            )
        return f"{self.dialect.fold(self.config.database)}.{name} is there"

    def columns(self, table: str) -> dict[str, FoundColumn] | None:
        """A table's columns by name, or None where there is no such table."""
        rows = self._described(
            table,
            "columns",
            "column_name, data_type, numeric_precision, numeric_scale, is_nullable, column_default,"
            " character_maximum_length",
        )
        return {
            name: FoundColumn(
                name,
                _type(kind, precision, scale),
                nullable == "YES",
                default is not None,
                length if kind == "TEXT" else None,
            )
            for name, kind, precision, scale, nullable, default, length in rows
        } or None

    def look(self, table: str) -> FoundTable | None:
        """A table with its kind, or None where nothing has that name."""
        found = self.columns(table)
        if found is None:
            return None
        kinds = self._described(table, "tables", "table_type")
        kind = str(kinds[0][0]) if kinds else "VIEW"
        return FoundTable(TABLE if kind == "BASE TABLE" else kind.lower(), found)

    def _described(self, table: str, view: str, columns: str) -> list[tuple[Any, ...]]:
        """What the database's own description says of a table."""
        names = {"schema": text(self.dialect.fold(self.config.schema_)), "name": text(self.dialect.fold(table))}
        source = f"{self.dialect.quote(self.config.database)}.information_schema.{view}"
        return self.query(
            Statement(f"SELECT {columns} FROM {source} WHERE table_schema = :schema AND table_name = :name", names)
        )

    def _at(self, path: str = "") -> str:
        """The stage, or a place in it; in quotes where a name of the document's needs them."""
        place = f"@{self.stage_name}/{path}" if path else f"@{self.stage_name}"
        return place if _PLAIN.fullmatch(place) else f"'{place}'"

    def stage(self, name: str, file: Path, table: Table, rows: int) -> str:
        """PUT a file into the run's folder of the stage; the same name again replaces it."""
        return self._put(file, self.names.folder)

    def _ensure_stage(self) -> None:
        if not self._has_stage:
            self.execute(Statement(f"CREATE STAGE IF NOT EXISTS {self.stage_name}"))
            self._has_stage = True

    def _put(self, file: Path, folder: str) -> str:
        self._ensure_stage()
        options = "AUTO_COMPRESS=FALSE SOURCE_COMPRESSION=NONE OVERWRITE=TRUE"
        self.execute(Statement(f"PUT 'file://{file}' {self._at(folder)} {options}"))
        return f"{folder}{file.name}"

    def unpack(self, table: Table, files: Sequence[StagedFile]) -> list[str]:
        """COPY the files into a temporary table of this session, by their names and columns."""
        there = {path for path, _ in self._list()}
        for file in files:
            if file.key not in there:
                raise StagedGoneError(f"@{self.dialect.address(STAGE)}/{file.key}")
        staged = self.dialect.table(f"bifrost_export_{table.name}_{self.names.target.token}")
        columns = ", ".join(self._define(column) for column in table.from_files)
        self.execute(Statement(f"CREATE OR REPLACE TEMPORARY TABLE {staged} ({columns})"))
        for first in range(0, len(files), MOST_FILES):
            self._copy(staged, table, files[first : first + MOST_FILES])
        check_count(self, staged, sum(file.rows for file in files))
        return [staged]

    def _define(self, column: Column) -> str:
        kind = self.dialect.type_of(column, is_staged=True)
        return f"{self.dialect.quote(column.name)} {kind}{' NOT NULL' if column.required else ''}"

    def _copy(self, staged: str, table: Table, files: Sequence[StagedFile]) -> None:
        listed = ", ".join(self.dialect.quote(column.name) for column in table.from_files)
        # The names in the file are the dataset's own, whatever the table's columns are called.
        read = ", ".join(
            f'$1:"{column.name}"::{self.dialect.type_of(column, is_staged=True)}' for column in table.from_files
        )
        names = ", ".join(self.dialect.literal(file.key.rpartition("/")[2]) for file in files)
        self.execute(
            Statement(
                f"COPY INTO {staged} ({listed}) FROM (SELECT {read} FROM {self._at(self.names.folder)})"
                f" FILES = ({names}) FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)"
                " ON_ERROR = ABORT_STATEMENT"
            )
        )

    def job_id(self) -> str:
        """The session's id, by which the account's history finds every statement."""
        return str(self.connection.session_id)

    def _list(self) -> list[tuple[str, dt.datetime]]:
        """The paths of all files in the stage, with the time when they were put, UTC."""
        self._ensure_stage()
        rows = self.query(Statement(f"LIST {self._at()}"))
        return [(row[0].partition("/")[2], parsedate_to_datetime(row[3]).astimezone(UTC)) for row in rows]

    def staged(self) -> list[str]:
        """What other tokens have staged for this window."""
        return [path for path, _ in self._list() if self.names.is_of_others(path)]

    def remove(self, keys: Iterable[str]) -> None:
        """Take staged files away."""
        for key in keys:
            self.execute(Statement(f"REMOVE {self._at(key)}"))

    def clean_up(self, keep: dt.timedelta) -> None:
        """Take away what this run has staged, and what any run has staged longer ago."""
        since = dt.datetime.now(UTC) - keep
        self.remove(path for path, put in self._list() if self.names.is_left(path, put, since))

    def probe_staging(self) -> str:
        """PUT a file and take it away."""
        with temporary_folder() as folder:
            file = folder / "check"
            file.write_bytes(b"bifrost-export check: this file may be deleted\n")
            key = self._put(file, self.names.folder)
        self.remove([key])
        return f"@{self.dialect.address(STAGE)}/{key} was put and removed"


def _type(kind: str, precision: int | None, scale: int | None) -> str:
    """A type with what of its precision matters: whole numbers of 19 digits and more, of 10 and more, others."""
    if kind != "NUMBER":
        return kind
    if scale or precision is None or precision < 10:
        return f"NUMBER({precision}, {scale})"
    return "NUMBER" if precision >= 19 else "NUMBER(10)"
