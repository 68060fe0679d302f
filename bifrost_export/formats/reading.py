"""Read published files again, by what is promised of their formats; what wrote them has no part in it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from bifrost_export.formats.row_blocks import Readable, lines, records

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
    parsing = pj.ParseOptions(explicit_schema=_as_text(columns or ["request_id"]), unexpected_field_behavior="ignore")
    for block in lines(_unpacked(source, compression)):
        reading = pj.ReadOptions(use_threads=False, block_size=len(block) + 1)
        for batch in pj.read_json(_buffer(block), reading, parsing).to_batches():
            yield _typed(batch)


def _csv(source: BinaryIO, compression: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.csv as pc

    parsing = pc.ParseOptions(newlines_in_values=True)
    converting = pc.ConvertOptions(
        include_columns=list(columns) or None, column_types=_as_text(columns), strings_can_be_null=False
    )
    header = b""
    for block in records(_unpacked(source, compression)):
        # A header has no line end in it: columns are named in plain words.
        whole = header + block
        header = header or block[: block.find(b"\n") + 1]
        reading = pc.ReadOptions(use_threads=False, block_size=len(whole) + 1)
        for batch in pc.read_csv(_buffer(whole), reading, parsing, converting).to_batches():
            yield _typed(batch)
    if not header:
        raise pa.ArrowInvalid("the file has no header")


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


def _buffer(block: bytes) -> pa.BufferReader:
    import pyarrow as pa

    return pa.BufferReader(block)


def _typed(batch: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa

    if "timestamp" not in batch.schema.names:
        return batch
    times = batch.column("timestamp").cast(pa.timestamp("us", tz="UTC"))
    return batch.set_column(batch.schema.names.index("timestamp"), "timestamp", times)


def _unpacked(source: BinaryIO, compression: str) -> Readable:
    import pyarrow as pa

    if compression == "gzip":
        unpacked: Readable = gzip.GzipFile(fileobj=source, mode="rb")  # of any number of members
        return unpacked
    if compression == "none":
        return source
    stream: Readable = pa.CompressedInputStream(pa.PythonFile(source, mode="r"), compression)
    return stream
