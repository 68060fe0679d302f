"""The rejected rows as a file that a warehouse loads, in place of the file that object stores get."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, BinaryIO

from bifrost_export.destinations.warehouse.tables import REJECTED

if TYPE_CHECKING:
    from pathlib import Path

_TOLD = {"column_name": "column"}
"""Columns that are named otherwise in the file."""


def rewrite(packed: BinaryIO, file: Path) -> int:
    """Turn gzipped JSON lines into Parquet; gives the rows.

    Args:
        packed: The lines, from where the stream stands.
        file: Where the Parquet file goes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "int64": pa.int64()}
    columns = REJECTED.from_files
    schema = pa.schema([pa.field(each.name, types[each.type], nullable=not each.required) for each in columns])
    with gzip.GzipFile(fileobj=packed, mode="rb") as lines:
        rows = [json.loads(line) for line in lines]
    told = [{each.name: row.get(_TOLD.get(each.name, each.name)) for each in columns} for row in rows]
    pq.write_table(pa.Table.from_pylist(told, schema=schema), file, compression="snappy")
    return len(rows)
