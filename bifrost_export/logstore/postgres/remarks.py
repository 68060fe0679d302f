"""Ways in which a PostgreSQL server can give fewer rows than Bifrost has written, without any error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bifrost_export.logstore.inspection import Remark
from bifrost_export.logstore.postgres.connection import Connection
from bifrost_export.logstore.postgres.table import Table, literal

_KINDS: Final = {
    "v": (
        "a view: what its query leaves out is not exported",
        "Set schema of the source to the schema of Bifrost's own table, unless the view is meant.",
    ),
    "m": (
        "a materialized view: rows that were written since its last refresh are not exported",
        "Set schema of the source to the schema of Bifrost's own table, or refresh the view before each run.",
    ),
    "f": (
        "a foreign table: what the other server leaves out is not exported",
        "Set the source to the server that Bifrost writes to.",
    ),
}
_OTHERS = """
SELECT n.nspname::text AS schema FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = 'logs' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid <> to_regclass({name})
    AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'object_type') ORDER BY 1
"""
_SUBSCRIPTIONS = """
SELECT s.subname::text AS name, s.subenabled AS is_enabled, coalesce(stat.pid IS NOT NULL, false) AS is_running
FROM pg_subscription_rel AS r JOIN pg_subscription AS s ON s.oid = r.srsubid
LEFT JOIN pg_stat_subscription AS stat ON stat.subid = s.oid AND stat.relid IS NULL
WHERE r.srrelid = to_regclass({name}) ORDER BY 1
"""


def has_table(connection: Connection, schema: str, name: str) -> bool:
    """Return whether a schema has a table of a name, whether or not it may be read."""
    sql = f"SELECT to_regclass(format('%I.%I', {literal(schema)}, {literal(name)})) IS NOT NULL AS found"
    with connection.snapshot():
        return bool(connection.execute(sql)[0]["found"])


def remarks(connection: Connection, tables: list[Table], *, is_schema_given: bool) -> list[Remark]:
    """Look for such ways.

    Args:
        connection: To the server.
        tables: The tables that are read, `logs` first.
        is_schema_given: Whether the source names the schema, so that no other one can be meant.
    """
    with connection.snapshot():
        found = [each for table in tables for each in _of_table(connection, table)]
        others = [] if is_schema_given else connection.execute(_OTHERS.format(name=literal(tables[0].name)))
    if others:
        schemas = ", ".join(row["schema"] for row in others)
        found.append(
            Remark(
                f"{tables[0].name} is the first table logs on the search path of the user, and there are others in the"
                f" schema {schemas}",
                "Set schema of the source to the one that Bifrost writes to.",
            )
        )
    return found


def _of_table(connection: Connection, table: Table) -> Iterator[Remark]:
    if table.relation in _KINDS:
        message, hint = _KINDS[table.relation]
        yield Remark(f"{table.name} is {message}", hint)
    for row in connection.execute(_SUBSCRIPTIONS.format(name=literal(table.name))):
        state = "runs" if row["is_enabled"] and row["is_running"] else "does not run now"
        yield Remark(
            f"{table.name} is filled by the logical replication {row['name']}, which {state}: rows that have not"
            " arrived are not exported",
            "Set the source to the server that Bifrost writes to, or watch how far the replication lags.",
        )
