"""Datasets and tables: what the API tells of them, and the DuckDB tables that hold their rows."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import duckdb

from demo.servers.bigquery.errors import ApiError, denied, missing

TYPES = {
    "INTEGER": "BIGINT",
    "INT64": "BIGINT",
    "FLOAT": "DOUBLE",
    "FLOAT64": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "STRING": "VARCHAR",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",  # in UTC
    "DATETIME": "TIMESTAMP",
    "NUMERIC": "DECIMAL(38, 9)",
    "JSON": "JSON",
}
_KINDS = {
    "view": "VIEW",
    "materializedView": "MATERIALIZED_VIEW",
    "externalDataConfiguration": "EXTERNAL",
    "snapshotDefinition": "SNAPSHOT",
}
"""What makes a resource something else than a table; its rows are kept in a table all the same."""
Key = tuple[str, str, str]
"""Project, dataset, table."""


def now() -> str:
    """Milliseconds, as the API writes times."""
    return str(int(time.time() * 1000))


def quoted(key: Key) -> str:
    """The DuckDB table of a table."""
    return f'"{key[0]}:{key[1]}"."{key[2]}"'


@dataclass
class Catalog:
    """All datasets and tables of the service.

    Args:
        database: Holds the rows.
        datasets: Their resources.
        tables: Their resources.
        asking: Who asks on this thread: an account with `may(permission)`, or nobody, who may do everything.
    """

    database: Any = field(default_factory=lambda: duckdb.connect(":memory:"))
    datasets: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tables: dict[Key, dict[str, Any]] = field(default_factory=dict)
    asking: threading.local = field(default_factory=threading.local)

    def demand(self, permission: str, key: Key) -> None:
        """Refuse whoever lacks a permission on a table."""
        account = getattr(self.asking, "account", None)
        if account is not None and not account.may(permission):
            raise denied("Table", f"{key[0]}:{key[1]}.{key[2]}", permission)

    def make_dataset(self, project: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make a dataset."""
        name = body["datasetReference"]["datasetId"]
        if (project, name) in self.datasets:
            raise ApiError(409, "duplicate", f"Already Exists: Dataset {project}:{name}")
        self.database.cursor().execute(f'CREATE SCHEMA "{project}:{name}"')
        resource = {"location": "EU", **body, "id": f"{project}:{name}", "etag": uuid.uuid4().hex}
        resource["datasetReference"] = {"projectId": project, "datasetId": name}
        self.datasets[project, name] = resource
        return resource

    def dataset(self, project: str, name: str) -> dict[str, Any]:
        """A dataset's resource."""
        if (project, name) not in self.datasets:
            raise missing("Dataset", f"{project}:{name}")
        return self.datasets[project, name]

    def table(self, key: Key) -> dict[str, Any]:
        """A table's resource."""
        self.dataset(*key[:2])
        if key not in self.tables:
            raise missing("Table", f"{key[0]}:{key[1]}.{key[2]}")
        return self.tables[key]

    def describe(self, key: Key) -> dict[str, Any]:
        """A table's resource with the number of its rows."""
        table = self.table(key)
        rows = self.database.cursor().execute(f"SELECT COUNT(*) FROM {quoted(key)}").fetchone()[0]
        return {**table, "numRows": str(rows), "numBytes": "0"}

    def make_table(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        """Make a table."""
        self.dataset(*key[:2])
        if key in self.tables:
            raise ApiError(409, "duplicate", f"Already Exists: Table {key[0]}:{key[1]}.{key[2]}")
        fields = body.get("schema", {}).get("fields", [])
        self._check_layout(body, {each["name"]: each for each in fields})
        self.database.cursor().execute(f"CREATE TABLE {quoted(key)} ({', '.join(_define(each) for each in fields)})")
        project, dataset, table = key
        self.tables[key] = {
            **body,
            "kind": "bigquery#table",
            "id": f"{project}:{dataset}.{table}",
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "schema": {"fields": [{"mode": "NULLABLE", **each} for each in fields]},
            "type": next((kind for name, kind in _KINDS.items() if name in body), "TABLE"),
            "etag": uuid.uuid4().hex,
            "creationTime": now(),
            "lastModifiedTime": now(),
            "location": self.datasets[key[:2]]["location"],
            **self._expiring(key, body),
        }
        return self.describe(key)

    def _expiring(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        """When a new table or its partitions expire, by the dataset's defaults where the table tells nothing."""
        dataset, parts = self.datasets[key[:2]], body.get("timePartitioning")
        of_parts, of_table = dataset.get("defaultPartitionExpirationMs"), dataset.get("defaultTableExpirationMs")
        if parts and of_parts and not parts.get("expirationMs"):
            parts = {**parts, "expirationMs": str(of_parts)}
        found: dict[str, Any] = {"timePartitioning": parts} if parts else {}
        if of_table and not body.get("expirationTime") and not (parts and of_parts):
            found["expirationTime"] = str(int(now()) + int(of_table))
        return found

    def _check_layout(self, body: dict[str, Any], fields: dict[str, dict[str, Any]]) -> None:
        by = (body.get("timePartitioning") or {}).get("field")
        if by and fields.get(by, {}).get("type") not in ("TIMESTAMP", "DATE", "DATETIME"):
            raise ApiError(400, "invalid", f"The field specified for partitioning cannot be found: {by}")
        clustering = (body.get("clustering") or {}).get("fields", [])
        if len(clustering) > 4 or any(name not in fields for name in clustering):
            raise ApiError(400, "invalid", "Clustering fields must be at most 4 top-level fields of the schema")

    def patch_table(self, key: Key, body: dict[str, Any], seen: str | None) -> dict[str, Any]:
        """Change a table's resource; a schema may only grow by columns that take null."""
        table = self.table(key)
        if seen is not None and seen != table["etag"]:
            raise ApiError(412, "conditionNotMet", "Precondition check failed.")
        if "schema" in body:
            self._widen(key, table, body["schema"]["fields"])
        _merge(table, {name: value for name, value in body.items() if name != "etag"})
        table["etag"] = uuid.uuid4().hex
        return self.describe(key)

    def _widen(self, key: Key, table: dict[str, Any], fields: list[dict[str, Any]]) -> None:
        former = {each["name"].lower(): each for each in table["schema"]["fields"]}
        given = {each["name"].lower(): each for each in fields}
        for name, each in former.items():
            if name not in given or TYPES[given[name]["type"]] != TYPES[each["type"]]:
                raise ApiError(400, "invalid", f"Provided Schema does not match Table. Field {name} has changed type")
        for name, each in given.items():
            if name not in former:
                if each.get("mode") == "REQUIRED":
                    raise ApiError(400, "invalid", f"Cannot add required fields to an existing schema. (field: {name})")
                self.database.cursor().execute(f"ALTER TABLE {quoted(key)} ADD COLUMN {_define(each)}")
            elif each.get("mode") != former[name].get("mode"):
                self._change_mode(key, former[name], each)

    def _change_mode(self, key: Key, former: dict[str, Any], given: dict[str, Any]) -> None:
        """Let a column take null; the other way round is refused."""
        if (former.get("mode"), given.get("mode")) != ("REQUIRED", "NULLABLE"):
            modes = f"from {former.get('mode')} to {given.get('mode')}"
            raise ApiError(
                400, "invalid", f"Provided Schema does not match Table. Field {given['name']} has changed mode {modes}"
            )
        self.relax(key, given["name"])

    def relax(self, key: Key, column: str) -> None:
        """Let a column take null, as `ALTER COLUMN DROP NOT NULL` does."""
        for each in self.table(key)["schema"]["fields"]:
            if each["name"].lower() == column.lower():
                each["mode"] = "NULLABLE"
        self.database.cursor().execute(f'ALTER TABLE {quoted(key)} ALTER COLUMN "{column}" DROP NOT NULL')

    def drop_table(self, key: Key) -> None:
        """Delete a table."""
        self.table(key)
        self.database.cursor().execute(f"DROP TABLE {quoted(key)}")
        del self.tables[key]


def _merge(there: dict[str, Any], given: dict[str, Any]) -> None:
    """Change a resource as PATCH does: null takes a field away."""
    for name, value in given.items():
        if value is None:
            there.pop(name, None)
        elif isinstance(value, dict) and isinstance(there.get(name), dict) and name != "schema":
            _merge(there[name], value)
        else:
            there[name] = value


def _define(each: dict[str, Any]) -> str:
    if each["type"] not in TYPES or each.get("mode") == "REPEATED":
        raise ApiError(501, "notImplemented", f"the stand-in has no type {each['type']} {each.get('mode')}")
    null = " NOT NULL" if each.get("mode") == "REQUIRED" else ""
    if each.get("maxLength"):
        null += f' CHECK (length("{each["name"]}") <= {int(each["maxLength"])})'
    return f'"{each["name"]}" {TYPES[each["type"]]}{null}'
