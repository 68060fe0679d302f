"""Parquet, with the physical and logical types and the required / optional flags of the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

ROW_GROUP_ROWS = 131_072
# Level 1 of zstd and gzip costs 5 to 10 % more bytes than higher ones, and a quarter of the time.
_LEVELS = {"zstd": 1, "gzip": 1, "brotli": 4}


class ParquetFormat:
    """Writes Parquet files of row groups of a fixed number of rows, so that batches leave no trace in the bytes."""

    kind: ClassVar[str] = "parquet"
    compressions: ClassVar[tuple[str, ...]] = ("none", "snappy", "gzip", "zstd", "lz4", "brotli")
    default_compression: ClassVar[str] = "zstd"
    content_type: ClassVar[str] = "application/vnd.apache.parquet"

    def extension(self, compression: str) -> str:
        """`.parquet`: the codec is inside the file."""
        return ".parquet"

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO, compression: str) -> int:
        """Write one file and give its rows."""
        import pyarrow.parquet as pq

        rows = 0
        with pq.ParquetWriter(sink, schema, **_options(schema, compression)) as writer:
            for group in _row_groups(batches, schema):
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                rows += group.num_rows
        return rows


def _options(schema: pa.Schema, compression: str) -> dict[str, Any]:
    import pyarrow as pa

    level = _LEVELS.get(compression)
    # Ids are all different: a dictionary of them only costs time.
    texts = [each.name for each in schema if pa.types.is_string(each.type) and not each.name.endswith("request_id")]
    return {
        "version": "2.6",
        "compression": compression,
        "compression_level": level,
        "use_dictionary": texts,
        "store_schema": False,
        "write_statistics": True,
        "coerce_timestamps": "us",
        "data_page_version": "1.0",
    }


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables of a fixed number of rows, each column one contiguous array."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for given in batches:
        batch = given
        while rows + batch.num_rows >= ROW_GROUP_ROWS:
            room = ROW_GROUP_ROWS - rows
            yield _contiguous([*held, batch.slice(0, room)], schema)
            batch, held, rows = batch.slice(room), [], 0
        if batch.num_rows:
            held.append(batch)
            rows += batch.num_rows
    if held:
        yield _contiguous(held, schema)


def _contiguous(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """One array a column, copied, so that a slice of a longer array writes the same bytes as one of its own."""
    import pyarrow as pa

    columns = [pa.concat_arrays([batch.column(index) for batch in batches]) for index in range(len(schema))]
    return pa.Table.from_arrays(columns, schema=schema)
