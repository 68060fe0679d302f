"""The tables of a PostgreSQL log store: where they are, their columns with their types, the right to read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from bifrost_export.errors import LogStoreError
from bifrost_export.logstore.postgres.connection import Connection
from bifrost_export.logstore.postgres.errors import row_security_hint
from bifrost_export.logstore.postgres.numeric import NUMBER_TYPES
from bifrost_export.logstore.rows import NUMBERS, REQUIRED

if TYPE_CHECKING:
    from bifrost_export.logstore.columns import LogColumnType

TIMES: Final = ("timestamptz", "timestamp")
TIMES_OF_A_ROW: Final = ("timestamp", "created_at")
_OLDEST = 140_000
_TYPES: Final = {
    **dict.fromkeys((*NUMBERS, "total_tokens"), NUMBER_TYPES),
    **dict.fromkeys(TIMES_OF_A_ROW, TIMES),
}
"""What the types of some columns may be; any other type is read as its text."""

_USUAL: Final = {"int64": "int8", "double": "numeric", "bool": "bool", "timestamp[us, tz=UTC]": "timestamptz"}

_FOUND = """
SELECT format('%I.%I', n.nspname, c.relname) AS name, n.nspname AS schema, c.relkind IN ('r', 'p', 'v') AS lockable,
       has_table_privilege(c.oid, 'SELECT') AS readable, row_security_active(c.oid) AS is_filtered,
       current_user::text AS user_name, current_setting('server_encoding') AS encoding,
       c.relkind::text AS relation
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({wanted})
"""
_COLUMNS = """
SELECT a.attname::text AS name, coalesce(base.typname, t.typname)::text AS type
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid LEFT JOIN pg_type AS base ON base.oid = t.typbasetype
WHERE a.attrelid = to_regclass({wanted}) AND a.attnum > 0 AND NOT a.attisdropped
"""
_ELSEWHERE = """
SELECT n.nspname::text AS schema FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = 'logs' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1
"""


@dataclass(frozen=True)
class Table:
    """The table.

    Args:
        name: With its schema, quoted.
        schema: Its schema.
        columns: Name -> type, in PostgreSQL's short names; that of a domain is the type below it.
        lockable: Whether LOCK TABLE takes it.
        kind: Its own name, without schema and quotes.
        is_utf8: Whether the database's texts are UTF-8, as the server vouches for.
        relation: What kind of table it is, in PostgreSQL's letters: `r` an ordinary one, `v` a view.
    """

    name: str
    schema: str
    columns: Mapping[str, str]
    lockable: bool
    kind: str = "logs"
    is_utf8: bool = True
    relation: str = "r"

    def type_of(self, column: str) -> str:
        """The type of a column that is there."""
        return self.columns[column]


def exported_type(type_: str) -> LogColumnType:
    """Return what a column of a type of the database's is exported as; whatever has no type of its own, as text."""
    if type_ in ("int2", "int4", "int8"):
        return "int64"
    if type_ in ("numeric", "float4", "float8"):
        return "double"
    if type_ in TIMES:
        return "timestamp"
    return "bool" if type_ == "bool" else "string"


def usual_table(columns: Iterable[str], extra: Iterable[pa.Field] = (), kind: str = "logs") -> Table:
    """The table as Bifrost makes it, without a look at any.

    Args:
        columns: Those that it has.
        extra: Others that it has, by Arrow's type.
        kind: Its name.
    """
    kinds = {**dict.fromkeys(TIMES_OF_A_ROW, "timestamptz"), **dict.fromkeys(("latency", "cost"), "numeric")}
    kinds |= dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), "int8")
    found = {name: kinds.get(name, "text") for name in columns}
    others = {field.name: _USUAL.get(str(field.type), "text") for field in extra if field.name not in found}
    return Table(f"public.{kind}", "public", {**found, **others}, lockable=True, kind=kind)


def find_table(connection: Connection, schema: str | None) -> Table:
    """Look the table `logs` up; none of its rows is touched.

    Args:
        connection: To the database.
        schema: Where it is, or None for the connection's search path.

    Raises:
        LogStoreError: The server is too old, there is no such table, it lacks a column, or the user may not read it.
    """
    with connection.snapshot():
        _check_version(connection)
        found = _find(connection, schema, "logs")
        if found is None:
            raise _missing(connection, schema)
    return found


def find_other_table(connection: Connection, kind: str, schema: str) -> Table | None:
    """Look another table of a log store up, which older ones lack.

    Args:
        connection: To the database.
        kind: The table.
        schema: Where `logs` is.

    Raises:
        LogStoreError: It lacks a column, or the user may not read it.
    """
    with connection.snapshot():
        return _find(connection, schema, kind)


def _find(connection: Connection, schema: str | None, kind: str) -> Table | None:
    wanted = literal(f"{identifier(schema)}.{kind}" if schema else kind)
    place = connection.place.address
    found = connection.execute(_FOUND.format(wanted=wanted))
    if not found:
        return None
    columns = {row["name"]: row["type"] for row in connection.execute(_COLUMNS.format(wanted=wanted))}
    [row] = found
    name, user = row["name"], row["user_name"]
    if not row["readable"]:
        raise LogStoreError(
            f"the user {user} may not read the table {name} of {place}",
            hint=f"Give the right: GRANT USAGE ON SCHEMA {identifier(row['schema'])} TO {identifier(user)};"
            f" GRANT SELECT ON {name} TO {identifier(user)};",
        )
    if row["is_filtered"]:
        raise LogStoreError(
            f"row-level security of the table {name} of {place} can hide rows from the user {user}",
            hint=row_security_hint(identifier(user)),
        )
    _check_columns(f"the table {name} of {place}", columns)
    connection.holds_any_bytes = row["encoding"] == "SQL_ASCII"
    is_utf8 = row["encoding"] == "UTF8"
    return Table(name, row["schema"], columns, row["lockable"], kind, is_utf8, row["relation"])


def _check_version(connection: Connection) -> None:
    [row] = connection.execute("SELECT current_setting('server_version_num')::int4 AS number")
    if row["number"] < _OLDEST:
        raise LogStoreError(
            f"the server of {connection.place.address} is PostgreSQL {row['number'] // 10_000}",
            allowed=f"PostgreSQL {_OLDEST // 10_000} or newer; Bifrost itself asks for 16",
        )


def _missing(connection: Connection, schema: str | None) -> LogStoreError:
    where = f"in the schema {schema}" if schema else "on the search path of its user"
    others = [row["schema"] for row in connection.execute(_ELSEWHERE)]
    hint = "Set db_name of the source to the database that logs_store.config.db_name names in Bifrost's own config."
    if others:
        hint = f"There is one in the schema {', '.join(others)}: set schema of the source."
    return LogStoreError(f"the database {connection.place.address} has no table logs {where}", hint=hint)


def _check_columns(table: str, columns: Mapping[str, str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise LogStoreError(f"{table} lacks the columns {', '.join(missing)}: it is no log store of Bifrost")
    for name, types in _TYPES.items():
        if name in columns and columns[name] not in types:
            raise LogStoreError(f"the column {name} of {table} is of type {columns[name]}", allowed=", ".join(types))


def identifier(name: str) -> str:
    """A name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it, also where `standard_conforming_strings` is off."""
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return f"E{quoted}" if "\\" in text else quoted
