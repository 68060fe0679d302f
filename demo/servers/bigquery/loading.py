"""Load jobs: Parquet into a table, columns by name, strict as the service is."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from demo.servers.bigquery.catalog import TYPES, Catalog, Key, quoted
from demo.servers.bigquery.errors import ApiError

_FROM_ARROW = {"int32": "BIGINT", "int64": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "bool": "BOOLEAN"}
_FROM_ARROW |= {"date32[day]": "DATE", "timestamp[us, tz=UTC]": "TIMESTAMP"}


def load(catalog: Catalog, job: dict[str, Any], body: bytes) -> dict[str, str]:
    """Carry a load job out; gives its statistics.

    Raises:
        ApiError: The file or the table does not fit.
    """
    target = job["destinationTable"]
    key: Key = (target["projectId"], target["datasetId"], target["tableId"])
    catalog.dataset(*key[:2])
    if job.get("sourceFormat") != "PARQUET" or job.get("writeDisposition") != "WRITE_TRUNCATE":
        raise ApiError(501, "notImplemented", "the stand-in loads Parquet by WRITE_TRUNCATE alone")
    try:
        rows = pq.read_table(pa.BufferReader(body))  # no thread of Arrow calls Python
    except pa.ArrowInvalid as error:
        raise _unreadable(f"Failed to read Parquet: {error}") from error
    for permission in ("update", "updateData"):
        catalog.demand(f"bigquery.tables.{permission}", key)
    if key not in catalog.tables:
        catalog.demand("bigquery.tables.create", key)
        fields = job.get("schema", {}).get("fields") or [
            {"name": each.name, "type": _bigquery_type(each)} for each in rows.schema
        ]
        catalog.make_table(key, {"schema": {"fields": fields}})
    fields = {each["name"]: each for each in catalog.table(key)["schema"]["fields"]}
    for each in rows.schema:
        wanted = fields.get(each.name)
        if wanted is None:
            raise ApiError(400, "invalid", f"Provided Schema does not match Table. Cannot add fields ({each.name})")
        if _FROM_ARROW.get(str(each.type)) != TYPES[wanted["type"]]:
            raise _unreadable(
                f"Parquet column '{each.name}' has type {each.type} which does not match {wanted['type']}"
            )
    cursor = catalog.database.cursor()
    cursor.register("given", pa.table([_plain(each) for each in rows.columns], names=rows.schema.names))
    names = ", ".join(f'"{name}"' for name in rows.schema.names)
    try:
        cursor.execute("BEGIN")
        cursor.execute(f"DELETE FROM {quoted(key)}")
        cursor.execute(f"INSERT INTO {quoted(key)} ({names}) SELECT {names} FROM given")
        cursor.execute("COMMIT")
    except duckdb.Error as error:
        cursor.execute("ROLLBACK")
        raise _unreadable("Only optional fields can be set to NULL.") from error
    size = {"inputFiles": "1", "inputFileBytes": str(len(body)), "outputBytes": "0", "badRecords": "0"}
    return {"outputRows": str(rows.num_rows), **size}


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without a zone, which is UTC everywhere."""
    return column.cast(pa.timestamp("us")) if pa.types.is_timestamp(column.type) else column


def _bigquery_type(each: pa.Field) -> str:
    back = {duck: name for name, duck in TYPES.items()}
    return back[_FROM_ARROW[str(each.type)]]


def _unreadable(message: str) -> ApiError:
    return ApiError(400, "invalid", f"Error while reading data, error message: {message}")
