"""Read published files again, by what is promised of their formats; what wrote them has no part in it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import pyarrow as pa

Reader = Callable[[BinaryIO, str, Sequence[str]], "Iterator[pa.RecordBatch]"]


def _parquet(source: BinaryIO, compression: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
        yield from file.iter_batches(columns=list(columns))


def _arrow(source: BinaryIO, compression: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.ipc as ipc

    with ipc.open_file(source) as file:
        for index in range(file.num_record_batches):
            yield file.get_batch(index).select(list(columns))


def _json(source: BinaryIO, compression: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.json as pj

    # Without a column to read, the rows are counted by the one that each record has.
    schema = _as_text(columns or ["request_id"])
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    for batch in pj.open_json(_unpacked(source, compression), parse_options=options):
        yield _typed(batch)


def _csv(source: BinaryIO, compression: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.csv as pc

    parsing = pc.ParseOptions(newlines_in_values=True)
    converting = pc.ConvertOptions(
        include_columns=list(columns) or None, column_types=_as_text(columns), strings_can_be_null=False
    )
    with pc.open_csv(_unpacked(source, compression), parse_options=parsing, convert_options=converting) as reader:
        for batch in reader:
            yield _typed(batch)


_READERS: dict[str, Reader] = {"parquet": _parquet, "arrow": _arrow, "json": _json, "csv": _csv}


def can_read(format_: str) -> bool:
    """Whether files of that format can be read again; those of others' own formats can't."""
    return format_ in _READERS


def read(format_: str, source: BinaryIO, compression: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a published file.

    Args:
        format_: Its format.
        source: The file, seekable.
        compression: As its manifest says.
        columns: Those that are wanted, all of which it has: `timestamp`, and columns of numbers.

    Yields:
        Batches with these columns (and maybe others): times as timestamps, tokens and cost as numbers.

    Raises:
        pyarrow.ArrowException: It is no such file.
        OSError: It is cut short.
    """
    return _READERS[format_](source, compression, columns)


def _as_text(columns: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    kinds = {"timestamp": pa.string(), "cost_usd": pa.float64(), "request_id": pa.string()}
    return pa.schema([(name, kinds.get(name, pa.int64())) for name in columns])


def _typed(batch: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa

    if "timestamp" not in batch.schema.names:
        return batch
    times = batch.column("timestamp").cast(pa.timestamp("us", tz="UTC"))
    return batch.set_column(batch.schema.names.index("timestamp"), "timestamp", times)


def _unpacked(source: BinaryIO, compression: str) -> Any:
    import pyarrow as pa

    if compression == "gzip":
        return pa.PythonFile(gzip.GzipFile(fileobj=source, mode="rb"), mode="r")  # of any number of members
    if compression == "none":
        return pa.PythonFile(source, mode="r")
    return pa.CompressedInputStream(pa.PythonFile(source, mode="r"), compression)
