"""Queries and scripts: translated for DuckDB, with one transaction at most, which conflicts as the service's do.

A transaction that changes rows of a table (UPDATE, DELETE) while another one that has begun before it ended has
changed that table, is cancelled; it does not wait. Inserts alone conflict with nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
from dataclasses import dataclass, field
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from demo.servers.bigquery import partitions
from demo.servers.bigquery.catalog import Catalog, Key
from demo.servers.bigquery.errors import ApiError, bad_query, missing

_ASSERT = re.compile(r"\s*ASSERT\s+(?P<condition>.+?)\s+AS\s+'(?P<message>[^']*)'\s*", re.IGNORECASE | re.DOTALL)
_BEGIN = re.compile(r"\s*BEGIN\s+TRANSACTION\s*", re.IGNORECASE)
_COMMIT = re.compile(r"\s*COMMIT\s+TRANSACTION\s*", re.IGNORECASE)
_FIELD_TYPES = {"BIGINT": "INTEGER", "INTEGER": "INTEGER", "HUGEINT": "INTEGER", "DOUBLE": "FLOAT"}
_FIELD_TYPES |= {"BOOLEAN": "BOOLEAN", "VARCHAR": "STRING", "DATE": "DATE", "JSON": "JSON", '"NULL"': "STRING"}
_FIELD_TYPES |= {"TIMESTAMP": "TIMESTAMP"}


@dataclass
class Result:
    """What a query gives.

    Args:
        fields: The columns.
        rows: The rows.
        changed: Rows that a single DML statement has changed.
        kind: The service's word for the statement.
    """

    fields: list[dict[str, str]] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    changed: int | None = None
    kind: str = "SCRIPT"


@dataclass
class Queries:
    """Runs queries.

    Args:
        catalog: The tables.
        mutating: Each table that a running transaction has changed rows of, with that transaction.
    """

    catalog: Catalog
    mutating: dict[Key, object] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, project: str, config: dict[str, Any]) -> Result:
        """Run a query or a script.

        Raises:
            ApiError: It can't be run, a check did not hold, or its transaction was cancelled.
        """
        statements = _split(config["query"])
        run = _Run(self, project, {each["name"]: _value(each) for each in config.get("queryParameters", [])})
        try:
            for statement in statements:
                run.take(statement)
        finally:
            run.end()
        return run.result if len(statements) == 1 else Result()


class _Run:
    """One query job."""

    def __init__(self, queries: Queries, project: str, values: dict[str, Any]) -> None:
        self.queries = queries
        self.catalog = queries.catalog
        self.project = project
        self.values = values
        self.cursor = queries.catalog.database.cursor()
        self.is_open = False
        self.result = Result()

    def take(self, statement: str) -> None:
        """Take one statement."""
        if _BEGIN.fullmatch(statement):
            self.cursor.execute("BEGIN")
            self.is_open = True
        elif _COMMIT.fullmatch(statement):
            if not self.is_open:
                raise bad_query("Transaction control statements are supported only in scripts or sessions")
            self._conflicting(lambda: self.cursor.execute("COMMIT"))
            self.is_open = False
        elif match := _ASSERT.fullmatch(statement):
            found = self._execute(f"SELECT {match['condition']}").rows
            if found[0][0] is not True:
                raise bad_query(match["message"])
        else:
            self.result = self._execute(statement)

    def end(self) -> None:
        """Roll back what was not committed, and let go of the tables."""
        if self.is_open:
            self.cursor.execute("ROLLBACK")
        with self.queries.lock:
            for key in [key for key, holder in self.queries.mutating.items() if holder is self]:
                del self.queries.mutating[key]
        self.cursor.close()

    def _execute(self, sql: str) -> Result:
        try:
            tree = sqlglot.parse_one(sql, read="bigquery")
        except sqlglot.errors.SqlglotError as error:
            raise bad_query(f"Syntax error: {error}") from error
        partitions.check(self.catalog.tables, tree)
        tables = [self._resolve(table) for table in list(tree.find_all(exp.Table))]
        if isinstance(tree, exp.Alter):
            return self._alter(tree, tables[0])
        changed = tables[0] if isinstance(tree, exp.Update | exp.Delete | exp.Insert) else None
        for key in tables:
            self.catalog.demand("bigquery.tables.updateData" if key is changed else "bigquery.tables.getData", key)
        if isinstance(tree, exp.Update | exp.Delete):
            self._mutate(tables[0])
        if changed is not None and (kind := self.catalog.table(changed)["type"]) != "TABLE":
            raise bad_query(f"Cannot modify {'.'.join(changed)}: it is of the type {kind}.")
        if isinstance(tree, exp.Delete | exp.Update) and tree.args.get("where") is None:
            raise bad_query("DELETE and UPDATE must have a WHERE clause")
        translated = tree.sql(dialect="duckdb")
        used = {name: value for name, value in self.values.items() if f"${name}" in translated}
        result: Result = self._conflicting(lambda: self._fetch(tree, translated, used))
        return result

    def _alter(self, tree: exp.Alter, key: Key) -> Result:
        """`ALTER COLUMN ... DROP NOT NULL`, and nothing else."""
        self.catalog.demand("bigquery.tables.update", key)
        for action in tree.args["actions"]:
            if not (isinstance(action, exp.AlterColumn) and action.args.get("drop") and action.args.get("allow_null")):
                raise bad_query(f"the stand-in does not know: {action.sql(dialect='bigquery')}")
            self.catalog.relax(key, action.this.name)
        return Result()

    def _fetch(self, tree: Any, sql: str, used: dict[str, Any]) -> Result:
        cursor = self.cursor.execute(sql, used)
        if isinstance(tree, exp.Update | exp.Delete | exp.Insert):
            return Result(changed=cursor.fetchone()[0], kind=tree.key.upper())
        fields = [{"name": each[0], "type": _field_type(each[1]), "mode": "NULLABLE"} for each in cursor.description]
        return Result(fields, cursor.fetchall(), kind="SELECT")

    def _conflicting(self, act: Any) -> Any:
        try:
            return act()
        except duckdb.TransactionException as error:
            self.is_open = False
            raise _aborted("a table") from error
        except duckdb.Error as error:
            if "onflict" in str(error):
                raise _aborted("a table") from error
            raise bad_query(f"{type(error).__name__}: {error}") from error

    def _resolve(self, table: exp.Table) -> Key:
        """The table that a name stands for, written as DuckDB knows it."""
        parts = ".".join(each.name for each in table.parts).split(".")
        if len(parts) != 3:
            raise bad_query(f'Table "{".".join(parts)}" must be qualified with a dataset (e.g. dataset.table).')
        key: Key = (parts[0], parts[1], parts[2])
        self.catalog.dataset(*key[:2])
        if key not in self.catalog.tables:
            where = self.catalog.dataset(*key[:2])["location"]
            raise missing("Table", f"{key[0]}:{key[1]}.{key[2]} was not found in location {where}")
        schema = exp.to_identifier(f"{key[0]}:{key[1]}", quoted=True)
        table.replace(exp.Table(this=exp.to_identifier(key[2], quoted=True), db=schema, alias=table.args.get("alias")))
        return key

    def _mutate(self, key: Key) -> None:
        with self.queries.lock:
            if self.queries.mutating.setdefault(key, self) is not self:
                raise _aborted(f"{key[0]}:{key[1]}.{key[2]}")


def _aborted(table: str) -> ApiError:
    return bad_query(f"Transaction is aborted due to concurrent update against table {table}. Transaction ID: 1")


def _split(script: str) -> list[str]:
    """The statements of a script, cut at semicolons outside quotes."""
    statements, current, quote = [], "", ""
    for character in script:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        if character == ";" and not quote:
            statements.append(current)
            current = ""
        else:
            current += character
    return [each for each in (*statements, current) if each.strip()]


def _value(parameter: dict[str, Any]) -> Any:
    text, kind = parameter["parameterValue"].get("value"), parameter["parameterType"]["type"]
    if text is None:
        return None
    if kind == "TIMESTAMP":
        return dt.datetime.fromisoformat(text).astimezone(dt.timezone.utc).replace(tzinfo=None)
    return {"INT64": int, "FLOAT64": float}.get(kind, str)(text)


def _field_type(type_: Any) -> str:
    name = str(type_)
    if name.startswith("DECIMAL"):
        return "NUMERIC"
    if name not in _FIELD_TYPES:
        raise ApiError(501, "notImplemented", f"the stand-in tells no {name}")
    return _FIELD_TYPES[name]
